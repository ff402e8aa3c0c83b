"""Events that changed after people received their details, and that no correction announces yet. Reads only."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from newsletter.issues.corrections.correct import MisinformedGroup, find_misinformed
from newsletter.models import EventNotice, Issue, ShownItem

_LOOK_BACK = timedelta(days=60)
MAX_CHANGED_EVENTS = 50


@dataclass(frozen=True)
class ChangedEvent:
    """An event with the people who received other details: a group for each publication without a correction."""

    event: EventNotice
    misinformed: list[MisinformedGroup]

    @property
    def people(self) -> int:
        """The number of people who received other details, in all publications together."""
        return sum(mention.people for mention in self.misinformed)

    @property
    def to_files(self) -> bool:
        """True if nobody received other details, because all these mails were written to files."""
        return all(mention.to_files for mention in self.misinformed)


def find_changed_events(*, now: datetime, unnotified: bool = False) -> list[ChangedEvent]:
    """Return at most MAX_CHANGED_EVENTS events, the newest changes first.

    With ``unnotified``, return only the events about whose change staff were not notified.
    """
    events = filter_unnotified(changed_events(now=now)) if unnotified else changed_events(now=now)
    misinforming_events = []
    for event in events[:MAX_CHANGED_EVENTS]:
        misinformed = [mention for mention in find_misinformed(event, now=now) if mention.correction is None]
        if misinformed:
            misinforming_events.append(ChangedEvent(event=event, misinformed=misinformed))
    return misinforming_events


def changed_events(*, now: datetime) -> QuerySet[EventNotice]:
    """Return the events that changed in the last 60 days and are in a mail of some issue."""
    items = ShownItem.objects.filter(kind=ShownItem.Kind.EVENT, row_id=OuterRef("pk"))
    return EventNotice.objects.filter(Exists(items), changed_at__gt=now - _LOOK_BACK).order_by(
        "-changed_at", "starts_at", "pk"
    )


def filter_unnotified(events: QuerySet[EventNotice]) -> QuerySet[EventNotice]:
    """Return those of the events about whose last change staff were not notified."""
    return events.filter(Q(change_notified_at__isnull=True) | Q(change_notified_at__lt=F("changed_at")))


def is_being_sent(event: EventNotice) -> bool:
    """Return True if an issue that shows the event is approved or being sent, so that more people may see it.

    A welcome mail that was sent with it gives its details of now to the next people.
    """
    issues = ShownItem.objects.filter(kind=ShownItem.Kind.EVENT, row_id=event.pk).values("variant__issue")
    return (
        Issue.objects.filter(pk__in=issues, state__in=[Issue.State.APPROVED, Issue.State.SENDING])
        .exclude(kind=Issue.Kind.WELCOME)
        .exists()
    )
