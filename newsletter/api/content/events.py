"""API calls about events. The gazetteer locates what is typed, as in the desk; a change is reported to readers."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Status

from newsletter.api.calls.access import ApiKeyAuth, get_key
from newsletter.api.calls.pages import Page, PageParams, make_page
from newsletter.api.calls.preconditions import check_unchanged
from newsletter.api.calls.saving import delete_row, keep_approvals, save_row
from newsletter.api.content.schemas import EventAnswer, EventChange, NewEvent
from newsletter.common.errors import NotFound
from newsletter.content.ingesting.home_location import find_home_zone
from newsletter.content.ingesting.location_questions import (
    LOCATION_FIELDS,
    is_zone_open,
    make_location_question,
    move_to_zone,
    remove_location_question,
)
from newsletter.content.ingesting.manual_content import locate_typed_event, note_edits
from newsletter.content.ingesting.translated_events import record_event_change, report_changed_event
from newsletter.models import ApiScope, EventNotice
from newsletter.outbound.publishing_facts import report_event_notice
from subscribers.models import EventKind

router = Router(tags=["events"])
READING, WRITING = ApiKeyAuth(ApiScope.CONTENT_READ), ApiKeyAuth(ApiScope.CONTENT_WRITE)
_LOCATED_FIELDS = ("town", "country", "region", "latitude", "longitude")
_HOURS = frozenset({"starts_at", "ends_at"})
_TYPED_FIELDS = ("title", "place_text", "town", "country", "region", "latitude", "longitude", "online")


@router.get("events", auth=READING, response=Page[EventAnswer], summary="List events")
def all_events(request: HttpRequest, page: PageParams) -> dict[str, object]:
    """Return events, the newest here first, past and cancelled ones too."""
    return make_page(request, EventNotice.objects.all(), _show, page, newest_first=True)


@router.post("events", auth=WRITING, response={201: EventAnswer}, summary="Write an event")
def create_event(request: HttpRequest, data: NewEvent) -> Status[EventAnswer]:
    """Write an event. Give its town, or its address in `place_text`, so that people near it see it."""
    return Status(201, _save(request, EventNotice(), data.model_dump()))


@router.get("events/{int:event}", auth=READING, response=EventAnswer, summary="Read an event")
def read_event(request: HttpRequest, event: int) -> EventAnswer:
    return _show(_find(event))


@router.patch("events/{int:event}", auth=WRITING, response=EventAnswer, summary="Change an event")
@transaction.atomic
def change_event(request: HttpRequest, event: int, data: EventChange) -> EventAnswer:
    """Change or cancel an event. 409 if an approved issue shows it.

    A translation can have a note that the time or the place of its original changed. To remove it, send the fields of that
    time or place, changed or not.
    """
    row = _find(event, lock=True)
    check_unchanged(request, _show(row))
    return _save(request, row, data.model_dump(exclude_unset=True))


@router.delete("events/{int:event}", auth=WRITING, response={204: None}, summary="Delete an event")
@transaction.atomic
def delete_event(request: HttpRequest, event: int) -> Status[None]:
    """Delete an event. One that its source still has comes back. To tell readers, cancel it instead."""
    key, row = get_key(request), _find(event, lock=True)
    check_unchanged(request, _show(row))
    delete_row(
        row,
        key=key,
        in_use="Nothing was deleted: a correction tells readers about “%(row)s”. Cancel it instead.",
        now=timezone.now(),
    )
    return Status(204, None)


def _save(request: HttpRequest, row: EventNotice, values: dict[str, object]) -> EventAnswer:
    now, is_new = timezone.now(), row.pk is None
    changed = [name for name in values if not is_new or values[name]]
    with transaction.atomic(), keep_approvals(now=now):
        values |= _locate(row, values, changed=changed)
        starts, ends = (values.get(name, getattr(row, name)) for name in ("starts_at", "ends_at"))
        if ends is not None and starts is not None and ends < starts:  # type: ignore[operator]
            raise ValidationError({"ends_at": "The event ends before it starts."})
        if not is_new:
            for name, value in values.items():
                setattr(row, name, value)
        note_edits(row, changed=changed, now=now)
        if not is_new:
            values = {name: getattr(row, name) for name in values}
            record_event_change(row, now=now)
        save_row(row, key=get_key(request), values=values, now=now)
        if is_new:
            report_event_notice(EventKind.EVENT_NEW, row, now=now)
        else:
            report_changed_event(row, now=now)
    return _show(row)


def _locate(row: EventNotice, values: dict[str, object], *, changed: list[str]) -> dict[str, object]:
    """Return the values that follow from what was sent: the location that the gazetteer finds, and a new event's zone."""
    typed = {name: values.get(name, getattr(row, name)) for name in _TYPED_FIELDS}
    located = locate_typed_event(typed, changed=changed)
    values_of_location: dict[str, object] = {}
    zone_open = is_zone_open(row) and _HOURS.isdisjoint(changed)
    if located is not None or not LOCATION_FIELDS.isdisjoint(changed):
        remove_location_question(row)
    if located is not None:
        values_of_location = {name: getattr(located, name) for name in _LOCATED_FIELDS}
        if zone_open and located.zone:
            move_to_zone(row, located.zone)
            values_of_location |= {name: getattr(row, name) for name in ("zone", *_HOURS)}
        zone_open = zone_open and not located.zone
        if question := make_location_question(located, event_note=row.note, zone_open=zone_open):
            values_of_location |= {"place_question": question, "note": located.note}
    if row.pk is None:
        zone = str(values.get("zone", "")) or (located.zone if located else "") or find_home_zone()
        _check_zone(zone)
        values_of_location["zone"] = zone
    return values_of_location


def _check_zone(zone: str) -> None:
    try:
        ZoneInfo(zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValidationError({"zone": f"“{zone}” is not a time zone."}) from error


def _find(pk: int, *, lock: bool = False) -> EventNotice:
    events = EventNotice.objects.select_for_update() if lock else EventNotice.objects
    row = events.filter(pk=pk).first() if pk < 2**63 else None
    if row is None:
        raise NotFound("No event has the id %(id)s.", id=pk)
    return row


def _show(row: EventNotice) -> EventAnswer:
    return EventAnswer.model_validate(row, from_attributes=True)
