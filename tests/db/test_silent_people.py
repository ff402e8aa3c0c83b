"""Silent people are asked once whether they still want mail. Without an answer, they get no newsletters until they say so."""

import json
from collections.abc import Callable
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from newsletter.jobs import silent_people
from newsletter.jobs.silent_people import ask_and_rest, has_waiting_question, send_due_questions
from newsletter.models import MailLimits, Publication
from newsletter.sending.dispatching.recipients import find_batch_recipients
from newsletter.sending.freezing.start import start_send
from subscribers.audience.counting import count_audience
from subscribers.audience.eligibility import explain_ineligible
from subscribers.consent.signup import (
    ConfirmationResult,
    SignupRequest,
    SignupResult,
    confirm_subscription,
    request_subscription,
)
from subscribers.consent_events import record_consent_event
from subscribers.links.signed_links import LinkTarget
from subscribers.models import ConsentEvent, EndReason, MailingList, Reason, StayQuestion, Subscriber, Subscription
from subscribers.models.queued_mails import REPEATED_AFTER
from subscribers.people.inactivity import (
    ANSWER_TIME,
    SilenceCount,
    count_silence,
    find_silent_people,
    forget_unsendable_questions,
    forget_unsent_questions,
    stay,
    subtract_months,
)
from subscribers.people.preferences import pause_mail, save_preferences
from subscribers.unsubscribing.suppression import suppress
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_all, unsubscribe_from_list
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import HOUSTON, NOW, add_subscribers, make_issue, make_publication, make_story
from tests.support.people import make_list, subscribe
from tests.support.provider_faults import Fault, answer

pytestmark = pytest.mark.django_db
LONG_AGO = NOW - timedelta(days=900)
SINCE = subtract_months(NOW, 24)


@pytest.fixture
def mailgun(fake_provider, settings):
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    return fake_provider


@pytest.fixture
def weekly() -> Publication:
    return make_publication()


def add_silent(publication: Publication, count: int, *, start: int = 0) -> list[Subscriber]:
    """Return people who joined long ago and did nothing since."""
    people = add_subscribers(publication, count, start=start)
    ids = [person.pk for person in people]
    Subscriber.objects.filter(pk__in=ids).update(created_at=LONG_AGO)
    Subscription.objects.filter(subscriber__in=ids).update(requested_at=LONG_AGO, confirmed_at=LONG_AGO)
    return people


def turn_on(**changes: int) -> None:
    MailLimits.objects.update_or_create(pk=1, defaults={"silent_months": 24, **changes})


def count_excluded(publication: Publication, *, now: datetime = NOW) -> dict[str, int]:
    return count_audience(mailing_list=publication.mailing_list, now=now).excluded


def let_rest(publication: Publication, count: int = 1) -> list[Subscriber]:
    people = add_silent(publication, count)
    turn_on()
    ask_and_rest(now=NOW)
    StayQuestion.objects.update(sent_at=NOW)
    ask_and_rest(now=NOW + ANSWER_TIME)
    return people


def record(person: Subscriber, kind: str, *, at: datetime, by: str = "") -> None:
    record_consent_event(
        ConsentEvent(
            kind=ConsentEvent.Kind(kind),
            subscriber=person,
            address_hash=bytes(person.address_hash),
            mailing_list=None,
            at=at,
            by=by,
        )
    )


@pytest.mark.parametrize(
    ("now", "months", "before"),
    [("2026-03-31", 1, "2026-02-28"), ("2024-02-29", 12, "2023-02-28"), ("2026-01-15", 24, "2024-01-15")],
)
def test_months_are_subtracted_as_people_count_them(now: str, months: int, before: str) -> None:
    assert subtract_months(datetime.fromisoformat(now), months) == datetime.fromisoformat(before)


@pytest.mark.parametrize(
    ("kind", "by", "is_silent"),
    [
        ("confirmed", "", False),
        ("preferences", "", False),
        ("moved", "", False),
        ("imported", "staff@example.org", False),
        ("preferences", "staff@example.org", True),
        ("requested", "", True),
    ],
)
def test_only_what_a_person_did_themselves_ends_their_silence(
    weekly: Publication, kind: str, by: str, *, is_silent: bool
) -> None:
    (person,) = add_silent(weekly, 1)
    record(person, kind, at=NOW - timedelta(days=30), by=by)
    assert find_silent_people(since=SINCE, now=NOW).exists() == is_silent


