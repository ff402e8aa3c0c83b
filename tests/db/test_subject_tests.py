"""Subject tests: who gets which subject when, what decides, and that nobody is mailed twice or skipped."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction

from newsletter.common.errors import NotAllowed, NotReady, WrongState
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.approval.authors import find_authors
from newsletter.issues.planning.subject_test import remove_subject_test
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.variants.recipient_groups import find_candidates
from newsletter.issues.variants.subject_assignment import WAITS
from newsletter.issues.variants.subject_test_rules import BadSubject
from newsletter.jobs.heartbeat import find_trouble
from newsletter.models import Batch, Delivery, DeliveryException, Issue, Publication, Send, SubjectTest, Variant
from newsletter.sending.freezing.start import start_send
from newsletter.sending.limits.send_times import is_stale
from newsletter.sending.settling.receipt import make_receipt
from newsletter.sending.settling.send_controls import (
    cancel_send,
    pause_send,
    resume_send,
)
from newsletter.sending.subject_tests import decide_subject
from newsletter.sending.subject_tests.chi_squared import Cases, compute_p_value
from newsletter.sending.subject_tests.decide_subject import decide_by_staff, decide_due_tests
from newsletter.sending.withdraw_story import withdraw_story
from subscribers.links.signed_links import LinkTarget
from subscribers.models import Reply, Subscriber, Subscription
from subscribers.people.replies import record_reply
from subscribers.unsubscribing.one_click import unsubscribe_batch
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_list
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story
from tests.support.protected_terms import protect
from tests.support.subject_tests import (
    HOURS,
    PEOPLE,
    SECOND,
    SEED,
    choose_arm,
    count_clicks,
    make_tested_issue,
    read_subjects,
    reload,
    set_test,
    start_tested_send,
    work_at,
)

pytestmark = pytest.mark.django_db(transaction=True)
FIRST = "The first verdict"
DECISION = NOW + timedelta(hours=HOURS)


@pytest.fixture
def mailgun(fake_provider: FakeProvider, settings: object) -> FakeProvider:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url + "&max_batch=200"  # type: ignore[attr-defined]
    return fake_provider


@pytest.fixture
def counting(publication: Publication) -> Publication:
    """The publication, which counts clicks."""
    Publication.objects.update(clicks="counts")
    publication.refresh_from_db()
    return publication


@pytest.fixture
def issue(counting: Publication) -> Issue:
    return make_tested_issue(counting)


@pytest.fixture
def running(mailgun: FakeProvider, counting: Publication) -> Send:
    """A send whose tested subjects have gone out."""
    send = start_tested_send(counting)
    work_at(send, NOW)
    return send


def decide(running: Send, *clicks: int) -> SubjectTest:
    count_clicks(running.issue, *clicks)
    work_at(running, DECISION)
    return SubjectTest.objects.get()


def test_the_database_counts_the_same_arms_as_python(issue: Issue) -> None:
    content = resolve_content(issue)
    rows = find_candidates(issue, content=content, now=NOW, at_once=True).values_list("subscriber_id", "arm_ref")
    assert len(rows) == PEOPLE
    assert dict(rows) == {pk: choose_arm(content.subject_test, subscriber_id=pk) for pk, _arm in rows}


def test_each_subject_is_sent_and_the_others_wait(running: Send, mailgun: FakeProvider) -> None:
    people = read_subjects(running)
    assert people[FIRST] >= 500
    assert people[SECOND] >= 500
    assert people[FIRST] + people[SECOND] == len(mailgun.accepted_counts())
    assert people.total() == PEOPLE == make_receipt(running).recipients
    assert make_receipt(running).deliveries["pending"] == people[""]
    assert running.state == Send.State.SUBMITTING
    work_at(running, DECISION - timedelta(minutes=1))
    assert read_subjects(running) == people


@pytest.mark.requirement("N11")
def test_the_better_subject_goes_to_the_others(running: Send, mailgun: FakeProvider) -> None:
    before = read_subjects(running)
    test = decide(running, 20, 60)
    assert (test.outcome, test.winner, test.measure) == ("better", 2, "clicks")
    assert [result["responses"] for result in test.results] == [20, 60]
    assert [result["people"] for result in test.results] == [before[FIRST], before[SECOND]]
    after = read_subjects(running)
    assert after == {FIRST: before[FIRST], SECOND: before[SECOND] + before[""]}
    assert len(mailgun.accepted_counts()) == PEOPLE
    assert set(mailgun.accepted_counts().values()) == {1}
    assert running.state == Send.State.SUBMITTED
    assert make_receipt(running).deliveries["accepted"] == PEOPLE


@pytest.mark.requirement("N11")
def test_without_a_difference_the_first_subject_is_sent(running: Send) -> None:
    before = read_subjects(running)
    test = decide(running, 30, 36)
    assert (test.outcome, test.winner) == ("no_difference", 1)
    assert read_subjects(running) == {FIRST: before[FIRST] + before[""], SECOND: before[SECOND]}


@pytest.fixture
def uncounted(publication: Publication, mailgun: FakeProvider) -> Send:
    """A send of a publication that counts no clicks, whose tested subjects have gone out."""
    send = start_send(issue=make_tested_issue(publication), now=NOW)
    work_at(send, NOW)
    return send


def list_tested(subject: str, count: int) -> list[int]:
    """Return people who got this subject."""
    tested = Delivery.objects.filter(batch__variant__subject=subject, batch__waits=False).order_by("pk")
    return list(tested.values_list("subscriber_id", flat=True)[:count])


def decide_uncounted(send: Send) -> tuple[str, str, int | None, list[int]]:
    """Return the measure, the outcome, the winner and the responses."""
    work_at(send, DECISION)
    test = SubjectTest.objects.get()
    return test.measure, test.outcome, test.winner, [result["responses"] for result in test.results]


def reply_to(issue: Issue, people: list[int]) -> None:
    for person in Subscriber.objects.filter(pk__in=people):
        record_reply(
            subscriber=person, replied_on=NOW.date(), issue=issue.pk, origin=Reply.Origin.STAFF, by="kim", now=NOW
        )


@pytest.mark.requirement("N11")
def test_the_subject_with_more_replies_goes_to_the_others(uncounted: Send) -> None:
    reply_to(uncounted.issue, list_tested(FIRST, 5) + list_tested(SECOND, 30))
    assert decide_uncounted(uncounted) == ("replies", "better", 2, [5, 30])


def test_only_replies_to_this_issue_decide(uncounted: Send) -> None:
    for person in Subscriber.objects.filter(pk__in=list_tested(SECOND, 30)):
        record_reply(subscriber=person, replied_on=NOW.date(), issue=None, origin=Reply.Origin.STAFF, by="kim", now=NOW)
    assert decide_uncounted(uncounted) == ("leaving", "no_difference", 1, [0, 0])


def test_fewer_people_leave_by_the_better_subject_without_clicks(uncounted: Send) -> None:
    leaving = Delivery.objects.filter(subscriber_id__in=list_tested(FIRST, 25))
    DeliveryException.objects.bulk_create(DeliveryException(delivery=one, at=NOW, complained_at=NOW) for one in leaving)
    reply_to(uncounted.issue, list_tested(FIRST, 6) + list_tested(SECOND, 7))
    assert decide_uncounted(uncounted) == ("leaving", "better", 2, [25, 0])


def test_each_person_who_unsubscribes_by_a_link_counts_once(uncounted: Send) -> None:
    leaving = list_tested(FIRST, 25)
    mailing_list = uncounted.issue.publication.mailing_list
    for person in Subscriber.objects.filter(pk__in=leaving):
        target = LinkTarget(person.uuid, mailing_list.public_id, NOW, mailing=uncounted.pk)
        unsubscribe_batch([target], now=NOW)
        unsubscribe_batch([target], now=NOW)
    twice = Delivery.objects.filter(subscriber_id__in=leaving[:5])
    DeliveryException.objects.bulk_create(DeliveryException(delivery=one, at=NOW, complained_at=NOW) for one in twice)
    assert decide_uncounted(uncounted) == ("leaving", "better", 2, [25, 0])


def test_replies_and_leavings_share_the_chance_of_an_error(uncounted: Send) -> None:
    people = read_subjects(uncounted)
    few = Cases(people[FIRST], 14)
    p_values = ((more, compute_p_value(few, Cases(people[SECOND], more))) for more in range(15, 100))
    more = next(number for number, p_value in p_values if p_value is not None and 0.025 < p_value < 0.05)
    reply_to(uncounted.issue, list_tested(FIRST, 14) + list_tested(SECOND, more))
    assert decide_uncounted(uncounted) == ("leaving", "no_difference", 1, [0, 0])


@pytest.mark.requirement("N11")
def test_staff_choose_a_subject_earlier_and_only_once(running: Send) -> None:
    before = read_subjects(running)
    decide_by_staff(send=running, subject=2, by=make_approver(), now=NOW + timedelta(hours=1))
    work_at(running, NOW + timedelta(hours=1))
    test = SubjectTest.objects.get()
    assert (test.outcome, test.winner, test.decided_at) == ("by_staff", 2, NOW + timedelta(hours=1))
    assert read_subjects(running)[SECOND] == before[SECOND] + before[""]
    with pytest.raises(WrongState):
        decide_by_staff(send=running, subject=1, by=make_approver(), now=DECISION)
    work_at(running, DECISION)
    assert SubjectTest.objects.get().winner == 2


def test_nobody_without_the_right_role_chooses_a_subject(running: Send, django_user_model: type) -> None:
    writer = django_user_model.objects.create(username="writer")
    with pytest.raises(NotAllowed):
        decide_by_staff(send=running, subject=2, by=writer, now=NOW)
    with pytest.raises(WrongState):
        decide_by_staff(send=running, subject=3, by=make_approver(), now=NOW)
    assert SubjectTest.objects.get().decided_at is None


def test_a_paused_send_is_not_decided_before_it_is_resumed(running: Send) -> None:
    pause_send(send=running, by=make_approver())
    work_at(running, DECISION)
    assert SubjectTest.objects.get().decided_at is None
    resume_send(send=running, by=make_approver())
    work_at(running, DECISION + timedelta(minutes=1))
    assert running.state == Send.State.SUBMITTED
    assert read_subjects(running)[""] == 0


def test_a_cancelled_send_decides_nothing_and_adds_up(running: Send) -> None:
    waiting = read_subjects(running)[""]
    cancel_send(send=running, by=make_approver(), now=NOW)
    work_at(running, DECISION)
    assert SubjectTest.objects.get().decided_at is None
    receipt = make_receipt(running)
    assert receipt.deliveries["skipped"] == waiting
    assert sum(receipt.deliveries.values()) == PEOPLE


def test_a_person_who_unsubscribes_while_waiting_gets_no_mail(running: Send, mailgun: FakeProvider) -> None:
    waiting = Delivery.objects.filter(batch__waits=True).order_by("pk")[0]
    person = Subscriber.objects.get(pk=waiting.subscriber_id)
    unsubscribe_from_list(subscriber=person, mailing_list=running.issue.publication.mailing_list, now=NOW)
    decide(running, 20, 60)
    assert person.email not in mailgun.accepted_counts()
    assert make_receipt(running).deliveries["skipped"] == 1
    assert len(mailgun.accepted_counts()) == PEOPLE - 1


def test_a_withdrawn_story_stops_those_who_wait(running: Send) -> None:
    story = running.issue.placements.get().story
    by = make_approver()
    by.user_permissions.add(Permission.objects.get(codename="change_story"))
    withdraw_story(story=story, by=type(by).objects.get(pk=by.pk), reason="They asked us to.", now=NOW)
    running.refresh_from_db()
    assert running.state == Send.State.PAUSED
    assert read_subjects(running)[""] > 0


def test_a_second_freeze_gives_everybody_the_same_subject(mailgun: FakeProvider, issue: Issue) -> None:
    start_send(issue=issue, now=NOW)
    arms = dict(Delivery.objects.values_list("subscriber_id", "batch__variant__label_facts"))
    test = resolve_content(issue).subject_test
    assert {pk: facts[0]["arm"] for pk, facts in arms.items()} == {
        pk: choose_arm(test, subscriber_id=pk) for pk in arms
    }
    assert WAITS in {facts[0]["arm"] for facts in arms.values()}


def test_a_send_that_waits_is_neither_late_nor_stalled(running: Send) -> None:
    Publication.objects.update(stale_hours=1)
    issue = reload(running.issue)
    last_moment = max(issue.due_at or NOW, NOW) + timedelta(hours=1 + HOURS)
    running.refresh_from_db()
    assert find_trouble(now=DECISION - timedelta(minutes=1)) == ""
    running.issue = issue
    assert not is_stale(running, now=last_moment - timedelta(minutes=1))
    assert is_stale(running, now=last_moment)


def test_readers_of_a_further_language_are_in_no_test(publication: Publication) -> None:
    Publication.objects.update(languages=["es"])
    publication.refresh_from_db()
    issue = make_tested_issue(publication, approved=False)
    person = Subscriber.objects.order_by("pk")[0]
    Subscriber.objects.filter(pk=person.pk).update(language="es-MX")
    content = resolve_content(issue)
    assert content.versions == ()
    spanish = replace(content, versions=(replace(content, publication=replace(content.publication, language="es")),))
    rows = find_candidates(issue, content=spanish, now=NOW, at_once=True)
    assert rows.get(subscriber=person).arm_ref == 0


def test_a_decision_repeated_by_another_machine_changes_nothing(running: Send) -> None:
    count_clicks(running.issue, 20, 60)
    assert len(decide_due_tests(now=DECISION)) == 1
    batches = list(Batch.objects.order_by("pk").values_list("variant", "part", "waits", "due_at"))
    assert decide_due_tests(now=DECISION + timedelta(minutes=5)) == []
    assert list(Batch.objects.order_by("pk").values_list("variant", "part", "waits", "due_at")) == batches


def test_every_subject_is_approved_and_a_change_withdraws_it(issue: Issue) -> None:
    assert issue.state == Issue.State.APPROVED
    assert set_test(issue, "Another second subject")
    assert reload(issue).state != Issue.State.APPROVED
    approve_issue(issue=reload(issue), by=make_approver(), now=NOW)
    assert remove_subject_test(issue=reload(issue), by=make_approver(), now=NOW)
    assert reload(issue).state != Issue.State.APPROVED
    assert not SubjectTest.objects.exists()


def test_whoever_sets_up_a_test_is_an_author_of_the_issue(issue: Issue) -> None:
    assert make_approver().pk in find_authors(issue)


def test_a_protected_term_in_a_tested_subject_stops_the_issue(issue: Issue) -> None:
    protect("What one signature")
    with pytest.raises(NotReady, match="protected term"):
        start_send(issue=issue, now=NOW)


@pytest.mark.long
def test_a_decision_that_fails_half_way_changes_nothing(running: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> list[dict[str, int]]:
        raise RuntimeError

    before = list(Batch.objects.order_by("pk").values_list("variant", "part", "waits", "due_at"))
    monkeypatch.setattr(decide_subject, "_make_results", fail)
    with pytest.raises(RuntimeError):
        decide_due_tests(now=DECISION)
    assert list(Batch.objects.order_by("pk").values_list("variant", "part", "waits", "due_at")) == before
    assert SubjectTest.objects.get().decided_at is None
    monkeypatch.undo()
    work_at(running, DECISION)
    assert make_receipt(running).deliveries["accepted"] == PEOPLE


def test_the_mails_of_two_subjects_show_the_same_blocks(issue: Issue) -> None:
    variants = {one.label_facts[0]["arm"]: one for one in Variant.objects.all()}
    assert {arm: one.subject for arm, one in variants.items()} == {1: FIRST, 2: SECOND, WAITS: FIRST}
    shown = [sorted(one.shown_items.values_list("kind", "row_id")) for one in variants.values()]
    assert shown[0] == shown[1] == shown[2] != []
    assert "subject=2" in variants[2].html
    assert "subject=" not in variants[WAITS].html


def test_a_changed_test_keeps_its_seed(issue: Issue) -> None:
    set_test(issue, "Another second subject")
    assert SubjectTest.objects.get().seed == SEED


@pytest.mark.parametrize("subject", [FIRST, " the FIRST  verdict", "", "x" * 301, "Hello {{ nobody }}"])
def test_a_subject_that_cannot_be_used_is_refused(issue: Issue, subject: str) -> None:
    with pytest.raises(BadSubject) as refused:
        set_test(issue, subject)
    assert refused.value.number == 2
    assert SubjectTest.objects.get().subjects[0]["subject"] == SECOND


def test_a_subject_edited_to_equal_another_cannot_be_approved(issue: Issue) -> None:
    Issue.objects.filter(pk=issue.pk).update(subject=SECOND, state="draft")
    with pytest.raises(NotReady, match="says the same"):
        approve_issue(issue=reload(issue), by=make_approver(), now=NOW)


def test_too_few_people_for_a_subject_are_refused(publication: Publication) -> None:
    make_story(FIRST)
    add_subscribers(publication, 900)
    with pytest.raises(NotReady, match="Too few people"):
        set_test(make_issue(publication))
    assert not SubjectTest.objects.exists()


def test_an_issue_by_readers_hours_cannot_test_subjects(issue: Issue) -> None:
    SubjectTest.objects.all().delete()
    Publication.objects.update(send_at="local")
    with pytest.raises(NotReady, match="own hour"):
        set_test(issue)


def test_a_test_on_an_audience_that_shrank_sends_the_first(issue: Issue, mailgun: FakeProvider) -> None:
    gone = list(Subscriber.objects.order_by("pk").values_list("pk", flat=True)[:600])
    Subscription.objects.filter(subscriber__in=gone).update(ended_at=NOW, end_reason="unsubscribe")
    send = start_send(issue=issue, now=NOW)
    work_at(send, NOW)
    test = decide(send, 20, 60)
    assert (test.outcome, test.winner) == ("too_few", 1)
    assert make_receipt(send).deliveries["accepted"] == PEOPLE - 600


def test_readers_of_events_only_are_in_no_test(issue: Issue) -> None:
    person = Subscriber.objects.order_by("pk")[0]
    Subscription.objects.filter(subscriber=person).update(frequency="events")
    rows = find_candidates(issue, content=resolve_content(issue), now=NOW, at_once=True)
    assert rows.get(subscriber=person).arm_ref == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"share_percent": 4},
        {"share_percent": 51},
        {"wait_hours": 0},
        {"wait_hours": 49},
        {"number_of_subjects": 5},
        {"number_of_subjects": 3},
        {"subjects": [{"subject": "One"}, {"subject": "Two"}]},
        {"winner": 2},
        {"outcome": "no_difference", "measure": "clicks", "winner": 2, "decided_at": NOW},
        {"outcome": "better", "measure": "clicks", "winner": 3, "decided_at": NOW},
    ],
)
def test_the_database_refuses_an_impossible_test(issue: Issue, changes: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        SubjectTest.objects.update(**changes)
