"""A question to confirm that is deleted before it is mailed uses up nothing of its mailbox's quota."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from subscribers.confirmation_quota import use_confirmation_quota, use_confirmation_quotas
from subscribers.consent.signup import SignupRequest, SignupResult, request_subscription
from subscribers.identity import identify
from subscribers.importing.writing.undo import undo_now
from subscribers.models import Confirmation, ConfirmationQuota, ImportBatch, MailingList, Reason
from subscribers.people.lookup import find_person
from subscribers.people.merge import merge_people
from subscribers.unsubscribing.suppression import suppress
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_all, unsubscribe_from_list
from tests.support.people import NOW, make_list, make_member
from tests.support.people_imports import import_text

pytestmark = [pytest.mark.postgres, pytest.mark.django_db, pytest.mark.requirement("A2")]
EMAIL = "ada@example.org"


@pytest.fixture
def weekly() -> MailingList:
    return make_list()


def ask(mailing_list: MailingList, *, email: str = EMAIL) -> SignupResult:
    request = SignupRequest(email=email, mailing_list=mailing_list, wording="Yes", source="form")
    return request_subscription(request, now=NOW)


def count_used() -> list[int]:
    """Return the counts of all mailboxes that were asked."""
    return sorted(ConfirmationQuota.objects.values_list("request_count", flat=True))


def leave_list(weekly: MailingList) -> None:
    unsubscribe_from_list(subscriber=find_person(EMAIL), mailing_list=weekly, now=NOW)


def leave_all(_weekly: MailingList) -> None:
    unsubscribe_from_all(subscriber=find_person(EMAIL), now=NOW)


def report_as_spam(_weekly: MailingList) -> None:
    suppress(address_hash=identify(EMAIL), reason=Reason.COMPLAINT, now=NOW)


def import_opt_outs(weekly: MailingList) -> None:
    import_text(weekly, f"email\n{EMAIL}\n", kind="left_all")


@pytest.mark.parametrize("end", [leave_list, leave_all, report_as_spam, import_opt_outs])
def test_a_request_that_ends_before_its_mail_uses_no_quota(weekly: MailingList, end: Callable[..., None]) -> None:
    ask(weekly)
    assert count_used() == [1]
    end(weekly)
    assert (Confirmation.objects.count(), count_used()) == (0, [0])


def test_an_unsubscribe_from_another_list_keeps_the_request(weekly: MailingList) -> None:
    ask(weekly)
    leave_list(make_list("events"))
    assert (Confirmation.objects.count(), count_used()) == (1, [1])


def test_a_request_that_was_mailed_stays_in_the_quota(weekly: MailingList) -> None:
    ask(weekly)
    Confirmation.objects.update(sent_at=NOW)
    leave_list(weekly)
    assert (Confirmation.objects.count(), count_used()) == (1, [1])


def test_people_whom_an_undone_import_asked_can_be_asked_again(weekly: MailingList) -> None:
    make_member(make_list("events"), EMAIL)
    import_text(weekly, f"email\n{EMAIL}\n", confirm=True)
    undo_now(ImportBatch.objects.get(), by="kim", clock=lambda: NOW)
    assert (Confirmation.objects.count(), count_used()) == (0, [0])
    later = NOW + timedelta(minutes=30)
    import_text(weekly, f"email\n{EMAIL}\n", confirm=True, clock=lambda: later)
    assert Confirmation.objects.get().requested_at == later


def test_a_request_that_a_merge_moves_uses_the_other_quota(weekly: MailingList) -> None:
    events = make_list("events")
    make_member(weekly, "keep@example.org")
    ask(events)
    merge_people(keep=find_person("keep@example.org"), absorb=find_person(EMAIL), now=NOW)
    assert Confirmation.objects.get().subscriber.email == "keep@example.org"
    assert not use_confirmation_quota("keep@example.org", now=NOW + timedelta(hours=23))
    assert use_confirmation_quota(EMAIL, now=NOW + timedelta(minutes=1))


def test_new_people_whom_an_undone_import_asked_get_nothing_extra(weekly: MailingList) -> None:
    assert use_confirmation_quota(EMAIL, now=NOW - timedelta(days=3))
    import_text(weekly, f"email\n{EMAIL}\n", confirm=True)
    assert (Confirmation.objects.count(), count_used()) == (1, [2])
    undo_now(ImportBatch.objects.get(), by="kim", clock=lambda: NOW)
    assert (Confirmation.objects.count(), count_used()) == (0, [1])


def test_an_import_asks_each_mailbox_within_its_quota(weekly: MailingList) -> None:
    for day in (5, 3, 1):
        assert use_confirmation_quota("used.up@example.org", now=NOW - timedelta(days=day))
    assert use_confirmation_quota("today@example.org", now=NOW - timedelta(hours=2))
    text = "email\nused.up@example.org\ntoday@example.org\nbea@gmail.com\nbea+news@gmail.com\nnew@example.org\n"
    report = import_text(weekly, text, confirm=True)
    assert report.new == 5
    asked = Confirmation.objects.order_by("pk").values_list("subscriber__email", flat=True)
    assert list(asked) == ["bea@gmail.com", "new@example.org"]
    assert count_used() == [1, 1, 1, 3]


def test_an_import_says_whom_it_did_not_ask_and_asks_them_later(weekly: MailingList) -> None:
    make_member(make_list("events"), "known@example.org")
    text = f"email\n{EMAIL}\nknown@example.org\nbea@example.org\n"
    for address in (EMAIL, "known@example.org"):
        assert use_confirmation_quota(address, now=NOW - timedelta(hours=2))
    first = import_text(weekly, text, confirm=True)
    assert (first.new, first.unasked, [(note.line, note.lines) for note in first.notes]) == (3, 2, [(2, 2)])
    assert "was not asked to confirm" in str(first.notes[0][1])
    assert ImportBatch.objects.get().counts["unasked"] == 2
    Confirmation.objects.update(sent_at=NOW)
    later = NOW + timedelta(days=2)
    again = import_text(weekly, text, confirm=True, clock=lambda: later)
    assert (again.waiting, again.unasked) == (3, 0)
    asked = Confirmation.objects.filter(requested_at=later).values_list("subscriber__email", flat=True)
    assert sorted(asked) == [EMAIL, "known@example.org"]


def test_a_request_that_a_merge_would_move_past_the_quota_is_dropped(weekly: MailingList) -> None:
    make_member(weekly, "keep@example.org")
    for day in (5, 3, 1):
        assert use_confirmation_quota("keep@example.org", now=NOW - timedelta(days=day))
    ask(make_list("events"))
    merge_people(keep=find_person("keep@example.org"), absorb=find_person(EMAIL), now=NOW)
    assert (Confirmation.objects.count(), count_used()) == (0, [0, 3])


def test_a_request_that_a_merge_moves_on_the_same_day_is_kept(weekly: MailingList) -> None:
    ask(weekly, email="keep@example.org")
    ask(make_list("events"))
    merge_people(keep=find_person("keep@example.org"), absorb=find_person(EMAIL), now=NOW)
    assert (Confirmation.objects.count(), count_used()) == (2, [0, 2])


def test_a_merge_into_a_new_address_uses_the_quota_of_that_address(weekly: MailingList) -> None:
    make_member(weekly, "old@example.org")
    for day in (5, 3, 1):
        assert use_confirmation_quota("old@example.org", now=NOW - timedelta(days=day))
    ask(make_list("events"))
    merge_people(keep=find_person("old@example.org"), absorb=find_person(EMAIL), now=NOW, new_email=EMAIL)
    assert (Confirmation.objects.get().subscriber.email, count_used()) == ("old@example.org", [1, 3])


def test_a_merge_drops_one_of_two_requests_and_keeps_one_count(weekly: MailingList) -> None:
    ask(weekly)
    ask(weekly, email="keep@example.org")
    merge_people(keep=find_person("keep@example.org"), absorb=find_person(EMAIL), now=NOW)
    assert (Confirmation.objects.get().subscriber.email, count_used()) == ("keep@example.org", [0, 1])


def test_a_mailbox_gets_a_confirmation_though_a_clock_was_ahead() -> None:
    assert use_confirmation_quota(EMAIL, now=NOW + timedelta(days=400))
    assert use_confirmation_quotas([EMAIL], now=NOW) == {EMAIL}
    ConfirmationQuota.objects.update(last_requested_at=NOW + timedelta(days=400))
    assert use_confirmation_quota(EMAIL, now=NOW)
    assert not use_confirmation_quota(EMAIL, now=NOW)
