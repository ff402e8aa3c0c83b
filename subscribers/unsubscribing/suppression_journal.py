"""The suppression journal: a file next to the database, so that no suppression is lost when a backup is restored.

Each suppression, removal and change of address adds one line of JSON. So does each story that is withdrawn or reinstated.
Lines hold keyed hashes, never an address.
"""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
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
    """A suppression that was added or removed. `mailing_list` is a row id, or None for all mail."""

    address_hash: bytes
    mailing_list: int | None
    reason: str
    at: datetime
    removed: bool = False

    @property
    def key(self) -> Key:
        return self.address_hash, self.mailing_list, self.reason


@dataclass(frozen=True)
class AddressChange:
    """A person who had one address and has another since. A restored database may have them at the old one."""

    old_hash: bytes
    new_hash: bytes
    at: datetime


@dataclass(frozen=True)
class StoryWithdrawal:
    """A story that was withdrawn, or reinstated. Its hash is of what identifies the story."""

    story_hash: bytes
    at: datetime
    removed: bool = False


Entry = JournalEntry | AddressChange | StoryWithdrawal


def journal_after_commit(entries: Iterable[Entry]) -> None:
    """Write these entries once the transaction is committed. After a rollback nothing is written."""
    listed = list(entries)
    if listed:
        transaction.on_commit(partial(_append, listed))


def journal_now(entries: Iterable[JournalEntry]) -> None:
    """Write these entries now, even if the transaction fails later."""
    _append([*entries])


def read_journal() -> Iterator[Entry]:
    """Yield all entries of this machine in order. Skip lines that a crash cut off."""
    return read_journal_file(journal_path())


def read_journal_entries() -> Iterator[JournalEntry]:
    """Yield the suppressions and removals of this machine in order. Skip lines that a crash cut off."""
    return _select_suppressions(read_journal_file(journal_path()))


def find_latest_withdrawals(entries: Iterable[Entry]) -> dict[bytes, StoryWithdrawal]:
    """Return the last withdrawal or reinstatement of each story.

    A reinstatement counts only if it is the newest entry and the last one: a clock can be ahead, and a line can be written late.
    """
    newest: dict[bytes, StoryWithdrawal] = {}
    last: dict[bytes, StoryWithdrawal] = {}
    for entry in entries:
        if isinstance(entry, StoryWithdrawal):
            last[entry.story_hash] = entry
            known = newest.get(entry.story_hash)
            if known is None or entry.at >= known.at:
                newest[entry.story_hash] = entry
    return {story: last[story] if entry.removed else entry for story, entry in newest.items()}


def _select_suppressions(entries: Iterable[Entry]) -> Iterator[JournalEntry]:
    return (entry for entry in entries if isinstance(entry, JournalEntry))


def read_journal_file(path: Path) -> Iterator[Entry]:
    """Yield the entries of this file in order, if it exists. Skip lines that cannot be read."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    skipped = 0
    with file:
        for line in file:
            try:
                yield _decode(line)
            except (KeyError, TypeError, ValueError):
                skipped += 1
    if skipped:
        _LOG.warning("Lines of %s that cannot be read and were skipped: %s.", path, skipped)


def journal_path() -> Path:
    return Path(settings.SUBSCRIBERS_JOURNAL)


def append_entries(entries: Iterable[Entry]) -> int:
    """Write these entries now and return their number. Raises OSError."""
    lines = [_encode(entry) for entry in entries]
    append_lines(journal_path(), b"".join(lines))
    return len(lines)


def flush_pending_entries() -> bool:
    """Try to write the pending entries. Return True if none is left."""
    return _file().flush()


def find_latest_entries(keys: Collection[Key]) -> dict[Key, JournalEntry]:
    """Return the last entry for each of these keys."""
    return {entry.key: entry for entry in read_journal_entries() if entry.key in keys}


def _append(entries: list[Entry]) -> None:
    """Write entries, or keep them until the disk has room: a full disk must not prevent an unsubscribe."""
    _file().add([_encode(entry) for entry in entries])


def _file() -> JournalFile:
    return _file_at(journal_path())


@lru_cache(maxsize=16)
def _file_at(path: Path) -> JournalFile:
    return JournalFile(path, still_due=partial(_still_due, path))


def _still_due(path: Path, lines: list[bytes]) -> list[bytes]:
    """Leave out pending lines that a newer line contradicts: a person may have subscribed again since."""
    pending = [_decode(line) for line in lines]
    keys = {entry.key for entry in _select_suppressions(pending)}
    last = {entry.key: entry for entry in _select_suppressions(read_journal_file(path)) if entry.key in keys}
    return [line for line, entry in zip(lines, pending, strict=True) if not _is_overtaken(entry, last)]


def _is_overtaken(entry: Entry, last: Mapping[Key, JournalEntry]) -> bool:
    if not isinstance(entry, JournalEntry):
        return False
    latest = last.get(entry.key)
    return latest is not None and latest.removed != entry.removed and latest.at > entry.at


def _encode(entry: Entry) -> bytes:
    if isinstance(entry, StoryWithdrawal):
        line = {"story": entry.story_hash.hex(), "at": entry.at.isoformat(), "lifted": entry.removed}
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
    if isinstance(entry, AddressChange):
        line = {"hash": entry.old_hash.hex(), "moved_to": entry.new_hash.hex(), "at": entry.at.isoformat()}
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
    return orjson.dumps(
        {
            "hash": entry.address_hash.hex(),
            "list": entry.mailing_list,
            "reason": entry.reason,
            "at": entry.at.isoformat(),
            "lifted": entry.removed,
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )


def _decode(line: bytes) -> Entry:
    """Parse a line. Raises ValueError, KeyError or TypeError if it is incomplete."""
    found = orjson.loads(line)
    at = datetime.fromisoformat(found["at"])
    if at.tzinfo is None or not isinstance(found.get("list"), int | None):
        raise ValueError("a time without a zone, or a list that is no number")
    if "story" in found:
        return StoryWithdrawal(bytes.fromhex(found["story"]), at, bool(found["lifted"]))
    address_hash = bytes.fromhex(found["hash"])
    if "moved_to" in found:
        return AddressChange(address_hash, bytes.fromhex(found["moved_to"]), at)
    return JournalEntry(address_hash, found["list"], str(found["reason"]), at, bool(found["lifted"]))
