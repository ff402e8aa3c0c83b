"""Compare the suppression journal with the database, and add entries that it misses.

A file next to the journal stores the last compared row, so that each start checks only new rows.
"""

import logging
import os
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import orjson
from django.db.models import Max, Q

from subscribers.models import Suppression
from subscribers.unsubscribing.suppression_journal import (
    JournalEntry,
    append_entries,
    find_latest_entries,
    flush_pending_entries,
    journal_path,
)

_LOG = logging.getLogger(__name__)
_BATCH_SIZE = 50_000
_ROWS_TO_RECHECK = 1_000
_RECHECK_PERIOD = timedelta(hours=1)
"""Rows written during the last comparison may have been committed after newer ones."""


def repair_journal(*, now: datetime) -> int:
    """Add each suppression and removal that the journal misses. Return how many. Raises OSError."""
    flush_pending_entries()
    newest = Suppression.objects.aggregate(newest=Max("pk"))["newest"] or 0
    rows = _rows_since(*_read_position(newest))
    added = 0
    while chunk := list(islice(rows, _BATCH_SIZE)):
        added += append_entries(_missing(chunk))
    _write_position(newest, now)
    return added


def try_to_repair_journal(*, now: datetime) -> None:
    """Repair the journal when a process starts. If that fails, log it: the next start tries again."""
    try:
        added = repair_journal(now=now)
    except OSError as error:
        _LOG.error("The suppression journal cannot be written (%s). Run `newsletter doctor` to try again.", error)
        return
    if added:
        _LOG.info("%s suppressions that the journal missed were added to %s.", added, journal_path())


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


def _read_position(newest: int) -> tuple[int, datetime | None]:
    """Return where to begin: the first row, if nothing was compared yet or the database is an older one."""
    try:
        position = orjson.loads(_position_file().read_bytes())
        pk, at = int(position["row"]), datetime.fromisoformat(position["at"])
    except (OSError, KeyError, TypeError, ValueError):
        return 0, None
    if pk > newest or not journal_path().exists():
        return 0, None
    return pk, at


def _write_position(newest: int, now: datetime) -> None:
    part = _position_file().with_name(f"{_position_file().name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        part.write_bytes(orjson.dumps({"row": newest, "at": now.isoformat()}))
        part.replace(_position_file())
    finally:
        part.unlink(missing_ok=True)
