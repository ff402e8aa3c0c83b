"""Questions about the places of events: asked of staff, answered once, remembered for the same words of the same source."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction

from newsletter.common.messages import Message
from newsletter.content.parsing.event_locations import EventLocation
from newsletter.models import EventNotice, LocationAnswer, Source
from newsletter.models.staff import record_edits
from subscribers.places.folding import fold
from subscribers.places.towns import Town

LocationQuestion = dict[str, Any]
_FIELDS = ("town", "country", "region", "latitude", "longitude")
_MAX_KEY_LENGTH = 300
_MAX_CANDIDATES = 12
PLACE_FIELDS = frozenset({*_FIELDS, "online"})


def make_location_question(located: EventLocation) -> LocationQuestion:
    """Return the question that staff should answer, as plain data; empty if the place is certain, or there is none."""
    if located.latitude is not None or not located.note or (located.online and not located.candidates):
        return {}
    return {"note": located.note, "candidates": [_to_dict(place) for place in located.candidates[:_MAX_CANDIDATES]]}


def apply_remembered_location(located: EventLocation, *, source: Source, words: str) -> EventLocation:
    """Return the place with the answer that staff gave for the same words of this source, if it is a question at all."""
    if not make_location_question(located):
        return located
    settled = LocationAnswer.objects.filter(source=source, words=_key(words)).first()
    if settled is None:
        return located
    return replace(located, **{name: getattr(settled, name) for name in (*_FIELDS, "zone")}, note="", candidates=())


def answer_location_question(*, event: EventNotice, place: Town, by: Any, now: datetime) -> int:
    """Put every event of the same source and words in this place, and remember it. Return how many events were changed.

    The source is read whole again, for the place decides about the time zone of events that name none.
    """
    answer = _to_dict(place)
    with transaction.atomic():
        alike = EventNotice.objects.select_for_update().filter(pk=event.pk)
        if event.source_id:
            LocationAnswer.objects.update_or_create(
                source_id=event.source_id, words=_key(event.place_text), defaults={**answer, "by": by, "at": now}
            )
            alike = EventNotice.objects.select_for_update().filter(source=event.source_id).exclude(place_question={})
            Source.objects.filter(pk=event.source_id).update(etag="", last_modified="", due_at=None)
        changed = [one for one in alike if one.pk == event.pk or _key(one.place_text) == _key(event.place_text)]
        for one in changed:
            _apply_answer(one, answer)
        record_edits(changed, person=by, at=now)
    return len(changed)


def remove_location_question(event: EventNotice) -> None:
    """Take the question, and what the event's note says of it, off an event whose place staff have settled."""
    asked = event.place_question.get("note", "")
    if asked:
        notes = event.note.values.values() if isinstance(event.note, Message) and event.note != asked else [event.note]
        event.note = join_notes(*(note for note in notes if note != asked)) if asked in event.note else event.note
    event.place_question = {}


def join_notes(*notes: str) -> str:
    """Return the notes that are not empty as one text, of which each part is translated by itself."""
    given = [note for note in notes if note]
    return Message.joined(given, between=" ") if len(given) > 1 else next(iter(given), "")


def has_edited_location(event: EventNotice | None) -> bool:
    """Return True if staff wrote the place of an event themselves, so that there is nothing to ask."""
    return event is not None and not PLACE_FIELDS.isdisjoint(event.edited_fields)


def _apply_answer(event: EventNotice, answer: dict[str, Any]) -> None:
    for name in _FIELDS:
        if name not in event.edited_fields:
            setattr(event, name, answer[name])
    remove_location_question(event)
    event.source_sha256 = ""
    event.save(update_fields=[*_FIELDS, "note", "place_question", "source_sha256"])


def _to_dict(place: Town) -> dict[str, Any]:
    return {
        "town": place.name,
        "country": place.country,
        "region": place.region,
        "latitude": place.latitude,
        "longitude": place.longitude,
        "zone": place.zone,
    }


def _key(words: str) -> str:
    return fold(words)[:_MAX_KEY_LENGTH]
