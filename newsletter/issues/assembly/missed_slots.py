"""Find times of a schedule that passed without an issue, and notify staff of them once. Nothing is made or sent here.

Staff can say that they have checked one that may have been sent before a restore.
"""

from datetime import date, datetime, timedelta

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Exists, F, OuterRef, Q

from newsletter.common.errors import NotAllowed, WrongState
from newsletter.common.messages import Message
from newsletter.issues.approval.write_notices import desk_home_url, new_issue_url, write_notice
from newsletter.issues.assembly.digest import MAX_STORIES
from newsletter.issues.assembly.digests_without_slot import find_digests_without_slot
from newsletter.models import Installation, Issue, Slot
from newsletter.models.staff import ContentEdit

LOOK_BACK = timedelta(days=7)
_NOTHING_SENT = Message("%(name)s: nothing was sent on %(due_local)s", name="", due_local="")
_MAYBE_SENT = Message("%(name)s: an issue may have been sent on %(due_local)s", name="", due_local="")
_FOR_AN_ISSUE = Message("New stories wait for the next issue. If that is too late, make an issue yourself.")
_IF_UNCERTAIN = Message(
    "Look at your provider’s log. If an issue was sent, remove its stories from the next one. If none was, make one yourself."
)
_IF_UNCERTAIN_DIGEST = Message(
    "Look at your provider’s log. If it was sent, remove its stories from the next monthly digest. If not, leave them there."
)
_FOR_A_DIGEST = Message(
    "The next monthly digest may have its stories. It holds %(max_stories)s stories at most.", max_stories=MAX_STORIES
)


def find_missed_slots(*, now: datetime) -> list[Slot]:
    """Return the missed slots of the last seven days that staff may not know of, at most one for each publication and kind.

    A slot whose issue may have been sent before a restore is one of them, until staff have checked it. While everything is
    held, nobody knows what was sent.

    Left out is a slot after which another time has passed whose issue is certain, or a person made an issue. So is a slot
    whose time had passed before somebody changed its publication, such as switched it on. A digest whose slot was never
    made is one that is not stored.
    """
    if Installation.objects.filter(held=True).exists():
        return []
    missed = Slot.objects.filter(
        Q(state=Slot.State.MISSED, due_at__lte=now) | Q(state=Slot.State.UNCERTAIN, checked_at=None),
        due_at__gt=now - LOOK_BACK,
        publication__enabled=True,
    )
    missed = missed.exclude(kind=Slot.Kind.DIGEST, publication__monthly_digest=False)
    later = Slot.objects.filter(
        publication=OuterRef("publication"), kind=OuterRef("kind"), due_at__gt=OuterRef("due_at"), due_at__lte=now
    )
    later = later.exclude(state=Slot.State.UNCERTAIN)
    made_since = Issue.objects.filter(
        publication=OuterRef("publication"), kind=OuterRef("kind"), slot__isnull=True, made_at__gte=OuterRef("due_at")
    )
    changed = ContentEdit.objects.filter(
        kind="newsletter.publication",
        row_id=OuterRef("publication_id"),
        at__gt=OuterRef("due_at"),
        at__lte=OuterRef("made_at"),
    )
    final = missed.filter(~Exists(later), ~Exists(made_since), ~Exists(changed))
    stored = list(final.select_related("publication").order_by(F("due_at"), "pk"))
    return [*stored, *find_digests_without_slot(now=now, look_back=LOOK_BACK)]


def mark_slot_checked(*, slot: Slot, by: User | AnonymousUser, now: datetime) -> None:
    """Record that staff know if the issue of an uncertain slot was sent, so that nobody is asked about it again.

    Raise NotAllowed, or WrongState if it was checked already or is not uncertain.
    """
    if not by.has_perm("newsletter.approve_issue"):
        raise NotAllowed(
            "%(by)s may not say that this time was checked. An administrator can give the role “approver”.", by=by
        )
    unchecked = Slot.objects.filter(pk=slot.pk, state=Slot.State.UNCERTAIN, checked_at=None)
    if not unchecked.update(checked_at=now):
        raise WrongState("This time needs no check, or somebody has checked it already. Nothing was changed.")


def notify_missed_slots(*, now: datetime) -> None:
    """Queue a notice for each slot of `find_missed_slots`, once."""
    for slot in find_missed_slots(now=now):
        publication = slot.publication
        day, _, time = slot.due_local.partition("T")
        text = _MAYBE_SENT if slot.state == Slot.State.UNCERTAIN else _NOTHING_SENT
        subject = Message(text.template, name=publication.name, due_local=date.fromisoformat(day))
        paragraphs = [
            Message("Its time was %(time)s (%(zone)s).", time=time, zone=publication.zone),
            slot.reason,
            describe_next_step(slot),
        ]
        link = new_issue_url(publication) if slot.kind == Slot.Kind.ISSUE else desk_home_url()
        name = slot.pk or f"digest-{publication.pk}-{slot.period}"
        write_notice(publication, f"missed-{name}", subject, paragraphs, link, now)


def describe_next_step(slot: Slot) -> Message:
    """Return a text: when the stories of a missed slot are sent, and what staff can do."""
    if slot.state == Slot.State.UNCERTAIN:
        return _IF_UNCERTAIN if slot.kind == Slot.Kind.ISSUE else _IF_UNCERTAIN_DIGEST
    return _FOR_AN_ISSUE if slot.kind == Slot.Kind.ISSUE else _FOR_A_DIGEST
