"""Complete a story or event that a person or another system writes here: its record of edits, and where an event is."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from newsletter.content.ingesting.home_location import find_home_country
from newsletter.content.ingesting.store_stories import record_addresses
from newsletter.content.ingesting.translated_events import DIFFERENCE_CHECKED, NOTE_CHECKED, settle_differences
from newsletter.content.parsing.entries import EventEntry
from newsletter.content.parsing.event_locations import EventLocation, locate_event
from newsletter.content.parsing.urls import hash_url, is_story_page
from newsletter.models import EventNotice, Story
from newsletter.outbound.publishing_facts import report_story
from subscribers.models import EventKind

_TYPED_FIELDS = frozenset({"place_text", "town", "region", "country"})
_COORDINATES = frozenset({"latitude", "longitude"})


def note_edits(row: Story | EventNotice, *, changed: Collection[str], now: datetime) -> None:
    """Note which fields were written here, so that no source overwrites them. The caller has set them and saves the row.

    Another system can send the words for a translation's place unchanged, to say that they are right.
    """
    if row.pk is None:
        row.external_id = row.external_id or f"desk:{uuid.uuid4()}"
        row.seen_at = row.seen_at or now
    if isinstance(row, EventNotice):
        settle_differences(row, changed=changed)
        if "place_text" in changed and (row.pk is None or row.translation_of_id):
            row.place_text_changed_at = now
    written = [name for name in changed if name not in (DIFFERENCE_CHECKED, NOTE_CHECKED)]
    row.edited_fields = list(dict.fromkeys([*row.edited_fields, *written]))


def report_typed_story(story: Story, *, is_new: bool, changed: Collection[str], now: datetime) -> None:
    """Report a saved story to other systems, and record its address, so that no source adds it a second time."""
    if is_new or changed:
        report_story(EventKind.STORY_NEW if is_new else EventKind.STORY_CORRECTED, story, now=now)
    if is_story_page(story.url):
        record_addresses(story, {hash_url(story.url): story.url})


def locate_typed_event(typed: Mapping[str, Any], *, changed: Collection[str]) -> EventLocation | None:
    """Return where an event is by the fields of its form, or None if they already say all that can be known.

    ``changed`` are the fields that were edited. Typed coordinates stay. A town or address that is unknown or ambiguous
    gives a location without coordinates, with a note for staff.
    """
    texts = [text for text in (typed.get("town", ""), typed.get("place_text", "")) if text]
    has_point = typed.get("latitude") is not None and typed.get("longitude") is not None
    if has_point and not _COORDINATES.isdisjoint(changed):
        return _keep_typed(_locate(typed, place="", point=True), typed)
    if typed.get("online") or not texts or (has_point and _TYPED_FIELDS.isdisjoint(changed)):
        return None
    if "place_text" in changed and "town" not in changed:
        texts.reverse()
    found = [_locate(typed, place=text, point=False) for text in texts]
    located = next((location for location in found if location.latitude is not None), None)
    if located is None and has_point and changed and _TYPED_FIELDS.isdisjoint(set(changed) - {"place_text"}):
        return None
    located = located or found[0]
    return replace(located, town=located.town or typed.get("town", ""))


def _locate(typed: Mapping[str, Any], *, place: str, point: bool) -> EventLocation:
    entry = EventEntry(
        external_id="",
        title=typed.get("title", ""),
        starts_at=datetime.now(UTC),
        place=place,
        latitude=typed["latitude"] if point else None,
        longitude=typed["longitude"] if point else None,
    )
    return locate_event(
        entry,
        default_region=typed.get("region", ""),
        default_country=typed.get("country", ""),
        home_country=find_home_country(),
    )


def _keep_typed(located: EventLocation, typed: Mapping[str, Any]) -> EventLocation:
    """Return the location that staff typed. The gazetteer fills only the fields that they left empty."""
    return replace(
        located,
        latitude=typed["latitude"],
        longitude=typed["longitude"],
        town=typed.get("town") or located.town,
        region=typed.get("region") or located.region,
        country=typed.get("country") or located.country,
    )
