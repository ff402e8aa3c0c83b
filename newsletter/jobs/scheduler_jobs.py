"""The scheduler's jobs. Each is safe to run at any time, in any number of processes at once."""

import logging
from datetime import datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

from django.db import DatabaseError
from django.db.models import QuerySet

from newsletter.common.errors import (
    AudienceChanged,
    DomainError,
    NeedsManualApproval,
    NotApproved,
    SwitchedOff,
    WrongState,
)
from newsletter.common.messages import Message
from newsletter.content.ingesting.ingest import find_unread_sources, ingest_due
from newsletter.issues.approval.approval_rules import is_automatic
from newsletter.issues.approval.approve import approve_by_policy, require_approval
from newsletter.issues.approval.hold import hold_issue
from newsletter.issues.approval.publication_switches import make_switched_off_filter
from newsletter.issues.approval.reopen_uncovered import notify_if_reopened
from newsletter.issues.approval.void_changed import void_changed_approvals
from newsletter.issues.approval.write_notices import notify_changed_after_approval, notify_hold
from newsletter.issues.assembly.assemble import Assembly, assemble_slot, log_assembled, make_unsaved_issue
from newsletter.issues.assembly.drafted_texts import update_drafted_texts
from newsletter.issues.assembly.slots import create_due_slots, find_slots_to_assemble
from newsletter.issues.assembly.source_notices import notify_failing_sources
from newsletter.issues.assembly.stories_at_source import (
    check_before_assembly,
    check_stories_at_source,
    has_recently_removed_story,
    remove_gone_stories,
)
from newsletter.issues.corrections.hold_corrections import hold_corrections_of_gone_stories
from newsletter.issues.variants.reader_zones import find_start, make_due_filter
from newsletter.jobs.notices.about_issues import (
    notify_approval_needed,
    notify_assembly,
    notify_not_assembled,
    notify_not_planned,
)
from newsletter.models import Issue, Publication, Slot, transition
from newsletter.outbound.publishing_facts import report_issue
from newsletter.sending.freezing.start import prepare_requested_sends, start_send
from newsletter.sending.limits.installation_hold import was_restored
from newsletter.sending.withdraw_story import withdraw_again
from subscribers.models import EventKind

log = logging.getLogger(__name__)
FIRST_READING_WAIT = timedelta(minutes=10)
_SENT_LATE = Message(
    "It was due on %(day)s at %(time)s and was not sent in time. Release it if it is still useful.", day="", time=""
)
_APPROVED_LATE = Message(
    "It was due on %(day)s at %(time)s, and was not approved in time. If it is still useful, approve it and release it.",
    day="",
    time="",
)


def poll_sources(*, now: datetime) -> None:
    """Read the due sources. Notify staff of those that fail for long, of held issues and of approvals that changes voided.

    If no reading changed a story or an event, another job reviews the approvals.
    """
    reports = ingest_due(now=now)
    for report in reports:
        if report.error:
            log.warning("Source %s: %s", report.name, report.error)
    if any(report.has_changes for report in reports) and was_restored(now=now):
        withdraw_again(now=now)
    notify_failing_sources(now=now)
    has_removed_story = has_recently_removed_story(now=now)
    if reports or has_removed_story:
        for issue in [*remove_gone_stories(now=now), *hold_corrections_of_gone_stories(now=now)]:
            notify_hold(issue, now=now)
        reworded = update_drafted_texts(now=now)
        if has_removed_story or reworded or any(report.has_changes for report in reports):
            void_stale_approvals(now=now)


def void_stale_approvals(*, now: datetime) -> None:
    """Void the approvals of issues whose content, list or segment changed, and notify staff."""
    for issue, changes in void_changed_approvals(now=now):
        explanation = Message("After it was approved, this changed: %(changes)s.", changes=Message.joined(changes))
        notify_changed_after_approval(issue, explanation=explanation, now=now)


def assemble_due(*, now: datetime) -> list[Assembly]:
    """Create the due slots and assemble them. Return what this call made. An error in one slot does not stop others."""
    for publication, kind in product(Publication.objects.filter(enabled=True), (Slot.Kind.ISSUE, Slot.Kind.DIGEST)):
        try:
            create_due_slots(publication=publication, now=now, kind=kind)
        except DomainError as error:
            log.error("%s has no next slot of the kind “%s”: %s", publication, kind, error)
            notify_not_planned(publication, kind=kind, reason=error.message, now=now)
    made = []
    for slot in find_slots_to_assemble(now=now):
        if waits_for_first_reading(slot, now=now):
            continue
        try:
            check_before_assembly(issue=make_unsaved_issue(slot), now=now)
            assembly = assemble_slot(slot=slot, now=now)
        except (DatabaseError, SwitchedOff, WrongState) as error:
            log.error("%s, slot %s was not assembled: %s", slot.publication, slot.due_local, error)
            continue
        except DomainError as error:
            log.error("%s, slot %s was not assembled: %s", slot.publication, slot.due_local, error)
            notify_not_assembled(slot, reason=error.message, now=now)
            continue
        if assembly.made:
            if assembly.issue:
                log.info("%s is assembled.", assembly.issue)
                log_assembled(assembly.issue)
            else:
                log.info("%s, slot %s is skipped: %s", slot.publication, slot.due_local, assembly.slot.reason)
            if assembly.issue and assembly.issue.held:
                notify_hold(assembly.issue, now=now)
            else:
                notify_assembly(assembly, now=now)
            made.append(assembly)
    return made


