"""Compare the suppression journal with the database, and add suppressions and changes of address that it misses.

A file next to the journal stores the last compared rows, so that each start checks only new rows.
"""

import os
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import orjson
from django.db.models import Max, Q

from subscribers.models import ConsentEvent, Suppression
from subscribers.unsubscribing.suppression_journal import (
    AddressChange,
    JournalEntry,
    append_entries,
    find_latest_entries,
    flush_pending_entries,
    journal_path,
    read_journal,
)

_BATCH_SIZE = 50_000
_ROWS_TO_RECHECK = 1_000
_RECHECK_PERIOD = timedelta(hours=1)
"""Rows written during the last comparison may have been committed after newer ones."""


@dataclass(frozen=True)
class _Position:
    """The last compared suppression and consent event, and when they were compared."""

    row: int = 0
    event: int = 0
    at: datetime | None = None


def repair_journal(*, now: datetime) -> int:
    """Add each suppression, removal and change of address that the journal misses. Return how many. Raises OSError."""
    flush_pending_entries()
    newest = _Position(_find_newest(Suppression), _find_newest(ConsentEvent), now)
    since = _read_position(newest)
    added = append_entries(_list_missing_moves(since.event))
    rows = _rows_since(since.row, since.at)
    while chunk := list(islice(rows, _BATCH_SIZE)):
        added += append_entries(_missing(chunk))
    _write_position(newest)
    return added


def _find_newest(model: type[Suppression | ConsentEvent]) -> int:
    newest: int | None = model._default_manager.aggregate(newest=Max("pk"))["newest"]
    return newest or 0


def _list_missing_moves(pk: int) -> list[AddressChange]:
    """Return the changes of address and merges after this event that the journal misses."""
    kinds = (ConsentEvent.Kind.MOVED, ConsentEvent.Kind.MERGED)
    events = ConsentEvent.objects.filter(pk__gt=pk - _ROWS_TO_RECHECK, kind__in=kinds).order_by("pk")
    found = [change for event in events.iterator() if (change := _make_change(event))]
    if not found:
        return []
    journaled = {entry for entry in read_journal() if isinstance(entry, AddressChange)}
    return [change for change in found if change not in journaled]


def _make_change(event: ConsentEvent) -> AddressChange | None:
    """Return the change of address, or None for a merge into somebody who moved to that address in the same step."""
    address_hash = bytes(event.address_hash)
    if "from" in event.data:
        change = AddressChange(bytes.fromhex(event.data["from"]), address_hash, event.at)
        return change if change.old_hash != change.new_hash else None
    return AddressChange(address_hash, bytes.fromhex(event.data["into"]), event.at) if "into" in event.data else None


def _rows_since(pk: int, at: datetime | None) -> Iterator[Suppression]:
    new = Q(pk__gt=pk - _ROWS_TO_RECHECK)
    if at is not None:
        new |= Q(removed_at__gte=at - _RECHECK_PERIOD)
    columns = ("pk", "address_hash", "mailing_list_id", "reason", "at", "removed_at")
    return Suppression.objects.filter(new).only(*columns).order_by("pk").iterator(chunk_size=2_000)


def _missing(rows: list[Suppression]) -> list[JournalEntry]:
    """Return the entries that the journal misses. A removal counts only if it is newer than the last entry."""
    state: dict[tuple[bytes, int | None, str], JournalEntry] = {}
    for row in rows:
        entry = JournalEntry(
            bytes(row.address_hash), row.mailing_list_id, row.reason, row.removed_at or row.at, bool(row.removed_at)
        )
        state[entry.key] = entry
    latest = find_latest_entries(state.keys())
    return [entry for key, entry in state.items() if _is_missing(entry, latest.get(key))]


def _is_missing(entry: JournalEntry, latest: JournalEntry | None) -> bool:
    if entry.removed:
        return latest is not None and not latest.removed and latest.at < entry.at
    return latest is None or latest.removed


def _position_file() -> Path:
    path = journal_path()
    return path.with_name(f"{path.name}.checked")


def _read_position(newest: _Position) -> _Position:
    """Return where to begin: the first row, if nothing was compared yet or the database is an older one."""
    try:
        read = orjson.loads(_position_file().read_bytes())
        found = _Position(int(read["row"]), int(read["event"]), datetime.fromisoformat(read["at"]))
    except (OSError, KeyError, TypeError, ValueError):
        return _Position()
    if found.row > newest.row or found.event > newest.event or not journal_path().exists():
        return _Position()
    return found


def _write_position(position: _Position) -> None:
    part = _position_file().with_name(f"{_position_file().name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        part.write_bytes(orjson.dumps(asdict(position)))
        part.replace(_position_file())
    finally:
        part.unlink(missing_ok=True)
