"""Choose what a translation that staff wrote of an event takes over when the facts of its original change.

It takes over a fact that it still had as its original had it. What staff wrote otherwise stays, with a note to check it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from newsletter.common.messages import Message
from newsletter.models import EventNotice
from subscribers.places.distance import distance_km

MAX_KM_BETWEEN = 20
"""Up to this distance, a translation is at the location of its original: words of staff move it to the centre of a town."""

_LEADING_TIME = frozenset({"starts_at", "all_day", "day"})
_LEADING_LOCATION = frozenset({"country", "region", "latitude", "longitude"})
_GROUPS = (
    (_LEADING_TIME, _LEADING_TIME | {"ends_at", "zone"}),
    (_LEADING_LOCATION, _LEADING_LOCATION | {"town", "online"}),
    (frozenset({"place_text"}), frozenset({"place_text"})),
)
_TIME_NOTE = Message("The time of its original has changed. This translation has a time of its own: check it.")
_PLACE_NOTE = Message("The place of its original has changed. This translation has a place of its own: check it.")
_NOTES = (_TIME_NOTE, _PLACE_NOTE, Message.joined([_TIME_NOTE, _PLACE_NOTE], between=" "))


def follow_original(translation: EventNotice, *, before: dict[str, object], changed: dict[str, object]) -> None:
    """Set what the translation takes over, and its note. The caller saves the row.

    ``before`` are the facts of the original until now, ``changed`` its new ones. The time and the location are each taken
    over as a whole if the translation has the old one.
    """
    taken = {**_select_facts(translation, before=before, changed=changed), **_select_cancellation(translation, changed)}
    for name, value in taken.items():
        setattr(translation, name, value)
    if taken.get("latitude") is not None or taken.get("online"):
        _forget_question(translation)
    facts = {name: value for name, value in (before | changed).items() if name != "cancelled"}
    different = {name for name, value in facts.items() if not _is_same(name, getattr(translation, name), value)}
    in_time, noted = _GROUPS[0][1], _list_notes(translation)
    notes = [
        note
        for note, fields in ((_TIME_NOTE, different & in_time), (_PLACE_NOTE, different - in_time))
        if fields and (note in noted or not fields.isdisjoint(changed))
    ]
    if notes:
        _set_note(translation, Message.joined(notes, between=" ") if len(notes) > 1 else notes[0])
    elif noted:
        _set_note(translation, "")


def cancel_with_original(translation: EventNotice) -> None:
    """Cancel the translation so that it is restored with its original. One that staff cancelled stays cancelled."""
    translation.cancelled = True
    translation.edited_fields = [name for name in translation.edited_fields if name != "cancelled"]


def remove_difference_note(event: EventNotice) -> None:
    """Remove the note that its original changed from a translation that staff are about to save: they have seen it."""
    if event.note in _NOTES:
        event.note = ""
    if event.place_question.get("event_note") in _NOTES:
        event.place_question = {**event.place_question, "event_note": ""}


def _select_facts(
    translation: EventNotice, *, before: Mapping[str, object], changed: Mapping[str, object]
) -> dict[str, object]:
    taken: dict[str, object] = {}
    for leading, fields in _GROUPS:
        same = {name for name in fields if _is_same(name, getattr(translation, name), before[name])}
        if leading <= same or (leading is _LEADING_LOCATION and _is_at_location(translation, before)):
            chosen = same if leading.isdisjoint(changed) else fields
            taken |= {name: changed[name] for name in chosen & changed.keys()}
    return taken


def _is_same(name: str, own: object, original: object) -> bool:
    """Compare two values of a fact. The form of an event has no seconds."""
    if name == "starts_at":
        own, original = (cast(datetime, value).replace(second=0, microsecond=0) for value in (own, original))
    return own == original


def _is_at_location(translation: EventNotice, before: Mapping[str, object]) -> bool:
    """Return True if the translation was near the location of its original, or if nobody knows where it is."""
    if translation.latitude is None or translation.longitude is None:
        return bool(translation.place_question) or not translation.online
    if before["latitude"] is None or before["longitude"] is None:
        return False
    latitude, longitude = float(str(before["latitude"])), float(str(before["longitude"]))
    return distance_km(translation.latitude, translation.longitude, latitude, longitude) <= MAX_KM_BETWEEN


def _forget_question(translation: EventNotice) -> None:
    """Ask nobody any more where the translation is: it is where its original is."""
    translation.note = translation.place_question.get("event_note", translation.note)
    translation.place_question = {}


def _list_notes(translation: EventNotice) -> list[Message]:
    """Return which of the two notes the translation has."""
    stored = (translation.note, translation.place_question.get("event_note"))
    both = _NOTES[-1]
    return [note for note in (_TIME_NOTE, _PLACE_NOTE) if note in stored or both in stored]


def _select_cancellation(translation: EventNotice, changed: Mapping[str, object]) -> dict[str, object]:
    if changed.get("cancelled") is True and not translation.cancelled:
        cancel_with_original(translation)
        return {"cancelled": True}
    if changed.get("cancelled") is False and translation.cancelled and "cancelled" not in translation.edited_fields:
        return {"cancelled": False}
    return {}


def _set_note(translation: EventNotice, note: Message | str) -> None:
    """Set the note; if staff are asked about its location, it is shown once they have answered."""
    if translation.place_question:
        translation.place_question = {**translation.place_question, "event_note": note}
    else:
        translation.note = note
