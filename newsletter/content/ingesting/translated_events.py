"""Record a change of an event, and apply it to the translations that staff wrote of it.

A translation takes over a fact that it still had as its original had it. Fields in which staff differ from the original
stay, with a note to check them.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import cast

from newsletter.common.messages import Message
from newsletter.models import EventNotice
from newsletter.outbound.publishing_facts import report_event_notice
from subscribers.models import EventKind
from subscribers.places.towns import distance_km

DIFFERENCE_CHECKED = "difference_checked"
"""The name of the answer of staff that a translation rightly differs from its original."""
NOTE_CHECKED = "note_checked"
"""The name of the answer of staff that they have checked what the note of an event says."""
MAX_KM_BETWEEN = 20
"""Up to this distance, a translation is at the location of its original: words of staff move it to the centre of a town."""

TRACKED_FIELDS = ("starts_at", "all_day", "day", "place_text", "town", "region", "online", "cancelled")
FACT_FIELDS = (*TRACKED_FIELDS, "ends_at", "zone", "country", "latitude", "longitude")
_LEADING_TIME = frozenset({"starts_at", "all_day", "day"})
_LEADING_LOCATION = frozenset({"country", "region", "latitude", "longitude"})
_GROUPS = (
    (_LEADING_TIME, _LEADING_TIME | {"ends_at", "zone"}),
    (_LEADING_LOCATION, _LEADING_LOCATION | {"town", "online"}),
    (frozenset({"place_text"}), frozenset({"place_text"})),
)
_TIME_NOTE = Message("The time of its original has changed. This translation has a time of its own: check it.")
_PLACE_NOTE = Message("The place of its original has changed. This translation has a place of its own: check it.")
_BOTH_NOTES = Message.joined([_TIME_NOTE, _PLACE_NOTE], between=" ")
_IN_TIME = _GROUPS[0][1]
_FIELDS_OF_NOTES = ((_TIME_NOTE, _IN_TIME), (_PLACE_NOTE, frozenset(FACT_FIELDS) - _IN_TIME - {"cancelled"}))


def report_changed_event(event: EventNotice, *, now: datetime) -> None:
    """Report a saved event whose facts changed at this moment to the organisation's other systems."""
    if event.changed_at == now:
        report_event_notice(EventKind.EVENT_WITHDRAWN if event.cancelled else EventKind.EVENT_CORRECTED, event, now=now)


def record_event_change(event: EventNotice, *, now: datetime) -> None:
    """Set the moments of a row's last changes, if its facts differ from the stored ones. The caller saves it.

    Call it in the transaction of the save: each translation that staff wrote takes over the new facts.
    """
    stored = EventNotice.objects.filter(pk=event.pk).values(*FACT_FIELDS).first() or {}
    changed = {name: getattr(event, name) for name, value in stored.items() if getattr(event, name) != value}
    if not changed.keys().isdisjoint(TRACKED_FIELDS):
        event.changed_at = now
    if "place_text" in changed:
        event.place_text_changed_at = now
    if not _LEADING_TIME.isdisjoint(changed) and _was_over(stored, now=now):
        event.reused_at = now
    if changed:
        _change_translations(event, before=stored, changed=changed, now=now)


def _was_over(facts: Mapping[str, object], *, now: datetime) -> bool:
    starts_at, ends_at = (cast(datetime | None, facts[name]) for name in ("starts_at", "ends_at"))
    end = ends_at or (starts_at and starts_at + timedelta(days=1 if facts["all_day"] else 0))
    return end is not None and end <= now


def _change_translations(
    event: EventNotice, *, before: dict[str, object], changed: dict[str, object], now: datetime
) -> None:
    """Change the event's translations. A translation with its own source gets its time and location from there."""
    for translation in event.translations.filter(source__isnull=True).select_for_update(of=("self",)).order_by("pk"):
        follow_original(translation, before=before, changed=changed)
        record_event_change(translation, now=now)
        translation.save()
        report_changed_event(translation, now=now)


def cancel_translations(events: Iterable[EventNotice], *, now: datetime) -> None:
    """Cancel the translations that staff wrote of events that were just cancelled by their source."""
    originals = [event.pk for event in events]
    for translation in EventNotice.objects.filter(
        translation_of__in=originals, source__isnull=True, cancelled=False, starts_at__gt=now
    ):
        cancel_with_original(translation)
        translation.changed_at = now
        translation.save()
        report_changed_event(translation, now=now)


def follow_original(translation: EventNotice, *, before: dict[str, object], changed: dict[str, object]) -> None:
    """Copy the changed fields to the translation, and set its note. The caller saves the row.

    ``before`` are the facts of the original until now, ``changed`` its new ones. The time and the location are each copied
    completely if the translation has the old one.
    """
    taken = {**_select_facts(translation, before=before, changed=changed), **_select_cancellation(translation, changed)}
    for name, value in taken.items():
        setattr(translation, name, value)
    if taken.get("latitude") is not None or taken.get("online"):
        _forget_question(translation)
    different, noted = _find_differences(translation, before | changed), _list_notes(translation)
    notes = [
        note
        for note, fields in _FIELDS_OF_NOTES
        if fields & different and (note in noted or not (fields & different).isdisjoint(changed))
    ]
    if notes or noted:
        _set_notes(translation, notes)


