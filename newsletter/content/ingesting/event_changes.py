"""When an event last changed in what a reader must know to be at the right place at the right time."""

from datetime import datetime

from newsletter.models import EventNotice

TRACKED_FIELDS = ("starts_at", "all_day", "day", "place_text", "town", "region", "online", "cancelled")


def record_event_change(event: EventNotice, *, now: datetime) -> None:
    """Set ``changed_at`` of a row that is about to be saved, if its facts differ from those that are stored."""
    stored = EventNotice.objects.filter(pk=event.pk).values(*TRACKED_FIELDS).first()
    if stored is not None and any(getattr(event, name) != value for name, value in stored.items()):
        event.changed_at = now
