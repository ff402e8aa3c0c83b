"""Write an entry of a source to its row, never over a field that staff edited."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TypeVar

import orjson

from newsletter.content.parsing.entries import EventEntry, StoryEntry
from newsletter.models import EventNotice, Source, Story

TRACKED_FIELDS = ("starts_at", "all_day", "day", "place_text", "town", "region", "online", "cancelled")
Row = TypeVar("Row", Story, EventNotice)
_IDENTITY_FIELDS = frozenset({"addresses"})


def create_or_update_row(
    model: type[Row], source: Source, external_id: str, known: Row | None, values: Mapping[str, object], now: datetime
) -> Row:
    """Return the row, created or updated. ``known`` is the existing row, or None."""
    if known is None:
        row, _ = model.objects.get_or_create(
            source=source, external_id=external_id, defaults={**values, "seen_at": now}
        )
        return row
    for name, value in values.items():
        if name not in known.edited_fields:
            setattr(known, name, value)
    if isinstance(known, EventNotice):
        record_event_change(known, now=now)
    known.save()
    return known


def hash_entry(entry: StoryEntry | EventEntry) -> str:
    """Hash the content of an entry. Its other addresses identify it and are no content."""
    said = {name: value for name, value in asdict(entry).items() if name not in _IDENTITY_FIELDS}
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def record_event_change(event: EventNotice, *, now: datetime) -> None:
    """Set ``changed_at`` of a row that is about to be saved, if its facts differ from the stored ones."""
    stored = EventNotice.objects.filter(pk=event.pk).values(*TRACKED_FIELDS).first()
    if stored is not None and any(getattr(event, name) != value for name, value in stored.items()):
        event.changed_at = now
