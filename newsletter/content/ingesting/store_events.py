"""Store one event of a source: in its zone, at its location, never over a field that staff edited."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from newsletter.common.messages import Message
from newsletter.content.ingesting.home_location import find_home_country, find_home_zone
from newsletter.content.ingesting.location_questions import (
    apply_remembered_location,
    has_edited_location,
    make_location_question,
)
from newsletter.content.ingesting.translated_events import record_event_change, report_changed_event
from newsletter.content.parsing.calendars.cancelled_titles import find_title_note
from newsletter.content.parsing.entries import EventEntry, hash_entry
from newsletter.content.parsing.event_locations import EventLocation, locate_event
from newsletter.models import EventNotice, Source
from newsletter.outbound.publishing_facts import report_event_notice
from subscribers.models import EventKind
from subscribers.places.towns import main_zone

_UTC_NAMES = ("", "UTC", "Etc/UTC")


def store_event(source: Source, entry: EventEntry, *, now: datetime) -> str:
    """Store the entry. Return "new", "updated" or "unchanged"."""
    entry = _note_title(entry)
    sha256 = hash_entry(entry)
    stored = EventNotice.objects.filter(source=source, external_id=entry.external_id[:500]).first()
    if stored and stored.source_sha256 == sha256:
        return "unchanged"
    located = locate_event(entry, default_region=source.region, home_country=find_home_country())
    located = apply_remembered_location(located, source=source, text=entry.place)
    entry = resolve_event_zone(entry, located=located, source_region=source.region, home_zone=find_home_zone())
    with transaction.atomic():
        # Staff may have edited the event since it was read.
        stored = EventNotice.objects.select_for_update().filter(pk=stored.pk).first() if stored else None
        values = _make_values(source, entry, located, edited=has_edited_location(stored)) | {"source_sha256": sha256}
        if stored is None:
            event, made = EventNotice.objects.get_or_create(
                source=source, external_id=entry.external_id[:500], defaults={**values, "seen_at": now}
            )
            if made:
                report_event_notice(EventKind.EVENT_NEW, event, now=now)
        else:
            stored.set_source_values(values)
            record_event_change(stored, now=now)
            stored.save()
            report_changed_event(stored, now=now)
    return "updated" if stored else "new"


def _note_title(entry: EventEntry) -> EventEntry:
    """Return the event with a note for staff if only its title says that it is cancelled or postponed."""
    note = None if entry.cancelled else find_title_note(entry.title)
    if note is None:
        return entry
    return replace(entry, note=Message.joined([entry.note, note], between=" ") if entry.note else note)


def _make_values(source: Source, entry: EventEntry, located: EventLocation, *, edited: bool) -> dict[str, object]:
    """Return the values of the event's row. ``edited``: staff wrote its location, so nothing is asked about it."""
    notes = [note for note in (entry.note, "" if edited else located.note) if note]
    return {
        "title": entry.title,
        "summary": entry.summary,
        "url": entry.url,
        "language": source.language,
        "starts_at": entry.starts_at,
        "ends_at": entry.ends_at,
        "zone": entry.zone,
        "all_day": entry.all_day,
        "day": entry.day,
        "place_text": entry.place[:300],
        "town": located.town,
        "country": located.country,
        "region": located.region,
        "latitude": located.latitude,
        "longitude": located.longitude,
        "online": located.online,
        "cancelled": entry.cancelled,
        "note": Message.joined(notes, between=" ") if notes else "",
        "place_question": {} if edited else make_location_question(located, event_note=entry.note),
    }


def resolve_event_zone(
    entry: EventEntry, *, located: EventLocation, source_region: str, home_zone: str = ""
) -> EventEntry:
    """Return the event with its moments in UTC, never floating, and in the zone of its location if it names none.

    ``source_region`` is the ISO 3166-2 code of its source, or "". ``home_zone`` is that of the publications, or "": the
    time of an event that names neither zone nor place is read in it.
    """
    if not entry.floating:
        return replace(entry, zone=located.zone or entry.zone) if entry.zone in _UTC_NAMES else entry
    region_zone = main_zone(region=located.region, country=located.country) or main_zone(region=source_region)
    zone = located.zone or region_zone or home_zone
    notes = [entry.note] if entry.note else []
    if not entry.all_day and located.zone:
        notes.append(Message("Its time is read as %(zone)s, the zone of its place.", zone=zone))
    elif not entry.all_day and home_zone and not region_zone:
        notes.append(Message("Its time is read as %(zone)s, the time zone of your publications. Check it.", zone=zone))
    elif not entry.all_day:
        notes.append(Message("Its time is read as %(zone)s. Check it.", zone=zone or "UTC"))
    return replace(
        entry,
        starts_at=_at(entry.starts_at, zone),
        ends_at=_at(entry.ends_at, zone) if entry.ends_at else None,
        zone=zone,
        floating=False,
        note=Message.joined(notes, between=" ") if notes else "",
    )


def _at(wall_clock: datetime, zone: str) -> datetime:
    return wall_clock.replace(tzinfo=ZoneInfo(zone or "UTC")).astimezone(UTC)