def cancel_with_original(translation: EventNotice) -> None:
    """Cancel the translation so that it is restored with its original. One that staff cancelled stays cancelled."""
    translation.cancelled = True
    translation.edited_fields = [name for name in translation.edited_fields if name != "cancelled"]


def has_difference_note(event: EventNotice) -> bool:
    """Return True if staff see a note that the event's original changed. An open question about its location hides it."""
    return not event.place_question and bool(_list_notes(event))


def has_same_location(event: EventNotice, other: EventNotice) -> bool:
    """Return True if two translations of an event are certainly at one location, which the words of ``event`` name."""
    if any(_PLACE_NOTE in _list_notes(one) for one in (event, other)) or _may_be_outdated(event, other):
        return False
    facts = {name: getattr(other, name) for name in _GROUPS[1][1]}
    return not _find_differences(event, facts)


def _may_be_outdated(event: EventNotice, other: EventNotice) -> bool:
    """Return True if the words of ``event`` may be older than the location of ``other``. Two venues of a town are near.

    If staff wrote the words of one of them, no reading of its source compares the two. Then those of ``event`` must have
    been stored, changed or confirmed since. That its time changed says nothing about them. If no moment says when staff
    wrote those of ``other``, they may be as new as its last change.
    """
    if event.source is None or other.changed_at is None:
        return False
    words_at = event.place_text_changed_at or event.seen_at
    if words_at >= other.changed_at:
        return False
    if "place_text" in other.edited_fields:
        return words_at < (other.place_text_changed_at or other.changed_at)
    if "place_text" in event.edited_fields and other.place_text_changed_at is not None:
        return words_at < other.place_text_changed_at
    read_at = event.source.last_success_at
    return read_at is None or read_at < other.changed_at


def settle_differences(event: EventNotice, *, changed: Collection[str]) -> None:
    """Remove the notes about facts that staff wrote in this translation, or that are as in its original again.

    ``changed`` are the fields that staff wrote. `DIFFERENCE_CHECKED` among them: staff say that all differences are right.
    """
    noted = _list_notes(event)
    if not noted:
        return
    original = EventNotice.objects.filter(pk=event.translation_of_id).values(*FACT_FIELDS).first()
    if original is None or not {DIFFERENCE_CHECKED, "translation_of"}.isdisjoint(changed):
        _set_notes(event, [])
        return
    different = _find_differences(event, original)
    _set_notes(
        event,
        [
            note
            for note, fields in _FIELDS_OF_NOTES
            if note in noted and fields & different and fields.isdisjoint(changed)
        ],
    )


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


def _find_differences(translation: EventNotice, original: Mapping[str, object]) -> set[str]:
    """Return the facts in which a translation differs. Two points of one town are no difference."""
    facts = {name: value for name, value in original.items() if name != "cancelled"}
    different = {name for name, value in facts.items() if not _is_same(name, getattr(translation, name), value)}
    if "online" not in different and "country" not in different and _is_near(translation, original):
        different -= _GROUPS[1][1]
    return different


def _is_same(name: str, own: object, original: object) -> bool:
    """Compare two values of a fact. The form of an event has no seconds."""
    if name in ("starts_at", "ends_at") and own and original:
        own, original = (cast(datetime, value).replace(second=0, microsecond=0) for value in (own, original))
    return own == original


def _is_at_location(translation: EventNotice, before: Mapping[str, object]) -> bool:
    """Return True if the translation was near the location of its original, or if nobody knows where it is."""
    if translation.latitude is None or translation.longitude is None:
        own = (translation.country, translation.region)
        is_unknown = own in (("", ""), (before["country"], before["region"]))
        return bool(translation.place_question) or (not translation.online and is_unknown)
    return _is_near(translation, before)


def _is_near(translation: EventNotice, original: Mapping[str, object]) -> bool:
    """Return True if the two are so near that words explain the difference, and staff named no other town."""
    if translation.latitude is None or translation.longitude is None:
        return False
    if original["latitude"] is None or original["longitude"] is None:
        return False
    if "town" in translation.edited_fields and translation.town != original["town"]:
        return False
    latitude, longitude = float(str(original["latitude"])), float(str(original["longitude"]))
    return distance_km(translation.latitude, translation.longitude, latitude, longitude) <= MAX_KM_BETWEEN


def _forget_question(translation: EventNotice) -> None:
    """Ask nobody any more where the translation is: it is where its original is."""
    translation.note = translation.place_question.get("event_note", translation.note)
    translation.place_question = {}


def _list_notes(translation: EventNotice) -> list[Message]:
    """Return which of the two notes the translation has."""
    stored = (translation.note, translation.place_question.get("event_note"))
    return [note for note in (_TIME_NOTE, _PLACE_NOTE) if note in stored or _BOTH_NOTES in stored]


def _select_cancellation(translation: EventNotice, changed: Mapping[str, object]) -> dict[str, object]:
    if changed.get("cancelled") is True and not translation.cancelled:
        cancel_with_original(translation)
        return {"cancelled": True}
    if changed.get("cancelled") is False and translation.cancelled and "cancelled" not in translation.edited_fields:
        return {"cancelled": False}
    return {}


def _set_notes(translation: EventNotice, notes: list[Message]) -> None:
    """Set the notes; if staff are asked about its location, they are shown once they have answered."""
    note = _BOTH_NOTES if len(notes) > 1 else next(iter(notes), "")
    if translation.place_question:
        translation.place_question = {**translation.place_question, "event_note": note}
    else:
        translation.note = note
