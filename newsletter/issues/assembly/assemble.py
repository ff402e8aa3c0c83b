"""Turn a due slot into a draft issue with its reasons, or skip the slot if there is nothing new."""

import secrets
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Q
from wagtail.log_actions import log

from newsletter.common.errors import BadRule, WrongState
from newsletter.common.messages import Message
from newsletter.issues.approval.approval_rules import count_recipients
from newsletter.issues.approval.approved_audience import describe_audience, hash_audience
from newsletter.issues.approval.publication_switches import require_publication_enabled
from newsletter.issues.assembly.digest import (
    NOTHING_SENT,
    choose_digest_content,
    find_digest_due,
    make_digest_slot,
    make_digest_subject,
)
from newsletter.issues.assembly.draft import draft_body, draft_preheader, draft_subject
from newsletter.issues.assembly.schedule import Due, due_after, parse_due
from newsletter.issues.assembly.selection import Choice, choose_content, has_new_event
from newsletter.models import Issue, Publication, Slot, Story, StoryPlacement, transition

GRACE_PERIOD = timedelta(hours=6)
NOTHING_NEW = Message("Nothing new: no story and no new event since the last issue was assembled.")


@dataclass(frozen=True)
class Assembly:
    """The result for a slot. ``made`` is True if this call assembled or skipped it, False if that was done before."""

    slot: Slot
    issue: Issue | None
    made: bool


def create_due_slots(*, publication: Publication, now: datetime) -> list[Slot]:
    """Create the missing slots whose time of assembly has come. Of several late ones, all but the last are missed."""
    return [*_create_due_issue_slots(publication, now), *_create_due_digest_slot(publication, now)]


def _create_due_digest_slot(publication: Publication, now: datetime) -> list[Slot]:
    due = find_digest_due(publication=publication, now=now, grace=GRACE_PERIOD)
    if due is None:
        return []
    slot, new = make_digest_slot(publication=publication, due=due, now=now)
    return [slot] if new else []


def _create_due_issue_slots(publication: Publication, now: datetime) -> list[Slot]:
    lead = timedelta(hours=publication.lead_hours)
    slots = publication.slots.filter(kind=Slot.Kind.ISSUE)
    last = slots.filter(due_at__lte=now + lead).order_by("-due_at").first()
    missing: list[Due] = []
    after = max(last.due_at, publication.made_at) if last else publication.made_at
    for due in due_after(after, schedule=publication.schedule, zone=publication.zone):
        if due.at - lead > now:
            break
        missing = [*missing[-9:], due]
    made = []
    for due in missing:
        late = due.at + GRACE_PERIOD < now or (due is not missing[-1] and due.at < now)
        slot, new = _make_slot(publication=publication, due=due, now=now)
        if new and late:
            transition(slot, from_states=[Slot.State.DUE], to=Slot.State.MISSED, reason=_describe_missed(due, now))
        if new:
            made.append(slot)
    return made


def get_or_create_slot(*, publication: Publication, due: str, now: datetime, kind: str = Slot.Kind.ISSUE) -> Slot:
    """Return the slot of a wall-clock time that a person gave, or the next slot of the schedule.

    There is one digest a month: the slot of the month in which the time falls.
    """
    schedule = publication.digest_schedule if kind == Slot.Kind.DIGEST else publication.schedule
    if due:
        moment = parse_due(due, zone=publication.zone)
        if moment.at + GRACE_PERIOD < now:
            raise WrongState(
                "%(local)s is more than six hours ago. Give a later time, or leave --due out.", local=moment.local
            )
    else:
        moment = next(due_after(now, schedule=schedule, zone=publication.zone))
        slots = publication.slots.filter(kind=kind)
        waiting = slots.filter(state=Slot.State.DUE, due_at__gte=now - GRACE_PERIOD, due_at__lte=moment.at)
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
    """Return the due slots, and skipped ones that are not due yet because news may arrive. Mark late ones as missed."""
    slots = Slot.objects.filter(publication__enabled=True).select_related("publication")
    slots = slots.exclude(kind=Slot.Kind.DIGEST, publication__monthly_digest=False)
    for slot in slots.filter(state=Slot.State.DUE, due_at__lt=now - GRACE_PERIOD):
        transition(
            slot,
            from_states=[Slot.State.DUE],
            to=Slot.State.MISSED,
            reason=Message("It was not assembled in time. Nothing was sent."),
        )
    open_now = Q(state=Slot.State.DUE) | Q(state=Slot.State.SKIPPED, due_at__gt=now)
    return list(slots.filter(open_now).order_by("due_at"))


