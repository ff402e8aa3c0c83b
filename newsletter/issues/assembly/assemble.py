"""Turn a due slot into a draft issue with its reasons, or skip the slot if there is nothing new."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from wagtail.log_actions import log

from newsletter.common.errors import BadRule, WrongState
from newsletter.common.messages import Message
from newsletter.issues.approval.approval_rules import count_recipients
from newsletter.issues.approval.approved_audience import describe_audience, hash_audience
from newsletter.issues.approval.hold import hold_issue
from newsletter.issues.approval.publication_switches import require_publication_enabled
from newsletter.issues.assembly.first_draft import Draft, apply_draft, make_draft
from newsletter.issues.assembly.restored_slots import HELD_AT_ASSEMBLY, was_due_before_restore
from newsletter.issues.snapshot.placements import place_stories
from newsletter.models import Issue, Slot, Story, transition
from newsletter.outbound.publishing_facts import report_issue
from subscribers.models import EventKind


@dataclass(frozen=True)
class Assembly:
    """The result for a slot. ``made`` is True if this call assembled or skipped it, False if that was done before."""

    slot: Slot
    issue: Issue | None
    made: bool


@transaction.atomic
def assemble_slot(*, slot: Slot, now: datetime) -> Assembly:
    """Make the slot's issue, once. Hold it if another one may have been sent before a restore.

    Raises WrongState if its time is over, SwitchedOff if the publication is off.
    """
    slot = Slot.objects.select_for_update(of=("self",)).select_related("publication__brand").get(pk=slot.pk)
    require_publication_enabled(slot.publication, kind=slot.kind)
    if slot.state == Slot.State.MISSED:
        raise WrongState("The slot %(due_local)s was missed: %(reason)s", due_local=slot.due_local, reason=slot.reason)
    if slot.state == Slot.State.UNCERTAIN:
        raise WrongState("No issue is made for %(due_local)s: %(reason)s", due_local=slot.due_local, reason=slot.reason)
    skipped_before = slot.state == Slot.State.SKIPPED
    made = Issue.objects.filter(slot=slot).first()
    if made or (slot.state != Slot.State.DUE and not (skipped_before and now < slot.due_at)):
        return Assembly(slot=slot, issue=made, made=False)
    issue = make_unsaved_issue(slot)
    draft = make_draft(issue=issue, now=now)
    if draft.skip_reason:
        _skip(slot, reason=draft.skip_reason, now=now)
        return Assembly(slot=slot, issue=None, made=not skipped_before)
    save_new_issue(issue=issue, draft=draft, now=now)
    transition(
        slot,
        from_states=[Slot.State.DUE, Slot.State.SKIPPED],
        to=Slot.State.ASSEMBLED,
        assembled_at=now,
        reason=_describe_assembled(draft.choice.stories),
    )
    if was_due_before_restore(slot):
        hold_issue(issue=issue, reason=HELD_AT_ASSEMBLY)
    return Assembly(slot=slot, issue=issue, made=True)


def _skip(slot: Slot, *, reason: str, now: datetime) -> None:
    """Skip the slot, or write why it stays skipped if that has changed since."""
    if slot.state == Slot.State.DUE:
        transition(slot, from_states=[Slot.State.DUE], to=Slot.State.SKIPPED, reason=reason, assembled_at=now)
    elif slot.reason != reason:
        transition(slot, from_states=[Slot.State.SKIPPED], to=Slot.State.SKIPPED, reason=reason)


def make_unsaved_issue(slot: Slot) -> Issue:
    """Return the issue of a slot, without a number and without content."""
    return Issue(publication=slot.publication, slot=slot, kind=slot.kind, due_at=slot.due_at)


def save_new_issue(*, issue: Issue, draft: Draft, now: datetime) -> None:
    """Save a new issue with its first draft, its stories, its audience and its first revision."""
    apply_draft(issue=issue, draft=draft)
    issue.made_at = now
    issue.public_id = issue.public_id or secrets.token_hex(12)
    issue.save()
    save_assembled_content(issue)
    record_announced_audience(issue, now=now)
    place_stories(issue=issue, stories=[story.pk for story in draft.choice.stories], now=now)
    issue.store_revision()
    report_issue(EventKind.ISSUE_ASSEMBLED, issue, now=now)


def save_assembled_content(issue: Issue) -> None:
    """Store the issue as it was drafted, so that manual edits can be recognised later."""
    issue.assembled = {
        "subject": issue.subject,
        "preheader": issue.preheader,
        "body": issue.body.get_prep_value(),
    }
    Issue.objects.filter(pk=issue.pk).update(assembled=issue.assembled)


def log_assembled(issue: Issue) -> None:
    """Write the first line of the issue's history: the system assembled it."""
    log(instance=issue, action="newsletter.assembled")


def record_announced_audience(issue: Issue, *, now: datetime) -> None:
    """Record the number of recipients and the audience that the staff mail about the assembly names.

    If the segment names something that was deleted, there is no number, and the issue needs a person's approval.
    """
    try:
        issue.announced_people = count_recipients(issue, now=now)
    except BadRule:
        return
    issue.announced_audience = hash_audience(describe_audience(issue))
    Issue.objects.filter(pk=issue.pk).update(
        announced_people=issue.announced_people, announced_audience=issue.announced_audience
    )


def _describe_assembled(stories: list[Story]) -> str:
    if len(stories) == 1:
        return Message("Assembled with 1 story.")
    return Message("Assembled with %(count)s stories.", count=len(stories))
