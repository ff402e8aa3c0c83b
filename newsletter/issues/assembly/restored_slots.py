"""After a restore: the times of schedules whose issues may have been made and sent since the backup."""

from collections import deque
from datetime import datetime, timedelta
from itertools import takewhile

from django.db.models import Max, Q, QuerySet

from newsletter.common.errors import DomainError
from newsletter.common.messages import Message
from newsletter.common.schedule import due_after
from newsletter.issues.assembly.digest import had_monthly_subscribers, make_digest_slot
from newsletter.issues.assembly.slots import create_missing_slots
from newsletter.issues.variants.reader_zones import find_lead
from newsletter.models import Installation, Publication, Slot, transition

HELD_FOR = Message("the database was restored from a backup; this may have been sent since")
HELD_AT_ASSEMBLY = Message("it was planned before the database was restored, so it may have been sent already")
_UNCERTAIN_FOR = Message(
    "The database was restored from a backup. The issue of this time may have been sent since the backup."
)


def mark_passed_slots_uncertain(*, now: datetime, marked_at: datetime | None = None) -> None:
    """Let no issue be made for a time that has passed since the backup.

    A slot that the scheduler missed during the hold is one of them: it did not know of an issue either. A slot whose time is
    still to come is made too: `was_due_before_restore` knows it by its age. ``marked_at`` is when this was done first, if
    this is a repeat: slots that were made later cannot have been sent before the restore.
    """
    held_since = Installation.objects.values_list("changed_at", flat=True).get()
    newest_slot = Slot.objects.filter(made_at__lt=held_since).aggregate(at=Max("made_at"))["at"]
    if marked_at is None:
        for publication in Publication.objects.filter(enabled=True):
            create_missing_slots(publication=publication, now=now)
            _create_digest_slot(publication, after=newest_slot or publication.made_at, now=now)
    without_issue = Slot.objects.filter(
        Q(state=Slot.State.DUE)
        | Q(state=Slot.State.SKIPPED, due_at__gt=newest_slot or now)
        | Q(state=Slot.State.MISSED, made_at__gte=held_since),
        issue__isnull=True,
        publication__enabled=True,
        made_at__lte=marked_at or now,
    )
    passed = [slot for slot in without_issue.select_related("publication") if _find_first_hour(slot, now=now) <= now]
    for slot in passed:
        states = [Slot.State.DUE, Slot.State.SKIPPED, Slot.State.MISSED]
        transition(slot, from_states=states, to=Slot.State.UNCERTAIN, reason=_UNCERTAIN_FOR)


def was_due_before_restore(slot: Slot) -> bool:
    """Return True if the slot was made before the last restore was marked: its issue may have been sent since the backup.

    The end of any other hold, such as that of a copy, says nothing about its issue.
    """
    return Installation.objects.filter(restored_at__gte=slot.made_at).exists()


def find_uncertain_slots() -> QuerySet[Slot]:
    """Return the unchecked times whose issue may have been sent before this restore.

    Left out are those before staff ended the hold of an earlier one.
    """
    uncertain = Slot.objects.filter(state=Slot.State.UNCERTAIN, checked_at=None).select_related("publication")
    released_at = Installation.objects.values_list("released_at", flat=True).first()
    return uncertain.filter(due_at__gt=released_at) if released_at else uncertain


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
