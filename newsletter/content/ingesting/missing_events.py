"""Cancel events that their source no longer shows: at once if they are now private, else if they are missing.

A list that may be cut at a number of entries says nothing about the others. If most events are missing at once, the source
may be wrong, and the next reading decides.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db.models import QuerySet

from newsletter.common.messages import Message
from newsletter.content.ingesting.translated_events import cancel_translations
from newsletter.content.parsing.calendars.occurrence_ids import get_series_id
from newsletter.content.parsing.documents import CALENDAR_AHEAD
from newsletter.content.parsing.entries import Parsed, SetAside
from newsletter.content.parsing.entry_rules import label_entry
from newsletter.content.parsing.list_truncation import is_page_size
from newsletter.models import EventNotice, SetAsideEntry, Source
from newsletter.outbound.publishing_facts import report_event_notice
from subscribers.models import EventKind

_PRIVATE_NOTE = Message("Its calendar no longer shows it to the public.")
_MISSING_NOTE = Message("It is no longer in its calendar.")
_CANCELLED: dict[str, object] = {
    "cancelled": True,
    "source_sha256": "",
    "zone_basis": EventNotice.ZoneBasis.GIVEN,
    "note_without_zone": "",
}
"""The note then says why the event is cancelled, and nothing about its zone."""
_MASS_REMOVAL_COUNT = 3
# An event that moves may leave the window that is read.
_WINDOW_MARGIN = timedelta(days=31)


def cancel_private_events(source: Source, parsed: Parsed, *, now: datetime) -> int:
    """Cancel the known events that the source now marks as private, even if staff edited them. Return how many."""
    if not parsed.private:
        return 0
    private = {identity[:500] for identity in parsed.private}
    rows = [
        event
        for event in _list_upcoming(source, now=now).only("pk", "external_id", "edited_fields")
        if event.external_id in private or get_series_id(event.external_id) in private
    ]
    for event in rows:
        edited = [name for name in event.edited_fields if name != "cancelled"]
        EventNotice.objects.filter(pk=event.pk).update(
            **_CANCELLED, note=_PRIVATE_NOTE, edited_fields=edited, changed_at=now
        )
    cancel_translations(rows, now=now)
    return len(rows)


def cancel_missing_events(source: Source, parsed: Parsed, *, now: datetime) -> tuple[int, SetAside | None]:
    """Cancel the missing events. Return how many; or 0 and the reason if too many are missing: then the next reading decides.

    An event that was set aside as broken is not missing. Events outside the period that was read, or that the source lists,
    are not changed.
    """
    listed_ids = {event.external_id[:500] for event in parsed.events}
    ahead = _list_upcoming(source, now=now).filter(starts_at__lt=now + CALENDAR_AHEAD - _WINDOW_MARGIN)
    if parsed.complete_until is not None:
        ahead = ahead.filter(starts_at__lt=parsed.complete_until)
    upcoming = list(ahead.only("pk", "external_id", "title", "edited_fields", "starts_at"))
    missing = [
        event
        for event in upcoming
        if event.external_id not in listed_ids
        and "cancelled" not in event.edited_fields
        and not _is_broken(event, parsed.set_aside)
    ]
    missing = _exclude_truncated(missing, source=source, parsed=parsed)
    are_most = len(missing) == len(upcoming) or (
        len(missing) >= _MASS_REMOVAL_COUNT and len(missing) * 2 > len(upcoming)
    )
    if missing and are_most and not source.set_aside.filter(code=SetAsideEntry.Code.EVENTS_HELD).exists():
        return 0, _make_held_entry(len(missing), len(upcoming))
    EventNotice.objects.filter(pk__in=[event.pk for event in missing]).update(
        **_CANCELLED, note=_MISSING_NOTE, changed_at=now
    )
    cancel_translations(missing, now=now)
    for event in missing:
        report_event_notice(EventKind.EVENT_WITHDRAWN, event, now=now)
    return len(missing), None


def _list_upcoming(source: Source, *, now: datetime) -> QuerySet[EventNotice]:
    return source.events.filter(starts_at__gt=now, starts_at__lt=now + CALENDAR_AHEAD, cancelled=False)


def _exclude_truncated(missing: list[EventNotice], *, source: Source, parsed: Parsed) -> list[EventNotice]:
    """Return the missing events without those that may only be beyond the end of the list.

    A list that is cut at N has N entries as long as there are more. If it has fewer than before, it was not cut.
    """
    until = parsed.listed_until
    if until is None:
        return missing
    present = {*parsed.series, *(get_series_id(event.external_id) for event in parsed.events)}
    beyond = [
        event for event in missing if event.starts_at >= until and get_series_id(event.external_id) not in present
    ]
    fewer = source.last_event_count is not None and parsed.listed < source.last_event_count
    cut_shorter = len(beyond) >= _MASS_REMOVAL_COUNT and is_page_size(parsed.listed)
    return missing if fewer and not cut_shorter else _without(missing, beyond)


def _without(events: list[EventNotice], others: Collection[EventNotice]) -> list[EventNotice]:
    left_out = {event.pk for event in others}
    return [event for event in events if event.pk not in left_out]


def _is_broken(event: EventNotice, aside: Iterable[SetAside]) -> bool:
    """Return True if a set-aside entry is this event, by its identity if it has one, else by its title."""
    uid = event.external_id.rpartition("#")[0] or event.external_id
    title = label_entry(title=event.title, link="", number=0)
    return any(
        entry.external_id in (uid, event.external_id) if entry.external_id else entry.entry == title for entry in aside
    )


def _make_held_entry(missing: int, upcoming: int) -> SetAside:
    return SetAside(
        Message("Missing events"),
        Message(
            "%(missing)s of the %(upcoming)s upcoming events disappeared from this source at once, which is "
            "often an error of the source. They are kept for now. If the next reading says the same, they "
            "are cancelled.",
            missing=missing,
            upcoming=upcoming,
        ),
    )
