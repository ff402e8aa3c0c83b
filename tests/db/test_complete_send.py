"""Correct a cancelled issue and send it to those not reached: once, by the rows of the cancelled send."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from newsletter.common.errors import NotAllowed, NotApproved, NotReady, WrongState
from newsletter.desk.content.stories import origin_panel_context
from newsletter.feedback.explaining.explain_issue import explain_issue
from newsletter.feedback.explaining.rebuild_mail import Match, rebuild_mail
from newsletter.feedback.sent_mails import list_missed_mails
from newsletter.issues.approval.approval_rules import count_recipients
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.corrections.correct_mistake import correct_mistake
from newsletter.issues.corrections.people_of_story import find_reach
from newsletter.issues.planning.close_issue import close_issue
from newsletter.issues.planning.complete_send import complete_send
from newsletter.issues.variants.unreached import find_unreached
from newsletter.models import Attempt, Batch, Delivery, DeliveryException, Issue, Send, Story, StoryPlacement
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.limits.split_batches import split_off
from newsletter.sending.settling.mark_uncertain_after_restore import mark_open_batches_uncertain
from newsletter.sending.settling.receipt import list_deliveries, make_receipt
from newsletter.sending.settling.retention import delete_old_deliveries
from newsletter.sending.settling.send_controls import cancel_send
from subscribers.models import Segment, Subscriber
from subscribers.segments.compile import compile_rule
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_list
from tests.support.desk import sign_in
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import NOW, add_subscribers, make_approver
from tests.support.sends import Clock, make_ready_issue, start_send

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mailgun(fake_provider: FakeProvider, settings: object) -> FakeProvider:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url + "&max_batch=10"  # type: ignore[attr-defined]
    return fake_provider


@pytest.fixture
def cancelled(mailgun: FakeProvider) -> Issue:
    """An issue of 25 people: ten have it, ten are uncertain, and five were not reached when it was cancelled."""
    issue = make_ready_issue(recipients=25)
    send = start_send(issue=issue, now=NOW)
    first, second, _third = send.batches.order_by("seq")
    Dispatcher(adapter=current_adapter(), clock=lambda: NOW).dispatch(first.pk)
    Attempt.objects.create(batch=second, number=1, people=10, started_at=NOW, ended_at=NOW, outcome="uncertain")
    Batch.objects.filter(pk=second.pk).update(state="uncertain", attempt_number=1)
    cancel_send(send=Send.objects.get(), by=make_approver(), now=NOW)
    return Issue.objects.get()


def approve_and_send(issue: Issue, *, now: Clock | None = None) -> Send:
    clock = now or Clock()
    approve_issue(issue=issue, by=make_approver(), now=clock())
    send = start_send(issue=Issue.objects.get(pk=issue.pk), now=clock())
    return run_send(send=send, adapter=current_adapter(), clock=clock, sleep=clock.nap)


def test_parts_of_a_batch_that_may_be_taken_are_not_unreached(mailgun: FakeProvider) -> None:
    """A part has no attempts of its own, but an earlier call of the whole batch may have mailed its people."""
    send = start_send(issue=make_ready_issue(recipients=25), now=NOW)
    first = send.batches.order_by("seq")[0]
    people = list(first.deliveries.order_by("pk").values_list("pk", flat=True))
    split_off(batch=first, deliveries=people[:4], not_before=None, handed_to="default")
    Batch.objects.filter(pk=first.pk).update(state="accepted", handed_to="default")
    cancel_send(send=Send.objects.get(), by=make_approver(), now=NOW)
    receipt = make_receipt(Send.objects.get())
    assert (receipt.deliveries["uncertain"], receipt.deliveries["skipped"]) == (4, 15)
    complete_send(issue=Issue.objects.get(), by=make_approver(), now=NOW)
    assert not find_unreached(send.issue_id).filter(pk__in=people).exists()
    assert find_unreached(send.issue_id).count() == 15


@pytest.mark.requirement("I2")
def test_people_not_reached_get_the_corrected_issue_once(cancelled: Issue, mailgun: FakeProvider) -> None:
    rows = set(Delivery.objects.values_list("pk", "issue"))
    made = complete_send(issue=cancelled, by=make_approver(), now=NOW)
    assert (made.state, made.subject, made.slot_id) == ("draft", cancelled.subject, None)
    made.subject = "The corrected subject"
    made.save()
    assert count_recipients(made, now=NOW) == 5
    send = approve_and_send(made)
    assert mailgun.accepted_counts() == {f"person{number}@example.com": 1 for number in [*range(10), *range(20, 25)]}
    assert {batch.variant.subject for batch in send.batches.all()} == {"The corrected subject"}
    assert (send.state, send.recipients) == ("submitted", 5)
    assert set(Delivery.objects.values_list("pk", "issue")) == rows


@pytest.mark.requirement("I1")
def test_both_receipts_account_for_everybody(cancelled: Issue, mailgun: FakeProvider) -> None:
    old = cancelled.sends.get()
    assert make_receipt(old).cancelled == 5
    new = approve_and_send(complete_send(issue=cancelled, by=make_approver(), now=NOW))
    old.refresh_from_db()
    first, second = make_receipt(old), make_receipt(new)
    assert (first.candidates, first.recipients, first.excluded) == (25, 20, {"sent_by_completion": 5})
    assert first.deliveries == {"pending": 0, "accepted": 10, "rejected": 0, "skipped": 0, "uncertain": 10}
    assert first.cancelled == 0
    assert (second.candidates, second.recipients, second.excluded) == (5, 5, {})
    assert second.deliveries == {"pending": 0, "accepted": 5, "rejected": 0, "skipped": 0, "uncertain": 0}
    people = [row[1] for send in (old, new) for row in list_deliveries(send)]
    assert len(people) == len(set(people)) == 25
    for send in (old, new):
        assert all(batch.size == batch.deliveries.count() for batch in send.batches.all())


def test_people_who_may_have_a_story_count_for_the_issue_sent_first(cancelled: Issue, mailgun: FakeProvider) -> None:
    made = complete_send(issue=cancelled, by=make_approver(), now=NOW)
    approve_and_send(made)
    assert [(reach.issue, reach.people) for reach in find_reach(Story.objects.all()[0])] == [(cancelled, 25)]


def test_the_corrected_issue_is_explained_to_those_who_got_it(cancelled: Issue, mailgun: FakeProvider) -> None:
    made = complete_send(issue=cancelled, by=make_approver(), now=NOW)
    made.subject = "The corrected subject"
    made.save()
    approve_and_send(made)
    person = Subscriber.objects.get(email="person21@example.com")
    for issue in (made, cancelled):
        assert explain_issue(issue, person=person, now=NOW).outcome == "Accepted by the provider"
        rebuilt = rebuild_mail(issue, person=person)
        assert (rebuilt.subject, rebuilt.match) == ("The corrected subject", Match.EXACT)
    assert list_missed_mails(person) == []
    page = sign_in("data").get(f"/admin/people/{person.pk}/issues/{cancelled.pk}/mail/").content.decode()
    assert f"They got it in {made}, which completes this send." in page
    assert f"/admin/people/{person.pk}/issues/{made.pk}/mail/mail/" in page


def test_whoever_left_since_is_excluded_and_counted(cancelled: Issue, mailgun: FakeProvider) -> None:
    mailing_list = cancelled.publication.mailing_list
    unsubscribe_from_list(
        subscriber=Subscriber.objects.get(email="person21@example.com"), mailing_list=mailing_list, now=NOW
    )
    made = complete_send(issue=cancelled, by=make_approver(), now=NOW)
    new = approve_and_send(made)
    receipt = make_receipt(new)
    assert (receipt.candidates, receipt.recipients, receipt.excluded) == (5, 4, {"not_on_the_list": 1})
    old = make_receipt(cancelled.sends.get())
    assert (old.recipients, old.excluded, old.cancelled) == (21, {"sent_by_completion": 4}, 1)


def test_newcomers_do_not_get_it(cancelled: Issue, mailgun: FakeProvider) -> None:
    add_subscribers(cancelled.publication, 3, start=100)
    made = complete_send(issue=cancelled, by=make_approver(), now=NOW)
    assert count_recipients(made, now=NOW) == 5
    approve_and_send(made)
    assert "person100@example.com" not in mailgun.accepted_counts()


def test_the_approval_of_the_cancelled_issue_does_not_count(cancelled: Issue) -> None:
    made = complete_send(issue=cancelled, by=make_approver(), now=NOW)
    with pytest.raises(NotApproved):
        start_send(issue=made, now=NOW)


def test_a_person_is_skipped_who_changed_to_an_address_that_has_it(cancelled: Issue, mailgun: FakeProvider) -> None:
    """The address of somebody who was mailed and then erased may come back under another subscriber."""
    had, waiting = (
        Subscriber.objects.get(email="person3@example.com"),
        Subscriber.objects.get(email="person22@example.com"),
    )
    address_hash = bytes(had.address_hash)
    had.delete()
    Subscriber.objects.filter(pk=waiting.pk).update(email="person3@example.com", address_hash=address_hash)
    approve_and_send(complete_send(issue=cancelled, by=make_approver(), now=NOW))
    assert mailgun.accepted_counts()["person3@example.com"] == 1
    assert DeliveryException.objects.get(delivery__subscriber_id=waiting.pk).code == "already_mailed"


def test_a_second_call_returns_the_same_draft(cancelled: Issue) -> None:
    made = complete_send(issue=cancelled, by=make_approver(), now=NOW)
    assert complete_send(issue=cancelled, by=make_approver(), now=NOW) == made
    with pytest.raises(IntegrityError), transaction.atomic():
        Issue.objects.create(publication=made.publication, completes=cancelled, number=99, public_id="x", made_at=NOW)
    close_issue(issue=made, reason="A mistake", by=make_approver(), now=NOW)
    assert complete_send(issue=cancelled, by=make_approver(), now=NOW) != made


def test_a_completion_that_is_cancelled_is_completed_again(cancelled: Issue, mailgun: FakeProvider) -> None:
    made = complete_send(issue=cancelled, by=make_approver(), now=NOW)
    approve_issue(issue=made, by=make_approver(), now=NOW)
    cancel_send(send=start_send(issue=Issue.objects.get(pk=made.pk), now=NOW), by=make_approver(), now=NOW)
    with pytest.raises(NotReady, match="nobody left"):
        complete_send(issue=cancelled, by=make_approver(), now=NOW)
    again = complete_send(issue=Issue.objects.get(pk=made.pk), by=make_approver(), now=NOW)
    approve_and_send(again)
    assert sum(mailgun.accepted_counts().values()) == 15
    assert set(mailgun.accepted_counts().values()) == {1}


def test_was_sent_names_the_people_of_every_part(cancelled: Issue, mailgun: FakeProvider) -> None:
    made = complete_send(issue=cancelled, by=make_approver(), now=NOW)
    approve_and_send(made)
    counts = []
    for issue in (cancelled, made):
        segment = Segment(rule={"received": issue.reference})
        counts.append(Subscriber.objects.filter(compile_rule(segment.rule)).count())
    assert counts == [25, 5]


def test_an_open_call_or_nobody_left_refuses(cancelled: Issue) -> None:
    Batch.objects.filter(state="accepted").update(state="submitting")
    with pytest.raises(WrongState, match="no result yet"):
        complete_send(issue=cancelled, by=make_approver(), now=NOW)
    Batch.objects.filter(state="submitting").update(state="accepted")
    Batch.objects.filter(state="pending").update(state="rejected")
    with pytest.raises(NotReady, match="nobody left"):
        complete_send(issue=cancelled, by=make_approver(), now=NOW)


def test_only_a_cancelled_issue_is_completed_and_only_by_editors(cancelled: Issue) -> None:
    nobody = type(make_approver()).objects.create(username="zoe@example.org")
    with pytest.raises(NotAllowed):
        complete_send(issue=cancelled, by=nobody, now=NOW)
    Issue.objects.update(state="sent")
    with pytest.raises(WrongState, match="no cancelled send"):
        complete_send(issue=Issue.objects.get(), by=make_approver(), now=NOW)


def test_rows_that_were_deleted_are_not_sent(cancelled: Issue) -> None:
    made = complete_send(issue=cancelled, by=make_approver(), now=NOW)
    delete_old_deliveries(now=NOW + timedelta(days=91))
    with pytest.raises(NotReady):
        approve_issue(issue=made, by=make_approver(), now=NOW + timedelta(days=91))


def test_a_restored_backup_offers_nobody_who_may_have_it_since(cancelled: Issue) -> None:
    mark_open_batches_uncertain(now=NOW)
    with pytest.raises(NotReady, match="nobody left"):
        complete_send(issue=cancelled, by=make_approver(), now=NOW)
    assert make_receipt(cancelled.sends.get()).deliveries["uncertain"] == 15


def test_a_story_that_nobody_got_belongs_to_the_issue_that_completes(mailgun: FakeProvider) -> None:
    issue = make_ready_issue(recipients=3)
    cancel_send(send=start_send(issue=issue, now=NOW), by=make_approver(), now=NOW)
    made = complete_send(issue=Issue.objects.get(), by=make_approver(), now=NOW)
    assert StoryPlacement.objects.get().issue == made
    approve_and_send(made)
    assert set(mailgun.accepted_counts().values()) == {1}
    assert StoryPlacement.objects.get().issue == made
    shown = origin_panel_context(Story.objects.get())
    assert (shown["sent_issues"], shown["fixed_issues"]) == ([issue], [])


def test_a_story_that_some_people_got_stays_with_the_cancelled_issue(cancelled: Issue) -> None:
    made = complete_send(issue=cancelled, by=make_approver(), now=NOW)
    made.body = [("note", {"heading": "", "text": "<p>We corrected this.</p>"})]
    made.save()
    approve_issue(issue=Issue.objects.get(pk=made.pk), by=make_approver(), now=NOW)
    assert StoryPlacement.objects.get().issue == cancelled


def test_the_rest_of_a_cancelled_correction_is_reached_once(mailgun: FakeProvider) -> None:
    """Ten of 25 people got the correction before its send was cancelled. They do not get it again."""
    sent = make_ready_issue(recipients=25)
    clock = Clock()
    run_send(send=start_send(issue=sent, now=NOW), adapter=current_adapter(), clock=clock, sleep=clock.nap)
    sent.refresh_from_db()
    correction = correct_mistake(issue=sent, text="It starts at ten.", by=make_approver(), now=NOW)
    approve_issue(issue=correction, by=make_approver(), now=NOW)
    send = start_send(issue=Issue.objects.get(pk=correction.pk), now=NOW)
    Dispatcher(adapter=current_adapter(), clock=lambda: NOW).dispatch(send.batches.earliest("seq").pk)
    cancel_send(send=Send.objects.get(pk=send.pk), by=make_approver(), now=NOW)
    correction.refresh_from_db()
    approve_and_send(complete_send(issue=correction, by=make_approver(), now=NOW))
    assert mailgun.accepted_counts() == {f"person{number}@example.com": 2 for number in range(25)}
