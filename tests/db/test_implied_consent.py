"""Implied consent (CASL) has an end date, and nobody is mailed after it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from subscribers.audience.counting import count_audience
from subscribers.audience.eligibility import candidates, eligible, explain_ineligible, list_contactable
from subscribers.consent import implied_consent as implied
from subscribers.consent.implied_consent import end_lapsed_subscriptions, list_expiring_subscriptions
from subscribers.consent.signup import (
    ConfirmationResult,
    SignupRequest,
    SignupResult,
    confirm_subscription,
    request_subscription,
)
from subscribers.erasing.retention import purge_expired_data
from subscribers.exporting.csv_export import people_to_export
from subscribers.importing.writing.report import ImportReport
from subscribers.links.signed_links import LinkTarget
from subscribers.models import Basis, ConsentEvent, EndReason, MailingList, Subscriber, Subscription
from subscribers.people.merge import merge_people
from tests.support.people import NOW, make_list, make_person, subscribe
from tests.support.people_imports import import_text

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("P2")]
LAST = date(2027, 1, 31)
OVER = datetime(2027, 2, 1, tzinfo=UTC)


def bring(mailing_list: MailingList, text: str, **fields: object) -> ImportReport:
    return import_text(mailing_list, text, **{"basis": "casl_implied", "evidence": "Gifts of 2025", **fields})  # type: ignore[arg-type]


@pytest.fixture
def weekly() -> MailingList:
    return make_list()


@pytest.fixture
def ann(weekly: MailingList) -> Subscriber:
    bring(weekly, "email\nann@example.org\n", expires_on=LAST)
    return Subscriber.objects.get()


@pytest.mark.requirement("P10")
def test_a_line_needs_its_last_day_and_one_that_may_be(weekly: MailingList) -> None:
    report = bring(
        weekly,
        "email,expires_on\nann@example.org,2027-01-31\nbea@example.org,\ncleo@example.org,2026-03-04\n"
        "dora@example.org,2029-01-01\n",
    )
    assert report.new == 1
    assert report.reasons == {"no_expiry": 1, "run_out": 1, "too_long": 1}
    assert Subscription.objects.get().expires_at == OVER


@pytest.mark.requirement("P10")
def test_nobody_is_mailed_after_their_last_day_and_staff_read_why(weekly: MailingList, ann: Subscriber) -> None:
    last = OVER - timedelta(seconds=1)
    assert eligible(mailing_list=weekly, now=last).exists()
    assert explain_ineligible(ann, mailing_list=weekly, now=last) == ""
    assert not eligible(mailing_list=weekly, now=OVER).exists()
    assert not list_contactable(mailing_list=weekly, now=OVER).exists()
    assert explain_ineligible(ann, mailing_list=weekly, now=OVER) == "The implied consent ended on 1 February 2027."
    count = count_audience(mailing_list=weekly, now=OVER)
    assert (count.candidates, count.eligible, count.excluded) == (1, 0, {"implied_consent_ran_out": 1})
    assert [row.exclusion_reason for row in candidates(mailing_list=weekly, now=last)] == [""]


@pytest.mark.requirement("P10")
def test_staff_see_60_days_ahead_whose_consent_runs_out(weekly: MailingList, ann: Subscriber) -> None:
    assert not list_expiring_subscriptions(now=OVER - timedelta(days=61)).exists()
    assert [row.subscriber for row in list_expiring_subscriptions(now=OVER - timedelta(days=60))] == [ann]
    assert not list_expiring_subscriptions(now=OVER).exists()


@pytest.mark.requirement("P10")
def test_lapsed_consent_ends_is_recorded_and_deleted_after_28_days(weekly: MailingList, ann: Subscriber) -> None:
    assert end_lapsed_subscriptions(now=OVER - timedelta(seconds=1)) == 0
    assert (end_lapsed_subscriptions(now=OVER), end_lapsed_subscriptions(now=OVER)) == (1, 0)
    assert Subscription.objects.get().end_reason == EndReason.LAPSED
    assert ConsentEvent.objects.latest("pk").source == "implied consent ran out"
    purge_expired_data(now=OVER + timedelta(days=28))
    assert Subscriber.objects.exists()
    purge_expired_data(now=OVER + timedelta(days=28, seconds=1))
    assert not Subscriber.objects.exists()


@pytest.mark.requirement("P10")
def test_newer_proof_lengthens_it_and_older_does_not(weekly: MailingList, ann: Subscriber) -> None:
    assert bring(weekly, "email\nann@example.org\n", expires_on=date(2026, 12, 1)).unchanged == 1
    assert Subscription.objects.get().expires_at == OVER
    dry = bring(weekly, "email\nann@example.org\n", expires_on=date(2027, 6, 30), evidence="Gift of May", dry_run=True)
    assert (dry.updated, Subscription.objects.get().expires_at) == (1, OVER)
    assert bring(weekly, "email\nann@example.org\n", expires_on=date(2027, 6, 30), evidence="Gift of May").updated == 1
    held = Subscription.objects.get()
    assert (held.expires_at, held.evidence) == (datetime(2027, 7, 1, tzinfo=UTC), "Gift of May")
    assert list(ConsentEvent.objects.order_by("pk").values_list("wording", flat=True)) == [
        "Gifts of 2025",
        "Gift of May",
    ]


@pytest.mark.requirement("P10")
def test_consent_that_was_given_takes_the_place_of_implied_consent(weekly: MailingList, ann: Subscriber) -> None:
    assert bring(weekly, "email\nann@example.org\n", basis="consent", evidence="Sheet").updated == 1
    held = Subscription.objects.get()
    assert (held.basis, held.expires_at) == (Basis.CONSENT, None)


@pytest.mark.requirement("P10")
def test_the_persons_own_confirmation_takes_its_place_too(weekly: MailingList, ann: Subscriber) -> None:
    asked = request_subscription(
        SignupRequest(email=ann.email, mailing_list=weekly, wording="yes", source="page"), now=NOW
    )
    assert asked == SignupResult.ASKED
    assert eligible(mailing_list=weekly, now=NOW).exists()
    confirm_subscription(target=LinkTarget(ann.uuid, weekly.public_id, NOW), now=NOW)
    held = Subscription.objects.get()
    assert (held.basis, held.expires_at, held.confirmed_at) == (Basis.DOUBLE_OPT_IN, None, NOW)
    assert eligible(mailing_list=weekly, now=OVER).exists()


@pytest.mark.requirement("P10")
def test_a_person_who_asked_to_stay_in_time_may_confirm_later(weekly: MailingList, ann: Subscriber) -> None:
    """The link of the mail is good for seven days, so the request outlives the day; nothing is mailed meanwhile."""
    asked = OVER - timedelta(hours=1)
    request_subscription(SignupRequest(email=ann.email, mailing_list=weekly, wording="yes", source="page"), now=asked)
    purge_expired_data(now=OVER + timedelta(days=6))
    assert not eligible(mailing_list=weekly, now=OVER + timedelta(days=6)).exists()
    target = LinkTarget(ann.uuid, weekly.public_id, asked)
    assert confirm_subscription(target=target, now=OVER + timedelta(days=6)) == ConfirmationResult.NOW
    assert eligible(mailing_list=weekly, now=OVER + timedelta(days=6)).exists()


@pytest.mark.requirement("P10")
def test_a_lapsed_person_who_does_not_confirm_in_seven_days_is_removed(weekly: MailingList, ann: Subscriber) -> None:
    asked = OVER - timedelta(hours=1)
    request_subscription(SignupRequest(email=ann.email, mailing_list=weekly, wording="yes", source="page"), now=asked)
    purge_expired_data(now=asked + timedelta(days=7, seconds=1))
    assert Subscription.objects.get().end_reason == EndReason.LAPSED


@pytest.mark.requirement("P10")
def test_more_than_one_step_of_people_who_ran_out_go_in_one_round(
    weekly: MailingList, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(implied, "BATCH_SIZE", 2)
    people = "".join(f"reader{number}@example.org\n" for number in range(5))
    bring(weekly, f"email\n{people}", expires_on=LAST)
    purge_expired_data(now=OVER)
    assert not Subscription.objects.open().exists()


@pytest.mark.parametrize("kept", ["ann", "bea"])
@pytest.mark.requirement("P10")
def test_given_consent_survives_a_merge_with_implied_consent(weekly: MailingList, ann: Subscriber, kept: str) -> None:
    bring(weekly, "email\nbea@example.org\n", basis="consent", evidence="Sheet", clock=lambda: NOW + timedelta(days=9))
    people = {one.email.partition("@")[0]: one for one in Subscriber.objects.all()}
    keep = people.pop(kept)
    merge_people(keep=keep, absorb=people.popitem()[1], now=NOW + timedelta(days=10))
    held = Subscription.objects.open().get()
    assert (held.subscriber, held.basis) == (keep, Basis.CONSENT)


@pytest.mark.parametrize("of_one_list", [True, False])
@pytest.mark.requirement("P10")
def test_lapsed_people_are_in_no_export_before_they_are_removed(weekly: MailingList, of_one_list: bool) -> None:
    over = timezone.now() - timedelta(seconds=1)
    lasting = timezone.now() + timedelta(days=1)
    for email, until in (("ann@example.org", over), ("bea@example.org", lasting)):
        subscribe(make_person(email), weekly, basis=Basis.CASL_IMPLIED, expires_at=until)
    exported = people_to_export(weekly if of_one_list else None)
    assert [one.email for one in exported] == ["bea@example.org"]


@pytest.mark.requirement("P10")
def test_the_database_keeps_implied_consent_and_its_last_day_together(ann: Subscriber) -> None:
    for fields in ({"expires_at": None}, {"basis": Basis.CONSENT}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Subscription.objects.update(**fields)


@pytest.mark.requirement("P10")
def test_a_round_continues_if_somebody_in_a_batch_acts(monkeypatch: pytest.MonkeyPatch, weekly: MailingList) -> None:
    bring(weekly, "email\nann@example.org\nbea@example.org\ncleo@example.org\n", expires_on=LAST)
    lock = implied.lock_people

    def renew_ann_and_lock(people: QuerySet[Subscriber]) -> list[Subscriber]:
        Subscription.objects.filter(subscriber__email="ann@example.org").update(expires_at=None, basis=Basis.CONSENT)
        return lock(people)

    monkeypatch.setattr(implied, "BATCH_SIZE", 2)
    monkeypatch.setattr(implied, "lock_people", renew_ann_and_lock)
    assert end_lapsed_subscriptions(now=OVER) == 2
    assert [row.subscriber.email for row in Subscription.objects.open()] == ["ann@example.org"]
