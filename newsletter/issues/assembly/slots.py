"""The due slots of a publication's schedule: which exist, which are missed, which are to be assembled now."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from newsletter.common.errors import DomainError, WrongState
from newsletter.common.messages import Message, describe_hours
from newsletter.common.schedule import Due, due_after, parse_due
from newsletter.issues.assembly.digest import find_digest_due, make_digest_slot
from newsletter.issues.variants.reader_zones import find_lead
from newsletter.models import Issue, Publication, Slot, transition


def create_due_slots(*, publication: Publication, now: datetime, kind: str = Slot.Kind.ISSUE) -> list[Slot]:
    """Create the missing slots whose time of assembly has come. Of several late ones, all but the last are missed.

    Raises BadSchedule if the schedule of this kind cannot be read.
    """
    if kind == Slot.Kind.DIGEST:
        return _create_due_digest_slot(publication, now)
    return _create_due_issue_slots(publication, now)


def is_assembly_due(*, now: datetime, within: timedelta) -> bool:
    """Return True if a slot waits, or if a publication gets one by then. Also if its schedule cannot be read."""
    by = now + within
    if _find_open_slots(now).exists():
        return True
    try:
        return any(_needs_slot(publication, by) for publication in Publication.objects.filter(enabled=True))
    except DomainError:
        return True


def _needs_slot(publication: Publication, now: datetime) -> bool:
    digest = find_digest_due(publication=publication, now=now, grace=Issue.GRACE_PERIOD)
    return digest is not None or bool(_find_missing(publication, now))


def _create_due_digest_slot(publication: Publication, now: datetime) -> list[Slot]:
    due = find_digest_due(publication=publication, now=now, grace=Issue.GRACE_PERIOD)
    if due is None:
        return []
    slot, new = make_digest_slot(publication=publication, due=due, now=now)
    return [slot] if new else []


def _find_missing(publication: Publication, now: datetime) -> list[Due]:
    """Return the last times of the schedule whose assembly has come and that have no slot."""
    lead = find_lead(publication, now=now)
    slots = publication.slots.filter(kind=Slot.Kind.ISSUE)
    last = slots.filter(due_at__lte=now + lead).order_by("-due_at").first()
    missing: list[Due] = []
    after = max(last.due_at, publication.made_at) if last else publication.made_at
    for due in due_after(after, schedule=publication.schedule, zone=publication.zone):
        if due.at - lead > now:
            break
        missing = [*missing[-9:], due]
    return missing


def _create_due_issue_slots(publication: Publication, now: datetime) -> list[Slot]:
    missing, made = _find_missing(publication, now), []
    for due in missing:
        late = due.at + Issue.GRACE_PERIOD < now or (due is not missing[-1] and due.at < now)
        slot, new = _make_slot(publication=publication, due=due, now=now)
        if new and late:
            transition(slot, from_states=[Slot.State.DUE], to=Slot.State.MISSED, reason=_describe_missed(due, now))
        if new:
            made.append(slot)
    return made


def create_missing_slots(*, publication: Publication, now: datetime) -> None:
    """Create the slots of the last times whose assembly has come, late or not. A schedule that cannot be read has none."""
    try:
        missing = _find_missing(publication, now)
    except DomainError:
        return
    for due in missing:
        _make_slot(publication=publication, due=due, now=now)


def list_dues_ahead(publication: Publication, *, schedule: str, now: datetime) -> Iterator[Due]:
    """Yield the times of the schedule to come that have a slot or get one. Raises BadSchedule.

    After a change of the time zone, a time before the last slot gets none, and no day gets a second one for the same hour.
    """
    slots = Slot.objects.filter(publication=publication.pk, kind=Slot.Kind.ISSUE, due_at__gt=now - timedelta(days=2))
    moments = dict(slots.values_list("due_local", "due_at"))
    lead = find_lead(publication, now=now) if publication.pk else timedelta()
    last = max((moment for moment in moments.values() if moment <= now + lead), default=now)
    for due in due_after(now, schedule=schedule, zone=publication.zone):
        if due.at >= last and moments.get(due.local, due.at) == due.at:
            yield due


def get_or_create_slot(*, publication: Publication, due: str, now: datetime, kind: str = Slot.Kind.ISSUE) -> Slot:
    """Return the slot of a wall-clock time that a person gave, or the next slot of the schedule.

    There is one digest a month: the slot of the month in which the time falls.
    """
    schedule = publication.digest_schedule if kind == Slot.Kind.DIGEST else publication.schedule
    if due:
        moment = parse_due(due, zone=publication.zone)
        if moment.at + Issue.GRACE_PERIOD < now:
            raise WrongState(
                "%(local)s is more than six hours ago. Give a later time, or leave --due out.", local=moment.local
            )
    else:
        moment = next(due_after(now, schedule=schedule, zone=publication.zone))
        slots = publication.slots.filter(kind=kind)
        waiting = slots.filter(state=Slot.State.DUE, due_at__gte=now - Issue.GRACE_PERIOD, due_at__lte=moment.at)
        if first := waiting.order_by("due_at").first():
            return first
    if kind == Slot.Kind.DIGEST:
        return make_digest_slot(publication=publication, due=moment, now=now)[0]
    return _make_slot(publication=publication, due=moment, now=now)[0]


def is_scheduled(slot: Slot) -> bool:
    """Return True if the slot is on its publication's schedule; a person can make others."""
    publication = slot.publication
    schedule = publication.digest_schedule if slot.kind == Slot.Kind.DIGEST else publication.schedule
    before = slot.due_at - timedelta(seconds=1)
    return next(due_after(before, schedule=schedule, zone=publication.zone)).at == slot.due_at


