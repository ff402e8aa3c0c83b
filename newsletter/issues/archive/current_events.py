"""Show events on public pages as they are now: an event can move or be cancelled after the issue was sent. Reads only."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from newsletter.issues.snapshot.records.blocks import Block, EventCardBlock, EventsBlock
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.events import EventRecord
from newsletter.issues.snapshot.resolve_blocks import resolve_event
from newsletter.models import EventNotice
from newsletter.rendering.phrases import reader_text

ChangedEvents = frozenset[EventRecord]
"""Find the events whose time, place or state differs now from what an issue says."""
NO_CHANGES: ChangedEvents = frozenset()


def find_changed_events(contents: Sequence[IssueContent], *, at: datetime) -> list[ChangedEvents]:
    """Return the changed events of each content, in their order, with one query.

    An event stays as it was announced if it was over, and its source uses its row for the next one.
    """
    rows = EventNotice.objects.in_bulk({event.id for content in contents for event in content.events})
    return [
        frozenset(
            now for event in content.events if (now := _find_change(event, rows.get(event.id), at=at)) is not None
        )
        for content in contents
    ]


def _find_change(event: EventRecord, row: EventNotice | None, *, at: datetime) -> EventRecord | None:
    """Return the current event if it differs from the issue, and its row is still about this event."""
    if row is None or event.cancelled:
        return None
    is_next_one = event.over_at <= at and row.reused_at is not None and row.reused_at >= event.over_at
    now = resolve_event(row)
    return now if not is_next_one and now.fingerprint() != event.fingerprint() else None


def show_changed_events(content: IssueContent, *, changed: ChangedEvents) -> IssueContent:
    """Return the content with the time and place of these events, or with “Cancelled” before their titles, in every version.

    Who sees an event stays as it was in the mail. So its coordinates stay too.
    """
    if not changed:
        return content
    now = {event.id: event for event in changed}
    versions = tuple(_show_in_version(version, now) for version in content.versions)
    return replace(_show_in_version(content, now), versions=versions)


def _show_in_version(content: IssueContent, now: dict[int, EventRecord]) -> IssueContent:
    def update(event: EventRecord) -> EventRecord:
        if event.id not in now:
            return event
        return _update_event(event, now[event.id], language=content.publication.language)

    def update_block(block: Block) -> Block:
        match block:
            case EventsBlock():
                return replace(block, events=tuple(map(update, block.events)))
            case EventCardBlock():
                return replace(block, events=(update(block.events[0]),))
            case _:
                return block

    return replace(content, blocks=tuple(map(update_block, content.blocks)))


def _update_event(event: EventRecord, now: EventRecord, *, language: str) -> EventRecord:
    if now.cancelled:
        return replace(event, title=reader_text("cancelled_subject", language, title=event.title), calendar_url="")
    return replace(
        event,
        starts_at=now.starts_at,
        ends_at=now.ends_at,
        zone=now.zone,
        all_day=now.all_day,
        day=now.day,
        location=now.location,
        town=now.town,
        country=now.country,
        region=now.region,
        online=now.online,
        translated_location=event.translated_location if event.named_place == now.named_place else None,
    )
