"""After a restore: the times of schedules whose issues may have been made and sent since the backup."""

from collections import deque
from datetime import datetime, timedelta
from itertools import takewhile

from django.db.models import Max, Q

from newsletter.common.errors import DomainError
from newsletter.common.messages import Message
from newsletter.common.schedule import due_after
from newsletter.issues.assembly.digest import had_monthly_subscribers, make_digest_slot
from newsletter.issues.assembly.slots import create_missing_slots
from newsletter.issues.variants.reader_zones import find_lead
from newsletter.models import Installation, Publication, Slot, transition

HELD_FOR = Message("the database was restored from a backup; this may have been sent since")
HELD_AT_ASSEMBLY = Message("it was planned before a hold of all sending ended, so it may have been sent already")
_UNCERTAIN_FOR = Message(
    "The database was restored from a backup. The issue of this time may have been sent since the backup."
)


def mark_passed_slots_uncertain(*, now: datetime) -> list[Slot]:
    """Let no issue be made for a time that has passed since the backup. Return the slots of these times.

    A slot that the scheduler missed during the hold is one of them: it did not know of an issue either. A slot whose time is
    still to come is made too: `was_due_before_restore` knows it by its age.
    """
    held_since = Installation.objects.values_list("changed_at", flat=True).get()
    newest_slot = Slot.objects.filter(made_at__lt=held_since).aggregate(at=Max("made_at"))["at"]
    for publication in Publication.objects.filter(enabled=True):
        create_missing_slots(publication=publication, now=now)
        _create_digest_slot(publication, after=newest_slot or publication.made_at, now=now)
    without_issue = Slot.objects.filter(issue__isnull=True, publication__enabled=True).filter(
        Q(state=Slot.State.DUE)
        | Q(state=Slot.State.SKIPPED, due_at__gt=newest_slot or now)
        | Q(state=Slot.State.MISSED, made_at__gte=held_since)
    )
    passed = [slot for slot in without_issue.select_related("publication") if _find_first_hour(slot, now=now) <= now]
    for slot in passed:
        states = [Slot.State.DUE, Slot.State.SKIPPED, Slot.State.MISSED]
        transition(slot, from_states=states, to=Slot.State.UNCERTAIN, reason=_UNCERTAIN_FOR)
    return passed


def was_due_before_restore(slot: Slot) -> bool:
    """Return True if the slot was made before the end of a hold: its issue may have been made and sent since the backup."""
    return Installation.objects.filter(Q(held=True) | Q(released_at__gte=slot.made_at)).exists()


def _create_digest_slot(publication: Publication, *, after: datetime, now: datetime) -> None:
    """Create the slot of the last digest whose assembly has come since then, if somebody had chosen it."""
    if not publication.monthly_digest:
        return
    lead = find_lead(publication, now=now)
    try:
        dues = due_after(after, schedule=publication.digest_schedule, zone=publication.zone)
        last = deque(takewhile(lambda due: due.at - lead <= now, dues), maxlen=1)
    except DomainError:
        return
    for due in last:
        if had_monthly_subscribers(publication, at=min(due.at, now)):
            make_digest_slot(publication=publication, due=due, now=now)


def _find_first_hour(slot: Slot, *, now: datetime) -> datetime:
    """Return when the first reader's hour was to come, which is the slot's time unless people get it at a local time."""
    publication = slot.publication
    return slot.due_at - find_lead(publication, now=now) + timedelta(hours=publication.lead_hours)
