"""Notes outside the database who must not be mailed any more, so that no restored backup can forget it.

One line of JSON for each mark and each lifting, in a file that is only ever added to: keyed hashes, never an address.
"""

import logging
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path

import orjson
from django.conf import settings
from django.db import transaction

from subscribers.unsubscribing.journal_file import JournalFile, append_lines

Key = tuple[bytes, int | None, str]
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class JournalEntry:
    """A mark that was set, or lifted. `mailing_list` is a row's id; None for all mail."""

    address_hash: bytes
    mailing_list: int | None
    reason: str
    at: datetime
    lifted: bool = False

    @property
    def key(self) -> Key:
        return self.address_hash, self.mailing_list, self.reason


def journal_after_commit(notes: Iterable[JournalEntry]) -> None:
    """Writes these down as soon as the transaction is committed, and not where it is not."""
    given = list(notes)
    if given:
        transaction.on_commit(partial(_append, given))


def journal_now(notes: Iterable[JournalEntry]) -> None:
    """Writes these down whatever becomes of the transaction."""
    _append(list(notes))


def read_journal_entries() -> Iterator[JournalEntry]:
    """What was noted on this machine, in its order. A line that was cut off by a crash is passed over."""
    return _read(journal_path())


def _read(path: Path) -> Iterator[JournalEntry]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        for line in file:
            try:
                yield _decode(line)
            except (KeyError, TypeError, ValueError):
                _LOG.warning("A line of %s cannot be read and was passed over.", path)


def journal_path() -> Path:
    return Path(settings.SUBSCRIBERS_JOURNAL)


def append_entries(notes: Iterable[JournalEntry]) -> int:
    """Write these notes now. Raises OSError. Returns how many there were."""
    lines = [_encode(one) for one in notes]
    append_lines(journal_path(), b"".join(lines))
    return len(lines)


def count_pending_entries() -> int:
    """Return how many notes of this process are not in the file yet, because there was no room."""
    return _file().waiting


def flush_pending_entries() -> bool:
    """Try to write the notes that wait. Return True if none waits any more."""
    return _file().flush()


def find_latest_entries(keys: Collection[Key]) -> dict[Key, JournalEntry]:
    """Return the last note for each of these keys."""
    return {one.key: one for one in read_journal_entries() if one.key in keys}


def _append(notes: list[JournalEntry]) -> None:
    """A full disk keeps nobody from leaving: what finds no room is written when there is some."""
    _file().add([_encode(one) for one in notes])


def _file() -> JournalFile:
    return _file_at(journal_path())


@lru_cache(maxsize=16)
def _file_at(path: Path) -> JournalFile:
    return JournalFile(path, still_due=partial(_still_due, path))


def _still_due(path: Path, lines: list[bytes]) -> list[bytes]:
    """Leave out what was said otherwise since: somebody who left, and came back before there was room to note either."""
    waited = [_decode(line) for line in lines]
    last = {one.key: one for one in _read(path) if one.key in {other.key for other in waited}}
    return [
        line
        for line, one in zip(lines, waited, strict=True)
        if not ((known := last.get(one.key)) and known.lifted != one.lifted and known.at > one.at)
    ]


def _encode(one: JournalEntry) -> bytes:
    return orjson.dumps(
        {
            "hash": one.address_hash.hex(),
            "list": one.mailing_list,
            "reason": one.reason,
            "at": one.at.isoformat(),
            "lifted": one.lifted,
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )


def _decode(line: bytes) -> JournalEntry:
    """Raises ValueError, KeyError or TypeError for a line that is not whole."""
    found = orjson.loads(line)
    return JournalEntry(
        bytes.fromhex(found["hash"]),
        found["list"],
        str(found["reason"]),
        datetime.fromisoformat(found["at"]),
        bool(found["lifted"]),
    )