def test_people_who_joined_pause_or_get_no_mail_are_not_silent(weekly: Publication) -> None:
    paused, left, unconfirmed, _silent = add_silent(weekly, 4)
    add_subscribers(weekly, 1, start=9)
    Subscription.objects.filter(subscriber=paused).update(paused_until=NOW + timedelta(days=5))
    unsubscribe_from_all(subscriber=left, now=LONG_AGO, source="test")
    Subscription.objects.filter(subscriber=unconfirmed).update(basis="consent_double_opt_in", confirmed_at=None)
    assert list(find_silent_people(since=SINCE, now=NOW)) == [_silent]


def test_somebody_who_left_another_list_long_ago_is_silent_too(weekly: Publication, mailgun: FakeProvider) -> None:
    person, blocked = add_silent(weekly, 2)
    other = make_list("other")
    unsubscribe_from_list(subscriber=person, mailing_list=other, now=LONG_AGO)
    suppress(address_hash=bytes(blocked.address_hash), reason=Reason.STAFF, now=NOW, mailing_list=weekly.mailing_list)
    assert list(find_silent_people(since=SINCE, now=NOW)) == [person]
    turn_on()
    ask_and_rest(now=NOW)
    assert send_due_questions(now=NOW) == 1
    assert mailgun.mailbox(person.email)


def test_nobody_is_asked_until_it_is_turned_on(weekly: Publication) -> None:
    add_silent(weekly, 2)
    ask_and_rest(now=NOW)
    assert count_silence(since=SINCE, now=NOW).silent == 2
    MailLimits.objects.create(pk=1, mails_in_7_days=3)
    ask_and_rest(now=NOW)
    assert not StayQuestion.objects.exists()


def test_each_person_is_asked_once_and_only_so_many_on_a_day(weekly: Publication) -> None:
    add_silent(weekly, 5)
    turn_on(questions_per_day=2)
    for hours in (0, 1, 24, 48, 72):
        ask_and_rest(now=NOW + timedelta(hours=hours))
    assert StayQuestion.objects.count() == 5
    assert StayQuestion.objects.filter(asked_at=NOW).count() == 2
    asked = StayQuestion.objects.all()[0]
    with pytest.raises(IntegrityError), transaction.atomic():
        StayQuestion.objects.create(subscriber=asked.subscriber, mailing_list=asked.mailing_list, asked_at=NOW)


def test_nobody_is_asked_at_night(weekly: Publication) -> None:
    """The number of a day is free again at midnight."""
    add_silent(weekly, 3)
    turn_on(questions_per_day=1)
    counts = []
    for hours in (0, 15, 23.4, 24):
        ask_and_rest(now=NOW + timedelta(hours=hours))
        counts.append(StayQuestion.objects.count())
    assert counts == [1, 1, 1, 2]


def test_a_question_waits_for_the_end_of_a_persons_quiet_hours(weekly: Publication, mailgun: FakeProvider) -> None:
    """It is 9:30 in London and 3:30 in Houston, and 13:00 and 7:00 later."""
    Publication.objects.update(quiet_from=time(22), quiet_until=time(7))
    add_subscribers(weekly, 1)
    add_subscribers(weekly, 1, start=1, where={**HOUSTON, "zone": "America/Chicago"})
    turn_on()
    StayQuestion.objects.bulk_create(
        StayQuestion(subscriber=person, mailing_list=weekly.mailing_list, asked_at=NOW)
        for person in Subscriber.objects.all()
    )
    assert send_due_questions(now=NOW) == 1
    assert list(mailgun.accepted_counts()) == ["person0@example.com"]
    assert send_due_questions(now=NOW + timedelta(hours=3)) == 0
    assert send_due_questions(now=NOW + timedelta(hours=3.5)) == 1


