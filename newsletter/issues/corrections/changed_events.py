"""Events that changed after people were shown them, and that nobody corrects yet. Reads only."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from newsletter.issues.corrections.correct import MisinformedGroup, find_misinformed
from newsletter.models import EventNotice, Issue, Shown

_LOOK_BACK = timedelta(days=60)
MAX_CHANGED_EVENTS = 50


@dataclass(frozen=True)
class ChangedEvent:
    """``misinformed`` has one entry for each publication that told somebody otherwise and has no correction for it."""

    event: EventNotice
    misinformed: list[MisinformedGroup]

    @property
    def people(self) -> int:
        """How many people were shown it otherwise, by all publications together."""
        return sum(one.people for one in self.misinformed)


def find_changed_events(*, now: datetime, unnotified: bool = False) -> list[ChangedEvent]:
    """The newest changes first, at most MAX_CHANGED_EVENTS events. ``unnotified``: only those that staff were not told of."""
    events = changed_events(now=now)
    if unnotified:
        events = events.filter(Q(change_notified_at__isnull=True) | Q(change_notified_at__lt=F("changed_at")))
    found = []
    for event in events[:MAX_CHANGED_EVENTS]:
        misinformed = [one for one in find_misinformed(event, now=now) if one.correction is None]
        if misinformed:
            found.append(ChangedEvent(event=event, misinformed=misinformed))
    return found


def changed_events(*, now: datetime) -> QuerySet[EventNotice]:
    """Events that changed in the last weeks and are in a mail of some issue."""
    shown = Shown.objects.filter(kind=Shown.Kind.EVENT, row_id=OuterRef("pk"))
    return EventNotice.objects.filter(Exists(shown), changed_at__gt=now - _LOOK_BACK).order_by(
        "-changed_at", "starts_at", "pk"
    )


def is_being_sent(event: EventNotice) -> bool:
    """Return True if an issue that shows the event is on its way, so that more people may be shown it."""
    shown = Shown.objects.filter(kind=Shown.Kind.EVENT, row_id=event.pk).values("variant__issue")
    return Issue.objects.filter(pk__in=shown, state__in=[Issue.State.APPROVED, Issue.State.SENDING]).exists()
