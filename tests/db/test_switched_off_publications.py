"""A switched-off publication assembles, approves and sends nothing, whatever state its issues have."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from newsletter.common.errors import SwitchedOff
from newsletter.issues.approval.approve import approve_by_policy, approve_issue
from newsletter.issues.assembly.assemble import assemble_slot
from newsletter.issues.assembly.overdue import find_overdue
from newsletter.issues.assembly.reassemble import reassemble_issue
from newsletter.issues.assembly.slots import find_slots_to_assemble, get_or_create_slot
from newsletter.issues.corrections.correct import announce_change
from newsletter.jobs.confirmation_mails import find_sender
from newsletter.jobs.scheduler_jobs import assemble_due, start_due_sends
from newsletter.models import Batch, Issue, Publication, Send, Slot
from newsletter.models.sending.automatic_pauses import AutomaticPause
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.batch_claim import claim_batch, find_due_batches
from newsletter.sending.freezing.freeze import freeze_audience
from newsletter.sending.freezing.start import prepare_requested_sends, request_send, start_send
from newsletter.sending.limits.send_window import enforce_send_window
from newsletter.sending.settling.send_controls import resume_send
from newsletter.sending.settling.uncertain_batches import send_again
from tests.support.fixtures import (
    DUE,
    NOW,
    add_subscribers,
    make_approver,
    make_event,
    make_issue,
    make_publication,
    make_story,
)

pytestmark = pytest.mark.django_db(transaction=True)
SLOT = NOW + timedelta(days=1)


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    return make_issue(publication)


@pytest.fixture
def approved(issue: Issue) -> Issue:
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    return issue


def switch(*, on: bool) -> None:
    Publication.objects.update(enabled=on)


def read(issue: Issue) -> Issue:
    return Issue.objects.select_related("publication", "slot").get(pk=issue.pk)


def test_an_earlier_slot_is_not_assembled(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    slot = get_or_create_slot(publication=publication, due=DUE, now=NOW)
    switch(on=False)
    assert assemble_due(now=NOW) == []
    with pytest.raises(SwitchedOff, match="is switched off, so it assembles and sends nothing"):
        assemble_slot(slot=slot, now=NOW)
    with pytest.raises(CommandError, match="is switched off"):
        call_command("assemble", "weekly")
    assert not Issue.objects.exists()


@pytest.mark.parametrize(
    "step",
    [
        lambda issue: approve_issue(issue=issue, by=make_approver(), now=NOW),
        lambda issue: reassemble_issue(issue=issue, by=make_approver(), now=NOW),
        lambda issue: call_command("approve", issue.reference, "--by", make_approver().username),
        lambda issue: call_command("send", issue.reference),
        lambda issue: call_command("send", issue.reference, "--now"),
        lambda issue: call_command("send", issue.reference, "--now", "--release"),
    ],
)
def test_an_assembled_issue_is_neither_approved_nor_sent(issue: Issue, step: Callable[[Issue], object]) -> None:
    switch(on=False)
    with pytest.raises((SwitchedOff, CommandError), match="The weekly letter is switched off"):
        step(read(issue))
    assert not issue.approvals.exists()
    assert not Send.objects.exists()


def test_an_automatic_issue_stays_a_draft_when_due(issue: Issue) -> None:
    Publication.objects.update(approval="auto", enabled=False)
    with pytest.raises(SwitchedOff):
        approve_by_policy(issue=read(issue), now=NOW)
    start_due_sends(now=SLOT)
    assert (read(issue).state, read(issue).held, Send.objects.count()) == ("draft", False, 0)
    switch(on=True)
    start_due_sends(now=SLOT)
    assert Send.objects.get().recipients == 3


def test_an_approved_issue_is_sent_once_switched_on(approved: Issue) -> None:
    switch(on=False)
    start_due_sends(now=SLOT)
    assert (read(approved).state, read(approved).held, Send.objects.count()) == ("approved", False, 0)
    assert not find_overdue(now=SLOT + timedelta(hours=1)).exists()
    switch(on=True)
    start_due_sends(now=SLOT)
    assert Send.objects.get().recipients == 3


def test_an_approved_issue_is_not_started_by_hand(approved: Issue) -> None:
    switch(on=False)
    for start in (
        lambda: request_send(issue=read(approved), by=make_approver(), now=NOW),
        lambda: start_send(issue=approved, now=NOW),  # loaded while it was switched on
    ):
        with pytest.raises(SwitchedOff):
            start()
    assert not Send.objects.exists()


def test_an_earlier_send_is_not_frozen(approved: Issue) -> None:
    send = request_send(issue=read(approved), by=make_approver(), now=NOW)
    switch(on=False)
    with pytest.raises(SwitchedOff):
        freeze_audience(send=send, capabilities=current_adapter().capabilities, now=NOW)
    assert [str(one) for one in prepare_requested_sends(now=NOW)] == ["The weekly letter No. 1"]
    send.refresh_from_db()
    assert (send.state, Batch.objects.count()) == ("cancelled", 0)
    assert "is switched off" in read(approved).held_reason


def test_switching_off_during_the_freeze_stops_it(approved: Issue, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last check is in the transaction that writes the deliveries."""
    from newsletter.sending.freezing import freeze

    count = freeze.count_shares

    def switch_off_first(send: Send, **options: object) -> object:
        switch(on=False)
        return count(send, **options)

    monkeypatch.setattr(freeze, "count_shares", switch_off_first)
    with pytest.raises(SwitchedOff):
        start_send(issue=read(approved), now=NOW)
    assert not Batch.objects.exists()


