"""Decide what the next reading of a source does after its settings were changed, and apply the zone of its times at once."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from newsletter.common.messages import Message
from newsletter.content.ingesting.location_questions import has_edited_time, move_to_zone
from newsletter.content.ingesting.translated_events import record_event_change, report_changed_event
from newsletter.models import EventNotice, Source
from newsletter.models.content.events import NO_ZONE

_ADDRESS = frozenset({"kind", "url", "key"})
_RESTARTS = _ADDRESS | {"enabled"}
_DEFAULTS = frozenset({"language", "region", "topics", "floating_zone"})


def schedule_changed_source(source: Source, *, changed: Collection[str], now: datetime) -> None:
    """Read a changed source at once and completely. The caller saves the row, and then calls `apply_floating_zone`.

    A corrected address has not failed yet, nor has a source that was off. A changed default also applies to earlier entries.
    """
    if not changed:
        return
    source.due_at = now
    if not _RESTARTS.isdisjoint(changed):
        source.failures, source.failing_since, source.failure_notified_at, source.error = 0, None, None, ""
    if not _ADDRESS.isdisjoint(changed):
        source.last_event_count = None
    if not (_ADDRESS | _DEFAULTS).isdisjoint(changed):
        source.etag = source.last_modified = ""
    if source.pk and not _DEFAULTS.isdisjoint(changed):
        source.stories.update(source_sha256="")
        source.events.update(source_sha256="")


@transaction.atomic
def apply_floating_zone(source: Source, *, changed: Collection[str], now: datetime) -> None:
    """Move the upcoming events whose times have no zone to that of the saved source, and remove the question about it.

    Events whose time staff wrote do not move. If the source has no such zone any more, its next reading asks again.
    """
    if "floating_zone" not in changed or not source.floating_zone:
        return
    for event in source.events.select_for_update().filter(zone_basis__in=NO_ZONE).order_by("pk"):
        _remove_zone_note(event)
        if event.zone_basis == EventNotice.ZoneBasis.FLOATING and event.starts_at > now and not has_edited_time(event):
            event.zone = event.zone or "UTC"  # in which it was read
            move_to_zone(event, source.floating_zone)
        record_event_change(event, now=now)
        event.save()
        report_changed_event(event, now=now)


def _remove_zone_note(event: EventNotice) -> None:
    if "note" in event.edited_fields:
        return
    notes = [event.note_without_zone]
    if event.place_question:
        event.place_question = {**event.place_question, "event_note": event.note_without_zone}
        notes.append(str(event.place_question["note"]))
    present = [note for note in notes if note]
    event.note = Message.joined(present, between=" ") if present else ""
