"""Events that changed after people were shown them, and that nobody corrects yet. Reads only."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from newsletter.issues.corrections.correct import Misled, find_misled
from newsletter.models import EventNotice, Issue, Shown

_LOOK_BACK = timedelta(days=60)
MOST_EVENTS = 50


@dataclass(frozen=True)
class ChangedEvent:
    """``misled`` has one entry for each publication that told somebody otherwise and has no correction for it."""

    event: EventNotice
    misled: list[Misled]

    @property
    def people(self) -> int:
        """How many people were shown it otherwise, by all publications together."""
        return sum(one.people for one in self.misled)


def find_changed_events(*, now: datetime, untold: bool = False) -> list[ChangedEvent]:
    """The newest changes first, at most MOST_EVENTS events. ``untold``: only those that staff were not told of."""
    events = changed_events(now=now)
    if untold:
        events = events.filter(Q(change_told_at__isnull=True) | Q(change_told_at__lt=F("changed_at")))
    found = []
    for event in events[:MOST_EVENTS]:
        misled = [one for one in find_misled(event, now=now) if one.correction is None]
        if misled:
            found.append(ChangedEvent(event=event, misled=misled))
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