def test_a_running_send_pauses_until_a_person_resumes(approved: Issue) -> None:
    send = start_send(issue=read(approved), now=NOW)
    batch = send.batches.get()
    switch(on=False)
    assert find_due_batches(now=NOW) == []
    assert claim_batch(batch_id=batch.pk, provider="test", now=NOW) is None
    enforce_send_window(now=NOW)
    send.refresh_from_db()
    assert (send.state, send.automatic_pauses.get().rule) == ("paused", AutomaticPause.Rule.SWITCHED_OFF)
    assert "switched off" in send.reason
    with pytest.raises(SwitchedOff):
        resume_send(send=send, by=make_approver())
    switch(on=True)
    enforce_send_window(now=NOW)
    send.refresh_from_db()
    assert send.state == "paused"
    resume_send(send=send, by=make_approver())
    assert claim_batch(batch_id=batch.pk, provider="test", now=NOW) is not None


def test_an_uncertain_batch_is_not_repeated(approved: Issue) -> None:
    batch = start_send(issue=read(approved), now=NOW).batches.get()
    Batch.objects.update(state="uncertain")
    switch(on=False)
    with pytest.raises(SwitchedOff):
        send_again(batch=Batch.objects.get(pk=batch.pk), by=make_approver(), now=NOW)
    assert Batch.objects.get().state == "uncertain"


def test_a_digest_stops_by_its_own_switch_at_every_step(issue: Issue) -> None:
    publication = issue.publication
    publication.mailing_list.subscriptions.update(frequency="monthly")
    Issue.objects.filter(pk=issue.pk).update(kind="digest")
    Slot.objects.update(kind="digest", period="2026-03")
    approve_issue(issue=read(issue), by=make_approver(), now=NOW)
    Publication.objects.update(monthly_digest=False)
    start_due_sends(now=SLOT)
    assert not Send.objects.exists()
    with pytest.raises(SwitchedOff, match="The monthly digest of The weekly letter is switched off"):
        start_send(issue=read(issue), now=NOW)
    Publication.objects.update(monthly_digest=True)
    batch = start_send(issue=read(issue), now=NOW).batches.get()
    Publication.objects.update(monthly_digest=False)
    assert claim_batch(batch_id=batch.pk, provider="test", now=NOW) is None
    Slot.objects.update(state="due")
    assert find_slots_to_assemble(now=NOW) == []


def test_an_event_change_is_not_announced(publication: Publication) -> None:
    event = make_event("Advice evening")
    switch(on=False)
    with pytest.raises(SwitchedOff):
        announce_change(event=event, publication=publication, by=make_approver(), now=NOW)


def test_other_publications_continue(approved: Issue) -> None:
    other = make_publication(slug="other", name="Another letter")
    add_subscribers(other, 2, start=50)
    make_story("A second story")
    second = make_issue(other, approved=True)
    Publication.objects.filter(slug="weekly").update(enabled=False)
    start_due_sends(now=SLOT)
    assert [send.issue for send in Send.objects.all()] == [second]
    assert len(find_due_batches(now=SLOT)) == 1


def test_a_confirmation_comes_from_an_enabled_publication_if_possible(publication: Publication) -> None:
    """It answers a person's request, so it is sent even if every publication of the list is off."""
    second = make_publication(slug="second", name="The second letter")
    Publication.objects.filter(pk=second.pk).update(mailing_list=publication.mailing_list, from_name="Second")
    assert find_sender(publication.mailing_list).name == "Open Door"  # type: ignore[union-attr]
    Publication.objects.filter(pk=publication.pk).update(enabled=False)
    assert find_sender(publication.mailing_list).name == "Second"  # type: ignore[union-attr]
    switch(on=False)
    assert find_sender(publication.mailing_list) is not None


@override_settings(NEWSLETTER_PROVIDER_URL="outbox://")
def test_switching_off_an_appeal_voids_the_approval(publication: Publication) -> None:
    from newsletter.issues.approval.approve import find_current_approval
    from newsletter.issues.approval.void_changed import void_changed_approvals
    from newsletter.models import Appeal
    from tests.support.fixtures import make_appeal

    make_appeal()
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    issue = make_issue(publication, approved=True)
    Appeal.objects.update(enabled=False)
    assert find_current_approval(read(issue)) is None
    [(voided, changes)] = void_changed_approvals(now=NOW)
    assert (voided, changes[0]) == (issue, "the appeal “Give an hour” is gone")