def find_slots_to_assemble(*, now: datetime) -> list[Slot]:
    """Return the due slots, and skipped slots that are not due yet, because new content may arrive. Mark late ones as missed."""
    _reopen_slots_to_come(now)
    for slot in _list_slots().filter(state=Slot.State.DUE, due_at__lt=now - Issue.GRACE_PERIOD):
        transition(
            slot,
            from_states=[Slot.State.DUE],
            to=Slot.State.MISSED,
            reason=Message("It was not assembled in time. Nothing was sent."),
        )
    return list(_find_open_slots(now).select_related("publication").order_by("due_at"))


def _reopen_slots_to_come(now: datetime) -> None:
    """Open the missed slots whose time is still to come and whose assembly is due: a clock was ahead when they were missed."""
    for slot in _list_slots().filter(state=Slot.State.MISSED, due_at__gt=now).select_related("publication"):
        if slot.due_at - find_lead(slot.publication, now=now) <= now:
            transition(slot, from_states=[Slot.State.MISSED], to=Slot.State.DUE, reason="")


def _find_open_slots(now: datetime) -> QuerySet[Slot]:
    open_now = Q(state=Slot.State.DUE) | Q(state=Slot.State.SKIPPED, due_at__gt=now, issue__isnull=True)
    return _list_slots().filter(open_now)


def _list_slots() -> QuerySet[Slot]:
    slots = Slot.objects.filter(publication__enabled=True)
    return slots.exclude(kind=Slot.Kind.DIGEST, publication__monthly_digest=False)


def _make_slot(*, publication: Publication, due: Due, now: datetime) -> tuple[Slot, bool]:
    return Slot.objects.get_or_create(
        publication=publication,
        kind=Slot.Kind.ISSUE,
        due_local=due.local,
        defaults={"due_at": due.at, "made_at": now},
    )


def _describe_missed(due: Due, now: datetime) -> str:
    hours = int((now - due.at).total_seconds() // 3600)
    return Message(
        "No issue was made: the scheduler was not running, or the publication was switched off or changed. This was noticed "
        "%(hours)s late.",
        hours=describe_hours(hours) if hours else Message("less than an hour"),
    )
