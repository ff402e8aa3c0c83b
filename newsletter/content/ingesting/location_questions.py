"""Questions to staff about the locations of events. An answer is remembered for the same text of the same source."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction

from newsletter.content.ingesting.translated_events import (
    record_event_change,
    report_changed_event,
    settle_differences,
)
from newsletter.content.parsing.event_locations import EventLocation
from newsletter.models import EventNotice, LocationAnswer, Source
from newsletter.models.staff import record_edits
from subscribers.places.folding import fold
from subscribers.places.towns import Town

LocationQuestion = dict[str, object]
_FIELDS = ("town", "country", "region", "latitude", "longitude")
_TIMES = ("starts_at", "ends_at")
_MAX_KEY_LENGTH = 300
_MAX_CANDIDATES = 12
LOCATION_FIELDS = frozenset({*_FIELDS, "online"})
TIME_FIELDS = frozenset({*_TIMES, "zone", "all_day", "day"})
_ZONE_OPEN = "zone_open"
"""The key in a question of an event whose hours staff wrote as those of its town, before its town and zone were known."""


def make_location_question(
    located: EventLocation, *, event_note: str = "", zone_open: bool = False
) -> LocationQuestion:
    """Return the question for staff as plain data; empty if the location is certain or the event has none.

    ``event_note`` is the rest of the event's note, which stays when the question is answered. With ``zone_open``, the
    answer also moves the event to the zone of its town.
    """
    if located.latitude is not None or not located.note or (located.online and not located.candidates):
        return {}
    candidates = [_to_dict(town) for town in located.candidates[:_MAX_CANDIDATES]]
    question: LocationQuestion = {"note": located.note, "event_note": event_note, "candidates": candidates}
    return {**question, _ZONE_OPEN: True} if zone_open else question


def is_zone_open(event: EventNotice) -> bool:
    """Return True if staff wrote the event's hours as those of its town, and nobody has said yet which town it is."""
    return bool(event.place_question.get(_ZONE_OPEN))


def apply_remembered_location(located: EventLocation, *, source: Source, text: str) -> EventLocation:
    """Return the location with the answer that staff gave for the same text of this source, if there is a question."""
    if not make_location_question(located):
        return located
    answer = LocationAnswer.objects.filter(source=source, words=_key(text)).first()
    if answer is None:
        return located
    return replace(located, **{name: getattr(answer, name) for name in (*_FIELDS, "zone")}, note="", candidates=())


def answer_location_question(*, event: EventNotice, town: Town, by: User | AnonymousUser | None, now: datetime) -> int:
    """Set the location of every event of the same source and text, and remember it. Return the number of events changed.

    The source is read again completely, because the location decides the time zone of events that name none.
    """
    answer = _to_dict(town)
    with transaction.atomic():
        same = EventNotice.objects.select_for_update().filter(pk=event.pk)
        if event.source_id:
            LocationAnswer.objects.update_or_create(
                source_id=event.source_id,
                words=_key(event.place_text),
                defaults={**answer, "by": by if isinstance(by, User) else None, "at": now},
            )
            same = EventNotice.objects.select_for_update().filter(source=event.source_id).exclude(place_question={})
            Source.objects.filter(pk=event.source_id).update(etag="", last_modified="", due_at=None)
        changed = [row for row in same if row.pk == event.pk or _key(row.place_text) == _key(event.place_text)]
        for row in changed:
            _apply_answer(row, answer, now=now)
        record_edits(changed, person=by, at=now)
    return len(changed)


def remove_location_question(event: EventNotice) -> None:
    """Remove the question, and its text in the event's note, from an event whose location staff have set."""
    if event.place_question:
        event.note = event.place_question.get("event_note", "")
    event.place_question = {}


def has_edited_location(event: EventNotice | None) -> bool:
    """Return True if staff wrote the location of an event themselves."""
    return event is not None and not LOCATION_FIELDS.isdisjoint(event.edited_fields)


def has_edited_time(event: EventNotice) -> bool:
    """Return True if staff wrote the time of an event, or its zone, themselves."""
    return not TIME_FIELDS.isdisjoint(event.edited_fields)


def _apply_answer(event: EventNotice, answer: dict[str, object], *, now: datetime) -> None:
    for name in _FIELDS:
        if name not in event.edited_fields:
            setattr(event, name, answer[name])
    if is_zone_open(event):
        move_to_zone(event, str(answer["zone"]))
    remove_location_question(event)
    settle_differences(event, changed=_FIELDS)
    event.source_sha256 = ""
    record_event_change(event, now=now)
    recorded = ("changed_at", "reused_at")
    event.save(update_fields=[*_FIELDS, *_TIMES, "zone", "note", "place_question", "source_sha256", *recorded])
    report_changed_event(event, now=now)


def move_to_zone(event: EventNotice, zone: str) -> None:
    """Move an event to the zone of its town, if it is known, at the same local time. The caller saves it."""
    if not zone:
        return
    before = ZoneInfo(event.zone or settings.TIME_ZONE)
    for name in _TIMES:
        moment = getattr(event, name)
        if moment is not None:
            setattr(event, name, moment.astimezone(before).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC))
    event.zone = zone


def _to_dict(town: Town) -> dict[str, object]:
    return {
        "town": town.name,
        "country": town.country,
        "region": town.region,
        "latitude": town.latitude,
        "longitude": town.longitude,
        "zone": town.zone,
    }


def _key(text: str) -> str:
    return fold(text)[:_MAX_KEY_LENGTH]
