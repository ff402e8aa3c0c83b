"""Slot -> issue in draft, with its reasons; or a slot skipped because there is nothing new."""

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Q

from newsletter.errors import WrongState
from newsletter.issues.body import draft_body, draft_preheader, draft_subject
from newsletter.issues.choose import choose_content, has_new_event
from newsletter.issues.schedule import Due, due_after, due_at_local
from newsletter.models import Issue, PlacedStory, Publication, Slot, Story, move

GRACE = timedelta(hours=6)
NOTHING_NEW = "Nothing new: no story and no new event since the last issue was assembled."


@dataclass(frozen=True)
class Assembly:
    """What became of a slot. ``made`` says whether this call did it, or found it done."""

    slot: Slot
    issue: Issue | None
    made: bool


def open_due_slots(*, publication: Publication, now: datetime) -> list[Slot]:
    """Make the slots whose time of assembly has come and that are not there yet; of several missed, only the last can go."""
    lead = timedelta(hours=publication.lead_hours)
    last = publication.slots.filter(due_at__lte=now + lead).order_by("-due_at").first()
    missing: list[Due] = []
    after = max(last.due_at, publication.made_at) if last else publication.made_at
    for due in due_after(after, schedule=publication.schedule, zone=publication.zone):
        if due.at - lead > now:
            break
        missing = [*missing[-9:], due]
    made = []
    for due in missing:
        late = due.at + GRACE < now or (due is not missing[-1] and due.at < now)
        slot, new = _make_slot(publication=publication, due=due, now=now)
        if new and late:
            move(slot, of=[Slot.State.DUE], to=Slot.State.MISSED, reason=_missed(due, now))
        if new:
            made.append(slot)
    return made


def find_slot(*, publication: Publication, due: str, now: datetime) -> Slot:
    """The slot of a wall-clock time given by a person, or the next one of the schedule; made if need be."""
    if due:
        moment = due_at_local(due, zone=publication.zone)
        if moment.at + GRACE < now:
            raise WrongState(f"{moment.local} is more than six hours past. Name a moment to come, or leave --due out.")
    else:
        moment = next(due_after(now, schedule=publication.schedule, zone=publication.zone))
        waiting = publication.slots.filter(state=Slot.State.DUE, due_at__gte=now - GRACE, due_at__lte=moment.at)
        if first := waiting.order_by("due_at").first():
            return first
    return _make_slot(publication=publication, due=moment, now=now)[0]


def is_scheduled(slot: Slot) -> bool:
    """Whether the slot is a moment of its publication's schedule, and not one that a person made up."""
    publication = slot.publication
    before = slot.due_at - timedelta(seconds=1)
    return next(due_after(before, schedule=publication.schedule, zone=publication.zone)).at == slot.due_at


def find_open_slots(*, now: datetime) -> list[Slot]:
    """Slots to assemble now, and skipped ones whose time has not come yet: news may still arrive. Late ones are missed."""
    slots = Slot.objects.filter(publication__enabled=True).select_related("publication")
    for slot in slots.filter(state=Slot.State.DUE, due_at__lt=now - GRACE):
        move(slot, of=[Slot.State.DUE], to=Slot.State.MISSED, reason="It was not assembled in time. Nothing was sent.")
    open_now = Q(state=Slot.State.DUE) | Q(state=Slot.State.SKIPPED, due_at__gt=now)
    return list(slots.filter(open_now).order_by("due_at"))


@transaction.atomic
def assemble_slot(*, slot: Slot, now: datetime) -> Assembly:
    """Make the slot's issue, once. Raises WrongState where the slot was missed."""
    slot = Slot.objects.select_for_update().select_related("publication__brand").get(pk=slot.pk)
    if slot.state == Slot.State.MISSED:
        raise WrongState(f"The slot {slot.due_local} was missed: {slot.reason}")
    skipped_before = slot.state == Slot.State.SKIPPED
    if slot.state != Slot.State.DUE and not (skipped_before and now < slot.due_at):
        return Assembly(slot=slot, issue=Issue.objects.filter(slot=slot).first(), made=False)
    publication = slot.publication
    earlier = publication.slots.filter(assembled_at__isnull=False).exclude(pk=slot.pk)
    before = earlier.aggregate(last=Max("assembled_at"))["last"]
    choice = choose_content(publication=publication, new_since=before, due_at=slot.due_at, now=now)
    if not choice.stories and not has_new_event(choice.events, since=before):
        move(slot, of=[Slot.State.DUE], to=Slot.State.SKIPPED, reason=NOTHING_NEW, assembled_at=now)
        return Assembly(slot=slot, issue=None, made=not skipped_before)
    number = (publication.issues.aggregate(last=Max("number"))["last"] or 0) + 1
    issue = Issue.objects.create(
        publication=publication,
        slot=slot,
        number=number,
        public_id=secrets.token_hex(12),
        made_at=now,
        reasons=[asdict(reason) for reason in choice.reasons],
        subject=draft_subject(publication=publication, choice=choice, number=number),
        preheader=draft_preheader(choice),
        body=draft_body(publication=publication, choice=choice),
    )
    PlacedStory.objects.bulk_create(
        PlacedStory(publication=publication, story=story, issue=issue) for story in choice.stories
    )
    issue.save_revision(log_action=False)
    move(
        slot,
        of=[Slot.State.DUE, Slot.State.SKIPPED],
        to=Slot.State.ASSEMBLED,
        assembled_at=now,
        reason=_assembled(choice.stories),
    )
    return Assembly(slot=slot, issue=issue, made=True)


def _make_slot(*, publication: Publication, due: Due, now: datetime) -> tuple[Slot, bool]:
    return Slot.objects.get_or_create(
        publication=publication, due_local=due.local, defaults={"due_at": due.at, "made_at": now}
    )


def _missed(due: Due, now: datetime) -> str:
    hours = int((now - due.at).total_seconds() // 3600)
    return (
        f"Nobody was running when it was due; found {hours} hours late. Nothing was sent. "
        "Send it by hand if it still makes sense."
    )


def _assembled(stories: list[Story]) -> str:
    return f"Assembled with {len(stories)} {'story' if len(stories) == 1 else 'stories'}."
