"""Notes outside the database who must not be mailed any more, so that no restored backup can forget it.

One line of JSON for each mark and each lifting, in a file that is only ever added to: keyed hashes, never an address.
"""

import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO

import orjson
from django.conf import settings
from django.db import transaction

Key = tuple[bytes, int | None, str]
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Note:
    """A mark that was set, or lifted. `mailing_list` is a row's id; None for all mail."""

    address_hash: bytes
    mailing_list: int | None
    reason: str
    at: datetime
    lifted: bool = False

    @property
    def key(self) -> Key:
        return self.address_hash, self.mailing_list, self.reason


def note_down(notes: Iterable[Note]) -> None:
    """Writes these down as soon as the transaction is committed, and not where it is not."""
    given = list(notes)
    if given:
        transaction.on_commit(partial(_append, given))


def note_down_now(notes: Iterable[Note]) -> None:
    """Writes these down whatever becomes of the transaction."""
    _append(list(notes))


def read_notes() -> Iterator[Note]:
    """What was noted on this machine, in its order. A line that was cut off by a crash is passed over."""
    try:
        file = journal_path().open("rb")
    except FileNotFoundError:
        return
    with file:
        for line in file:
            try:
                found = orjson.loads(line)
                yield Note(
                    bytes.fromhex(found["hash"]),
                    found["list"],
                    str(found["reason"]),
                    datetime.fromisoformat(found["at"]),
                    bool(found["lifted"]),
                )
            except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
                _LOG.warning("A line of %s cannot be read and was passed over.", journal_path())


def journal_path() -> Path:
    return Path(settings.SUBSCRIBERS_JOURNAL)


def _ends_whole(file: BinaryIO) -> bool:
    """False behind a line that a crash or a full disk cut off: the next one must not be lost with it."""
    if not file.seek(0, os.SEEK_END):
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _append(notes: list[Note]) -> None:
    """One write, so that the lines of several processes stay whole. A full disk keeps nobody from leaving."""
    lines = b"".join(
        orjson.dumps(
            {
                "hash": one.address_hash.hex(),
                "list": one.mailing_list,
                "reason": one.reason,
                "at": one.at.isoformat(),
                "lifted": one.lifted,
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )
        for one in notes
    )
    try:
        with journal_path().open("ab+", buffering=0) as file:
            file.write(lines if _ends_whole(file) else b"\n" + lines)
    except OSError as error:
        _LOG.error(
            "Who left could not be noted beside the database (%s). After a restore it would be forgotten.", error
        )
