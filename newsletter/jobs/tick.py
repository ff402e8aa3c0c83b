"""One round of everything that has fallen due. Safe to run at any time, by any number of processes at once."""

import logging
from collections.abc import Callable
from datetime import datetime

from newsletter.content.ingest import ingest_due
from newsletter.issues.approve import approve_by_policy
from newsletter.issues.assemble import GRACE, Assembly, assemble_slot, open_due_slots
from newsletter.models import Issue, Publication, Slot, move
from newsletter.sending.start import start_send
from subscribers.errors import DomainError

log = logging.getLogger(__name__)

Tell = Callable[[Assembly], None]


def poll_sources(*, now: datetime) -> None:
    """Look at the sources that are due."""
    for report in ingest_due(now=now):
        if report.error:
            log.warning("Source %s: %s", report.name, report.error)


def assemble_due(*, now: datetime, tell: Tell = lambda assembly: None) -> list[Assembly]:
    """Open the slots whose time has come and assemble them. ``tell`` hears of each that this call made."""
    made = []
    for publication in Publication.objects.filter(enabled=True):
        try:
            open_due_slots(publication=publication, now=now)
        except DomainError as error:
            log.error("%s has no next slot: %s", publication, error)
    for slot in Slot.objects.filter(state=Slot.State.DUE, publication__enabled=True).order_by("due_at"):
        if slot.due_at + GRACE < now:
            move(
                slot,
                of=[Slot.State.DUE],
                to=Slot.State.MISSED,
                reason="It was not assembled in time. Nothing was sent.",
            )
            continue
        assembly = assemble_slot(slot=slot, now=now)
        if assembly.made:
            log.info(
                "%s", assembly.issue or f"{slot.publication}: slot {slot.due_local} skipped: {assembly.slot.reason}"
            )
            tell(assembly)
            made.append(assembly)
    return made


def start_due_sends(*, now: datetime) -> None:
    """Start the issues whose slot has come: approved ones, and those of publications that go out unless held."""
    waiting = Issue.objects.filter(
        state__in=[Issue.State.DRAFT, Issue.State.IN_REVIEW, Issue.State.APPROVED], slot__due_at__lte=now, held=False
    ).select_related("publication__brand", "publication__mailing_list", "publication__segment", "slot")
    for issue in waiting:
        if issue.slot and issue.slot.due_at + GRACE < now:
            hold_late(issue, now=now)
            continue
        if issue.state != Issue.State.APPROVED and issue.publication.approval != Publication.ApprovalPolicy.AUTO:
            continue
        try:
            if issue.state != Issue.State.APPROVED:
                approve_by_policy(issue=issue, now=now)
            send = start_send(issue=issue, now=now)
            log.info("%s: %s people", issue, send.recipients)
        except DomainError as error:
            hold(issue, str(error))


def hold_late(issue: Issue, *, now: datetime) -> None:
    """More than six hours late: never sent unasked."""
    hours = int((now - issue.slot.due_at).total_seconds() // 3600) if issue.slot else 0
    hold(issue, f"It was due {hours} hours ago and was not sent in time. Send it by hand if it still makes sense.")


def hold(issue: Issue, reason: str) -> None:
    log.error("%s is held: %s", issue, reason)
    Issue.objects.filter(pk=issue.pk).update(held=True, held_reason=reason[:500])
