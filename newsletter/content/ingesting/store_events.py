"""Store one event of a source: in its zone, at its location, never over a field that staff edited."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from newsletter.common.messages import Message
from newsletter.content.parsing.entries import EventEntry
from newsletter.content.parsing.event_locations import EventLocation
from subscribers.places.towns import main_zone

UTC_NAMES = ("", "UTC", "Etc/UTC")


def resolve_event_zone(entry: EventEntry, *, located: EventLocation, source_region: str) -> EventEntry:
    """The event with its moments in UTC, never floating, and the zone of its place where it named none of its own.

    ``source_region`` is the ISO 3166-2 code of its source, or "".
    """
    if not entry.floating:
        return replace(entry, zone=located.zone or entry.zone) if entry.zone in UTC_NAMES else entry
    region = main_zone(region=located.region, country=located.country) or main_zone(region=source_region)
    zone = located.zone or region
    note = entry.note
    if not entry.all_day:
        assumed = (
            Message("%(zone)s, the zone of its place.", zone=zone)
            if located.zone
            else Message("%(value)s. Check it.", value=zone or "UTC")
        )
        note = Message("%(note)s Its time is read as %(assumed)s", note=entry.note, assumed=assumed).strip()
    return replace(
        entry,
        starts_at=_at(entry.starts_at, zone),
        ends_at=_at(entry.ends_at, zone) if entry.ends_at else None,
        zone=zone,
        floating=False,
        note=note,
    )


def _at(wall_clock: datetime, zone: str) -> datetime:
    return wall_clock.replace(tzinfo=ZoneInfo(zone or "UTC")).astimezone(UTC)