@transaction.atomic
def assemble_slot(*, slot: Slot, now: datetime) -> Assembly:
    """Make the slot's issue, once. Raises WrongState if the slot was missed, SwitchedOff if the publication is off."""
    slot = Slot.objects.select_for_update(of=("self",)).select_related("publication__brand").get(pk=slot.pk)
    require_publication_enabled(slot.publication, kind=slot.kind)
    if slot.state == Slot.State.MISSED:
        raise WrongState("The slot %(due_local)s was missed: %(reason)s", due_local=slot.due_local, reason=slot.reason)
    skipped_before = slot.state == Slot.State.SKIPPED
    if slot.state != Slot.State.DUE and not (skipped_before and now < slot.due_at):
        return Assembly(slot=slot, issue=Issue.objects.filter(slot=slot).first(), made=False)
    draft = make_draft(slot=slot, now=now)
    if draft.skip_reason:
        transition(
            slot, from_states=[Slot.State.DUE], to=Slot.State.SKIPPED, reason=draft.skip_reason, assembled_at=now
        )
        return Assembly(slot=slot, issue=None, made=not skipped_before)
    issue = _make_issue(slot, draft, now)
    transition(
        slot,
        from_states=[Slot.State.DUE, Slot.State.SKIPPED],
        to=Slot.State.ASSEMBLED,
        assembled_at=now,
        reason=_describe_assembled(draft.choice.stories),
    )
    return Assembly(slot=slot, issue=issue, made=True)


def next_number(*, publication: Publication, kind: str) -> int:
    """Return the next number of this kind of issue. The database refuses a number that somebody takes meanwhile."""
    return (publication.issues.filter(kind=kind).aggregate(last=Max("number"))["last"] or 0) + 1


@dataclass(frozen=True)
class Draft:
    """The first content of an issue. ``skip_reason`` says why there is none; it is empty if there is some."""

    number: int
    choice: Choice
    subject: str = ""
    body: list[tuple[str, object]] = field(default_factory=list)
    skip_reason: str = ""


def make_draft(*, slot: Slot, now: datetime, exclude_issue: Issue | None = None) -> Draft:
    """Draft the slot's issue from the content of now. ``exclude_issue`` is the issue to assemble again, if there is one."""
    make = _draft_digest if slot.kind == Slot.Kind.DIGEST else _draft_issue
    return make(slot, now, exclude_issue)


def _draft_issue(slot: Slot, now: datetime, exclude_issue: Issue | None) -> Draft:
    publication = slot.publication
    number = exclude_issue.number if exclude_issue else next_number(publication=publication, kind=slot.kind)
    since = find_last_assembled_at(slot)
    choice = choose_content(
        publication=publication, new_since=since, due_at=slot.due_at, now=now, exclude_issue=exclude_issue
    )
    if not choice.stories and not has_new_event(choice.events, since=since):
        return Draft(number, choice, skip_reason=NOTHING_NEW)
    subject = draft_subject(publication=publication, choice=choice, number=number)
    return Draft(number, choice, subject, draft_body(publication=publication, choice=choice))


def _draft_digest(slot: Slot, now: datetime, exclude_issue: Issue | None) -> Draft:
    number = exclude_issue.number if exclude_issue else next_number(publication=slot.publication, kind=slot.kind)
    choice, overrides = choose_digest_content(slot=slot, now=now, exclude_issue=exclude_issue)
    if not choice.stories:
        return Draft(number, choice, skip_reason=NOTHING_SENT)
    body = draft_body(publication=slot.publication, choice=choice, overrides=overrides)
    return Draft(number, choice, make_digest_subject(slot=slot, choice=choice), body)


def find_last_assembled_at(slot: Slot) -> datetime | None:
    """Return when the slot before this one was assembled or skipped; None if there was none."""
    earlier = slot.publication.slots.filter(kind=slot.kind, assembled_at__isnull=False).exclude(pk=slot.pk)
    last: datetime | None = earlier.aggregate(last=Max("assembled_at"))["last"]
    return last


def _make_issue(slot: Slot, draft: Draft, now: datetime) -> Issue:
    publication, choice = slot.publication, draft.choice
    issue = Issue.objects.create(
        publication=publication,
        slot=slot,
        kind=slot.kind,
        number=draft.number,
        public_id=secrets.token_hex(12),
        made_at=now,
        reasons=[asdict(reason) for reason in choice.reasons],
        subject=draft.subject,
        preheader=draft_preheader(choice),
        body=draft.body,
    )
    save_assembled_content(issue)
    record_announced_audience(issue, now=now)
    StoryPlacement.objects.bulk_create(
        StoryPlacement(publication=publication, kind=slot.kind, story=story, issue=issue) for story in choice.stories
    )
    issue.save_revision(log_action=False)
    return issue


def save_assembled_content(issue: Issue) -> None:
    """Keep the issue as it was drafted, so that manual edits can be told apart later."""
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
        "The scheduler was not running when it was due, and found it %(hours)s hours late. Nothing was sent. "
        "Send it by hand if it is still useful.",
        hours=hours,
    )


def _describe_assembled(stories: list[Story]) -> str:
    if len(stories) == 1:
        return Message("Assembled with 1 story.")
    return Message("Assembled with %(count)s stories.", count=len(stories))