def test_the_mail_has_both_buttons_and_one_click_unsubscribe(weekly: Publication, mailgun: FakeProvider) -> None:
    (person,) = add_silent(weekly, 1)
    turn_on()
    ask_and_rest(now=NOW)
    assert [send_due_questions(now=NOW) for _ in range(2)] == [1, 0]
    (mail,) = mailgun.mailbox(person.email)
    assert mail.subject == "Do you still want emails from Open Door?"
    assert mail.text.count("/stay/") == mail.text.count("/u/") == 1
    assert "/u/" in mail.headers["List-Unsubscribe"]
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_reply_to_the_question_comes_in_here(weekly: Publication, mailgun: FakeProvider, settings: Any) -> None:
    settings.NEWSLETTER_INBOUND_ADDRESS = "replies@news.example.org"
    (person,) = add_silent(weekly, 1)
    turn_on()
    ask_and_rest(now=NOW)
    send_due_questions(now=NOW)
    assert mailgun.mailbox(person.email)[0].headers["Reply-To"] == "replies@news.example.org"


@pytest.mark.parametrize("forget", [forget_unsent_questions, partial(forget_unsendable_questions, now=NOW)])
def test_questions_are_forgotten_by_one_statement_that_spares_claimed_ones(forget: Callable[[], int]) -> None:
    """If it read them first, it could delete one that was claimed in between, and the person would be asked twice."""
    with CaptureQueriesContext(connection) as queries:
        forget()
    (statement,) = [query["sql"] for query in queries]
    assert statement.startswith("DELETE")
    assert '"sent_at" IS NULL' in statement


def test_a_question_is_sent_again_if_it_failed_and_rest_begins_after_it(
    weekly: Publication, mailgun: FakeProvider
) -> None:
    add_silent(weekly, 1)
    turn_on()
    ask_and_rest(now=NOW)
    mailgun.fault_next(answer(429, b"later"))
    assert send_due_questions(now=NOW) == 0
    ask_and_rest(now=NOW + timedelta(days=60))
    assert count_excluded(weekly) == {}
    assert send_due_questions(now=NOW + timedelta(days=60)) == 1
    ask_and_rest(now=NOW + timedelta(days=80))
    assert count_excluded(weekly) == {}
    ask_and_rest(now=NOW + timedelta(days=90))
    assert count_excluded(weekly) == {"resting": 1}


_REFUSAL = answer(400, b'{"message": "to parameter is not a valid address. please check documentation"}')
_OUTAGE = answer(503)


@pytest.mark.parametrize(("fault", "attempts"), [(_REFUSAL, 1), (_OUTAGE, 1 + len(REPEATED_AFTER))])
def test_nobody_rests_whom_no_question_can_have_reached(
    weekly: Publication, mailgun: FakeProvider, fault: Fault, attempts: int
) -> None:
    add_silent(weekly, 1)
    turn_on()
    ask_and_rest(now=NOW)
    mailgun.fault_always(fault)
    for number in range(attempts):
        assert send_due_questions(now=NOW + number * timedelta(days=1, hours=1)) == 0
    assert len(mailgun.ledger) == attempts
    mailgun.fault_always(None)
    later = NOW + timedelta(days=60)
    ask_and_rest(now=later)
    assert count_excluded(weekly) == {}
    assert send_due_questions(now=later) == 0, "they are asked again when they were silent for as long once more"
    assert not has_waiting_question(now=later)


@pytest.mark.parametrize("attempts", [1, 1 + len(REPEATED_AFTER)])
def test_nobody_rests_whose_question_a_killed_process_had(weekly: Publication, attempts: int) -> None:
    add_silent(weekly, 1)
    turn_on()
    ask_and_rest(now=NOW)
    for number in range(attempts):
        assert StayQuestion.objects.get().claim(now=NOW + number * timedelta(days=1, hours=1))
    ask_and_rest(now=NOW + timedelta(days=60))
    assert count_excluded(weekly) == {}
    assert not StayQuestion.objects.open().exists()


def test_a_list_without_a_sender_keeps_no_other_question_back(
    weekly: Publication, mailgun: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silent_people, "BATCH_LIMIT", 2)
    silent = make_list("silent")
    *others, person = add_silent(weekly, 3)
    Subscription.objects.filter(subscriber__in=others).update(mailing_list=silent)
    turn_on()
    ask_and_rest(now=NOW)
    assert send_due_questions(now=NOW) == 1
    assert mailgun.mailbox(person.email)
    assert not has_waiting_question(now=NOW)


def add_older_list(people: list[Subscriber], slug: str = "older", **fields: object) -> MailingList:
    """Put people on a list that they have been on longer than on any other."""
    older = make_list(slug, **fields)
    for person in people:
        subscribe(person, older, requested_at=LONG_AGO - timedelta(days=1))
    return older


