"""Match events whose identity changed because they moved, so that a move changes one row."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from newsletter.content.parsing.calendars.occurrence_ids import get_series_id
from newsletter.content.parsing.documents import CALENDAR_AHEAD
from newsletter.content.parsing.entries import EventEntry, Parsed
from newsletter.content.parsing.entry_rules import label_entry
from newsletter.models import EventNotice, Source

_MAX_MOVE = timedelta(days=31)


def match_moved_events(source: Source, parsed: Parsed, *, now: datetime) -> int:
    """Give the rows of moved events the identity that their source uses now. Return how many.

    Dates of one series are matched in order, each to the nearest. Without a common series the title and the start
    must be the same, as for a calendar that makes new identities at each export.
    """
    listed_ids = {entry.external_id[:500] for entry in parsed.events}
    rows = list(
        source.events.filter(starts_at__gt=now, starts_at__lt=now + CALENDAR_AHEAD, cancelled=False).only(
            "pk", "external_id", "title", "starts_at"
        )
    )
    lost = [row for row in rows if row.external_id not in listed_ids]
    if not lost:
        return 0
    stored_ids = set(source.events.filter(external_id__in=listed_ids).values_list("external_id", flat=True))
    fresh = [entry for entry in parsed.events if entry.external_id[:500] not in stored_ids]
    pairs = _pair_by_series(lost, fresh, listed_series={get_series_id(identity) for identity in stored_ids})
    taken = {id(entry) for _, entry in pairs}
    adopted = {row.pk for row, _ in pairs}
    pairs += _pair_by_title(
        [row for row in lost if row.pk not in adopted], [entry for entry in fresh if id(entry) not in taken]
    )
    for row, entry in pairs:
        EventNotice.objects.filter(pk=row.pk).update(external_id=entry.external_id[:500], source_sha256="")
    return len(pairs)


def _pair_by_series(
    lost: Sequence[EventNotice], fresh: Sequence[EventEntry], *, listed_series: set[str]
) -> list[tuple[EventNotice, EventEntry]]:
    rows: dict[str, list[EventNotice]] = defaultdict(list)
    entries: dict[str, list[EventEntry]] = defaultdict(list)
    for row in lost:
        rows[get_series_id(row.external_id)].append(row)
    for entry in fresh:
        entries[get_series_id(entry.external_id[:500])].append(entry)
    pairs = []
    for series in rows.keys() & entries.keys():
        alone = len(rows[series]) == len(entries[series]) == 1 and series not in listed_series
        pairs += [
            (row, entry)
            for row, entry in _align(rows[series], entries[series])
            if alone or abs(row.starts_at - entry.starts_at) <= _MAX_MOVE
        ]
    return pairs


def _align(rows: list[EventNotice], entries: list[EventEntry]) -> list[tuple[EventNotice, EventEntry]]:
    """Pair two lists by start, so that the distances are smallest in total."""
    rows = sorted(rows, key=lambda row: row.starts_at)
    entries = sorted(entries, key=lambda entry: entry.starts_at)
    if len(rows) <= len(entries):
        options = [list(zip(rows, entries[at:], strict=False)) for at in range(len(entries) - len(rows) + 1)]
    else:
        options = [list(zip(rows[at:], entries, strict=False)) for at in range(len(rows) - len(entries) + 1)]
    return min(options, key=_distance)


def _distance(pairs: list[tuple[EventNotice, EventEntry]]) -> timedelta:
    return sum((abs(row.starts_at - entry.starts_at) for row, entry in pairs), timedelta())


def _pair_by_title(lost: Sequence[EventNotice], fresh: Sequence[EventEntry]) -> list[tuple[EventNotice, EventEntry]]:
    """Pair a row and an entry if no other has their title and start."""
    rows: dict[tuple[str, datetime], list[EventNotice]] = defaultdict(list)
    entries: dict[tuple[str, datetime], list[EventEntry]] = defaultdict(list)
    for row in lost:
        rows[label_entry(title=row.title, link="", number=0), row.starts_at].append(row)
    for entry in fresh:
        entries[label_entry(title=entry.title, link="", number=0), entry.starts_at].append(entry)
    return [
        (rows[key][0], entries[key][0])
        for key in rows.keys() & entries.keys()
        if len(rows[key]) == len(entries[key]) == 1
    ]