def waits_for_first_reading(slot: Slot, *, now: datetime) -> bool:
    """Return True if a new slot waits, for some minutes at most, until each source of its publication was read once."""
    if slot.state != Slot.State.DUE or slot.made_at + FIRST_READING_WAIT < now:
        return False
    chosen = slot.publication.sources.all()
    unread = find_unread_sources()
    return (unread.filter(pk__in=chosen.values("pk")) if chosen.exists() else unread).exists()


def is_start_due(*, by: datetime) -> bool:
    """Return True if `start_due_sends` would look at an issue at this time."""
    return _find_unsent(by).exists()


def _find_unsent(now: datetime) -> QuerySet[Issue]:
    return Issue.objects.filter(make_due_filter(now), state__in=Issue.UNSENT_STATES, held=False)


def start_due_sends(*, now: datetime) -> None:
    """Start the sends that are due: of approved issues, and of automatic issues that are not held.

    A send by readers' hours is due when the first reader's hour comes.
    Switched-off publications are skipped. An automatic issue that needs a person goes into review, and staff are notified.
    """
    unsent = _find_unsent(now)
    if not unsent.exists():
        return
    waiting = unsent.filter(~make_switched_off_filter()).select_related(
        "publication__brand", "publication__mailing_list", "publication__segment", "slot"
    )
    for issue in waiting:
        start = find_start(issue, now=now)
        if start is None or start > now:
            continue
        if issue.due_at and issue.due_at + Issue.GRACE_PERIOD < now and issue.released_at is None:
            hold_late(issue, now=now)
        elif issue.state == Issue.State.APPROVED or (issue.state == Issue.State.DRAFT and is_automatic(issue)):
            _start(issue, now=now)


def freeze_requested_sends(*, now: datetime) -> None:
    """Freeze the audience of sends that somebody started by hand. Notify staff of issues that are held instead."""
    for issue in prepare_requested_sends(now=now):
        notify_hold(issue, now=now)


def hold_late(issue: Issue, *, now: datetime) -> None:
    """Hold an issue that is more than six hours late: only a person may send it now."""
    due = (issue.due_at or now).astimezone(ZoneInfo(issue.publication.zone))
    late = _SENT_LATE if _was_sendable(issue, now=now) else _APPROVED_LATE
    hold_and_notify(issue, Message(late.template, day=due.date(), time=f"{due:%H:%M}"), now=now)


def _was_sendable(issue: Issue, *, now: datetime) -> bool:
    if issue.state == Issue.State.APPROVED or (issue.state == Issue.State.DRAFT and is_automatic(issue)):
        return True
    try:
        require_approval(issue, now=now)
    except DomainError:
        return False
    return True


def hold_and_notify(issue: Issue, reason: str, *, now: datetime) -> None:
    """Hold an issue, log why and notify staff."""
    log.error("%s is held: %s", issue, reason)
    hold_issue(issue=issue, reason=reason)
    notify_hold(issue, now=now)


def _start(issue: Issue, *, now: datetime) -> None:
    try:
        if issue.state != Issue.State.APPROVED:
            check_stories_at_source(issue=issue, now=now)
            if issue.held:
                notify_hold(issue, now=now)
                return
            approve_by_policy(issue=issue, now=now)
        send = start_send(issue=issue, now=now)
        log.info("The send of %s has started. Recipients: %s.", issue, send.recipients)
    except SwitchedOff as error:
        log.info("%s", error)
    except NeedsManualApproval as error:
        log.info("%s", error)
        if transition(issue, from_states=[Issue.State.DRAFT], to=Issue.State.IN_REVIEW):
            report_issue(EventKind.ISSUE_WAITING, issue, now=now)
            notify_approval_needed(issue, reason=error.message, now=now)
    except AudienceChanged as error:
        log.warning("%s", error)
        notify_changed_after_approval(issue, explanation=error.message, now=now)
    except NotApproved as error:
        if _is_draft_again(issue):
            log.info("%s", error)
        elif not notify_if_reopened(issue, reason=error.message, now=now):
            hold_and_notify(issue, error.message, now=now)
    except DomainError as error:
        hold_and_notify(issue, error.message, now=now)


def _is_draft_again(issue: Issue) -> bool:
    """Return True if another process has withdrawn the approvals of an approved issue and notified staff if needed."""
    return issue.state == Issue.State.APPROVED and Issue.objects.filter(pk=issue.pk, state=Issue.State.DRAFT).exists()
