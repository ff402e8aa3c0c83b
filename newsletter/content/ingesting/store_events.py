"""Store one event of a source: in its zone, at its location, never over a field that staff edited."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from newsletter.common.messages import Message
from newsletter.content.ingesting.home_location import find_home_country, find_home_zone
from newsletter.content.ingesting.location_questions import (
    apply_remembered_location,
    has_edited_location,
    has_edited_time,
    make_location_question,
)
from newsletter.content.ingesting.translated_events import record_event_change, report_changed_event
from newsletter.content.parsing.calendars.cancelled_titles import find_title_note
from newsletter.content.parsing.entries import EventEntry, hash_entry
from newsletter.content.parsing.event_locations import EventLocation, locate_event
from newsletter.models import EventNotice, Source
from newsletter.models.content.events import NO_ZONE
from newsletter.outbound.publishing_facts import report_event_notice
from subscribers.models import EventKind
from subscribers.places.towns import main_zone

_UTC_NAMES = ("", "UTC", "Etc/UTC")


def store_event(source: Source, entry: EventEntry, *, now: datetime) -> str:
    """Store the entry. Return "new", "updated" or "unchanged"."""
    entry = _note_title(entry)
    sha256 = _hash(entry, source=source)
    stored = EventNotice.objects.filter(source=source, external_id=entry.external_id[:500]).first()
    if stored and stored.source_sha256 == sha256:
        return "unchanged"
    located = locate_event(entry, default_region=source.region, home_country=find_home_country())
    located = apply_remembered_location(located, source=source, text=entry.place)
    basis = find_zone_basis(entry, located=located)
    with transaction.atomic():
        # Staff may have edited the event since it was read.
        stored = EventNotice.objects.select_for_update().filter(pk=stored.pk).first() if stored else None
        entry = resolve_event_zone(
            entry,
            located=located,
            source_region=source.region,
            home_zone=find_home_zone(),
            floating_zone=_find_floating_zone(source, stored),
        )
        values = _make_values(source, entry, located, edited=has_edited_location(stored), basis=basis)
        values |= {"source_sha256": sha256}
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


def _hash(entry: EventEntry, *, source: Source) -> str:
    """Return the hash of the entry and of the zone in which it is read, if its source's setting decides it."""
    sha256 = hash_entry(entry)
    if not (entry.floating and source.floating_zone):
        return sha256
    return hashlib.sha256(f"{sha256} {source.floating_zone}".encode()).hexdigest()


def _find_floating_zone(source: Source, stored: EventNotice | None) -> str:
    """Return the zone that staff gave for the source, or "". Hours that staff wrote stay in the zone they were written in."""
    if source.floating_zone and stored is not None and has_edited_time(stored):
        return stored.zone or "UTC"
    return source.floating_zone


def _make_values(
    source: Source, entry: EventEntry, located: EventLocation, *, edited: bool, basis: EventNotice.ZoneBasis
) -> dict[str, object]:
    """Return the values of the event's row. ``edited``: staff wrote its location, so nothing is asked about it."""
    location_note = "" if edited else located.note
    event_note = _join(entry.zone_note, entry.note)
    question = {} if edited else make_location_question(located, event_note=event_note)
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
        "note": _join(event_note, location_note),
        "note_without_zone": _join(entry.note, "" if question else location_note) if basis in NO_ZONE else "",
        "zone_basis": basis,
        "place_question": question,
    }


def _join(*notes: str) -> str:
    present = [note for note in notes if note]
    return Message.joined(present, between=" ") if present else ""


def find_zone_basis(entry: EventEntry, *, located: EventLocation) -> EventNotice.ZoneBasis:
    """Return why the source does not decide the zone of an event."""
    basis = EventNotice.ZoneBasis
    if not entry.floating:
        return basis.GIVEN
    if entry.unknown_zone:
        return basis.UNKNOWN
    return basis.PLACE if entry.at_place and located.zone else basis.FLOATING


def resolve_event_zone(
    entry: EventEntry, *, located: EventLocation, source_region: str, home_zone: str = "", floating_zone: str = ""
) -> EventEntry:
    """Return the event with its moments in UTC, never floating, and in the zone of its location if it names none.

    ``source_region`` is the ISO 3166-2 code of its source, or "". ``home_zone`` is that of the publications, or "": the
    time of an event that names neither zone nor place is read in it. ``floating_zone`` is the zone that staff gave for the
    source, or "": they are asked nothing about a time that names no zone. It does not apply to a time that names an unknown
    one, and gives way to the location if the source says that its times are those of the location.
    """
    if not entry.floating:
        return replace(entry, zone=located.zone or entry.zone) if entry.zone in _UTC_NAMES else entry
    region_zone = main_zone(region=located.region, country=located.country) or main_zone(region=source_region)
    zone = located.zone or region_zone or home_zone
    given_zone = "" if entry.unknown_zone else floating_zone
    if given_zone and not (entry.at_place and located.zone):
        zone = given_zone
    if entry.all_day or given_zone:
        reading = ""
    elif located.zone:
        reading = Message("Its time is read as %(zone)s, the zone of its place.", zone=zone)
    elif home_zone and not region_zone:
        reading = Message("Its time is read as %(zone)s, the time zone of your publications. Check it.", zone=zone)
    else:
        reading = Message("Its time is read as %(zone)s. Check it.", zone=zone or "UTC")
    return replace(
        entry,
        starts_at=_at(entry.starts_at, zone),
        ends_at=_at(entry.ends_at, zone) if entry.ends_at else None,
        zone=zone,
        floating=False,
        zone_note="" if given_zone else _join(entry.zone_note, reading),
    )


def _at(wall_clock: datetime, zone: str) -> datetime:
    return wall_clock.replace(tzinfo=ZoneInfo(zone or "UTC")).astimezone(UTC)