def test_the_oldest_list_that_has_a_sender_asks(weekly: Publication, mailgun: FakeProvider) -> None:
    (person,) = add_silent(weekly, 1)
    older = add_older_list([person])
    turn_on()
    ask_and_rest(now=NOW)
    assert StayQuestion.objects.get().mailing_list == weekly.mailing_list
    StayQuestion.objects.all().delete()
    make_publication(slug="older")
    ask_and_rest(now=NOW)
    assert StayQuestion.objects.get().mailing_list == older
    assert send_due_questions(now=NOW) == 1


def test_people_whose_lists_have_no_sender_take_no_place_of_others(weekly: Publication) -> None:
    people = add_silent(weekly, 3)
    Subscription.objects.filter(subscriber__in=people[:2]).update(mailing_list=make_list("silent"))
    turn_on(questions_per_day=1)
    assert count_silence(since=SINCE, now=NOW).silent == 1
    ask_and_rest(now=NOW)
    assert StayQuestion.objects.get().subscriber == people[2]


@pytest.mark.parametrize("change", ["ended", "suppressed", "publication deleted"])
def test_a_question_that_can_no_longer_be_sent_moves_to_another_list(
    weekly: Publication, mailgun: FakeProvider, change: str
) -> None:
    (person,) = add_silent(weekly, 1)
    older = add_older_list([person])
    publication = make_publication(slug="older")
    turn_on(questions_per_day=1)
    ask_and_rest(now=NOW)
    assert StayQuestion.objects.get().mailing_list == older
    match change:
        case "ended":
            Subscription.objects.filter(mailing_list=older).update(ended_at=NOW, end_reason=EndReason.STAFF)
        case "suppressed":
            suppress(address_hash=bytes(person.address_hash), reason=Reason.STAFF, now=NOW, mailing_list=older)
        case "publication deleted":
            publication.delete()
    assert send_due_questions(now=NOW) == 0
    ask_and_rest(now=NOW)
    assert send_due_questions(now=NOW) == 1
    assert StayQuestion.objects.get().mailing_list == weekly.mailing_list
    ask_and_rest(now=NOW + ANSWER_TIME)
    assert count_excluded(weekly) == {"resting": 1}


def test_a_question_that_waits_for_its_mail_stays_and_is_not_counted(weekly: Publication) -> None:
    add_silent(weekly, 2)
    turn_on(questions_per_day=1)
    ask_and_rest(now=NOW)
    question = StayQuestion.objects.get()
    ask_and_rest(now=NOW)
    assert StayQuestion.objects.get() == question
    assert count_silence(since=SINCE, now=NOW) == SilenceCount(silent=2, waiting=0, resting=0)
    StayQuestion.objects.update(sent_at=NOW)
    assert count_silence(since=SINCE, now=NOW) == SilenceCount(silent=1, waiting=1, resting=0)
    ask_and_rest(now=NOW + ANSWER_TIME)
    assert count_silence(since=SINCE, now=NOW) == SilenceCount(silent=1, waiting=0, resting=1)


def test_a_question_that_was_sent_stays_if_its_list_ends(weekly: Publication) -> None:
    (person,) = add_silent(weekly, 1)
    older = add_older_list([person])
    make_publication(slug="older")
    turn_on()
    ask_and_rest(now=NOW)
    StayQuestion.objects.update(sent_at=NOW)
    Subscription.objects.filter(mailing_list=older).update(ended_at=NOW, end_reason=EndReason.STAFF)
    ask_and_rest(now=NOW + ANSWER_TIME)
    assert StayQuestion.objects.resting().get().mailing_list == older


def test_somebody_who_has_just_unsubscribed_is_not_asked(weekly: Publication, mailgun: FakeProvider) -> None:
    (person,) = add_silent(weekly, 1)
    turn_on()
    ask_and_rest(now=NOW)
    unsubscribe_from_all(subscriber=person, now=NOW, source="test")
    assert send_due_questions(now=NOW) == 0
    assert mailgun.ledger == []


def test_turning_it_off_stops_questions_not_sent_and_wakes_nobody(weekly: Publication) -> None:
    let_rest(weekly)
    add_silent(weekly, 1, start=5)
    ask_and_rest(now=NOW + timedelta(days=40))
    MailLimits.objects.update(silent_months=None)
    assert send_due_questions(now=NOW + timedelta(days=40)) == 0
    ask_and_rest(now=NOW + timedelta(days=40))
    assert StayQuestion.objects.count() == 1
    assert count_excluded(weekly) == {"resting": 1}


def test_a_resting_person_gets_no_issue_and_staff_see_why(weekly: Publication) -> None:
    (person,) = let_rest(weekly)
    add_subscribers(weekly, 1, start=7)
    counted = count_audience(mailing_list=weekly.mailing_list, now=NOW)
    assert (counted.eligible, counted.excluded) == (1, {"resting": 1})
    why = explain_ineligible(person, mailing_list=weekly.mailing_list, now=NOW)
    assert why == "They get no newsletters, because they did not answer whether they still want mail."


@pytest.mark.parametrize("answer", ["button", "preferences", "pause", "staff"])
@pytest.mark.requirement("N9")
def test_any_action_of_a_person_ends_their_rest(weekly: Publication, answer: str) -> None:
    (person,) = let_rest(weekly)
    match answer:
        case "button":
            stay(subscriber=person, wording="Yes", now=NOW)
        case "preferences":
            save_preferences(subscriber=person, topics=[], language="es", place=None, now=NOW)
        case "pause":
            pause_mail(subscriber=person, days=30, now=NOW)
        case "staff":
            record(person, "preferences", at=NOW, by="staff@example.org")
    assert count_excluded(weekly, now=NOW + timedelta(days=31)) == ({"resting": 1} if answer == "staff" else {})


def test_signing_up_again_ends_a_rest_only_when_it_is_confirmed(weekly: Publication) -> None:
    (person,) = let_rest(weekly)
    asked = request_subscription(
        SignupRequest(email=person.email, mailing_list=weekly.mailing_list, wording="Send me", source="form"), now=NOW
    )
    assert asked is SignupResult.ASKED
    assert count_excluded(weekly) == {"resting": 1}
    target = LinkTarget(person.uuid, weekly.mailing_list.public_id, NOW)
    assert confirm_subscription(target=target, now=NOW) is ConfirmationResult.NOW
    assert count_excluded(weekly) == {}
    assert confirm_subscription(target=target, now=NOW) is ConfirmationResult.BEFORE


def test_after_an_answer_a_person_is_silent_again_only_much_later(weekly: Publication) -> None:
    (person,) = let_rest(weekly)
    stay(subscriber=person, wording="Yes", now=NOW)
    assert not find_silent_people(since=SINCE, now=NOW).exists()
    later = NOW + timedelta(days=800)
    assert find_silent_people(since=subtract_months(later, 24), now=later).exists()


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_mailed_before_skips_who_began_to_rest(weekly: Publication) -> None:
    make_story("The clinic opens its doors")
    (person,) = add_subscribers(weekly, 1)
    batch = start_send(issue=make_issue(weekly, approved=True), now=NOW).batches.get()

    def count_mailable() -> int:
        return len(find_batch_recipients(batch, issue=batch.send.issue, now=NOW).mailable)

    assert count_mailable() == 1
    sent_at = NOW - ANSWER_TIME
    StayQuestion.objects.create(
        subscriber=person, mailing_list=weekly.mailing_list, asked_at=sent_at, sent_at=sent_at, resting_since=NOW
    )
    assert count_mailable() == 0
    StayQuestion.objects.update(answered_at=NOW)
    assert count_mailable() == 1


def test_a_command_counts_silent_people_and_changes_nothing(
    weekly: Publication, capsys: pytest.CaptureFixture[str]
) -> None:
    add_silent(weekly, 3)
    call_command("subscribers", "silent", "--months", "24")
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "Silent for 24 months and not asked yet: 3",
        "Asked, without an answer yet: 0",
        "Resting, because they did not answer: 0",
    ]
    call_command("subscribers", "silent", "--months", "24", "--json")
    assert json.loads(capsys.readouterr().out) == {"months": 24, "silent": 3, "waiting": 0, "resting": 0}
    assert not StayQuestion.objects.exists()
    with pytest.raises(CommandError, match="Nobody can have been silent for 0 months"):
        call_command("subscribers", "silent", "--months", "0")
