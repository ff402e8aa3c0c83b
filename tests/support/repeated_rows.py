"""Rows that many tests make alike: one process makes them once, and then each writes them again as they were.

`repeat_rows` decorates a builder. If the rows, files, arguments, settings and clock are as at an earlier call, it writes what
that call wrote. Anything else calls the builder, also a test that replaces functions or counts queries. It does this in the
test process's own database only. The processes of one run of the tests share what they recorded.
"""

import os
import pickle
import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import wraps
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import time_machine
from django.conf import settings
from django.db import connection, models
from django.utils import timezone, translation

from tests.support import replacements
from tests.support.stored_rows import STAFF_LOG, Rows, Statements, StoredRows, find_stored_rows

_OWN_FOLDER = {"NEWSLETTER_DATA_DIR", "SUBSCRIBERS_JOURNAL"}  # another one in each test
_SITE = "NEWSLETTER_SITE_URL"  # many rows name it, so only tests with the same one share rows
_LOOPBACK = re.compile(r"127\.0\.0\.1(:|%3A)\d+")
_PLAIN = (str, int, float, bool, date, time, timedelta, type(None))
_Made = TypeVar("_Made")


def _as_stored(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ")


class _NotComparable(Exception):
    """A value that cannot be compared with that of another call."""


@dataclass(frozen=True)
class _Reference:
    """The row, or the list of rows of one model, that a builder returned."""

    model: type[models.Model]
    pks: tuple[Any, ...]
    is_list: bool

    def read(self) -> Any:
        rows = self.model._default_manager.in_bulk(self.pks) if self.pks else {}
        return [rows[pk] for pk in self.pks] if self.is_list else rows[self.pks[0]]


@dataclass(frozen=True)
class _References:
    """The rows of a builder that returned a tuple."""

    each: tuple[_Reference, ...]

    def read(self) -> Any:
        return tuple(reference.read() for reference in self.each)


def _refer(made: Any) -> _Reference | _References:
    if isinstance(made, tuple):
        return _References(tuple(map(_refer_to_rows, made)))
    return _refer_to_rows(made)


def _refer_to_rows(made: Any) -> _Reference:
    if isinstance(made, list):
        return _Reference(type(made[0]) if made else models.Model, tuple(row.pk for row in made), is_list=True)
    return _Reference(type(made), (made.pk,), is_list=False)


@dataclass(frozen=True)
class _Recording:
    """The writes of one call: statements with values, files, the moments it began and ended, and the rows that it returned."""

    statements: Statements
    files: dict[str, bytes]
    began: str
    ended: str
    made: _Reference | _References

    def write_again(self, stored: StoredRows, *, now: datetime) -> Any:
        """Write the rows. Moments of the recorded call become ``now``."""
        present = _as_stored(now)
        stored.run(
            [
                (
                    statement,
                    [stored.replace_moments(row, began=self.began, ended=self.ended, by=present) for row in rows],
                )
                for statement, rows in self.statements
            ]
        )
        folder = Path(settings.NEWSLETTER_DATA_DIR)
        for name, content in self.files.items():
            folder.mkdir(parents=True, exist_ok=True)
            folder.joinpath(name).write_bytes(content)
        return self.made.read()


_BEGAN = _as_stored(datetime.now(UTC))


class Recordings:
    """What builders wrote, by a hash of all that it depends on. None if the rows of a call cannot be written again.

    Processes of one run share them in a folder.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._known: dict[str, _Recording | None] = {}

    def share(self, folder: Path) -> None:
        """Keep recordings in this folder too, and find those of other processes there."""
        folder.mkdir(exist_ok=True)
        self._folder = folder

    def __contains__(self, key: str) -> bool:
        return key in self._known

    def find(self, key: str) -> _Recording | None:
        if key not in self._known and self._folder and (file := self._folder / key).exists():
            self._known[key] = pickle.loads(file.read_bytes())
        return self._known.get(key)

    def keep(self, key: str, recording: _Recording | None) -> None:
        self._known[key] = recording
        if recording and self._folder:
            beside = self._folder / f"{key}.{os.getpid()}"
            beside.write_bytes(pickle.dumps(recording))
            beside.replace(self._folder / key)


recordings = Recordings()


def repeat_rows(make: Callable[..., _Made]) -> Callable[..., _Made]:
    """Decorate a builder that returns one of its rows, or a list or tuple of them. It may write files in the data folder."""

    @wraps(make)
    def make_or_repeat(*arguments: Any, **named: Any) -> Any:
        stored = find_stored_rows() if _may_repeat() else None
        if stored is None:
            return make(*arguments, **named)
        try:
            described = _describe((make.__module__, make.__qualname__, arguments, sorted(named.items())))
            around = _describe_surroundings()
        except _NotComparable:
            return make(*arguments, **named)
        before, files = stored.read(), _read_files()
        depends_on = described, around, sorted(files.items()), hide_present(before, stored=stored)
        key = sha256(repr(depends_on).encode()).hexdigest()
        if recording := recordings.find(key):
            return recording.write_again(stored, now=_find_present(arguments, named) or timezone.now())
        began = _find_present(arguments, named) or timezone.now()
        made = make(*arguments, **named)
        if key not in recordings:
            recordings.keep(key, _record(before, files, stored=stored, made=made, began=began))
        return _refer(made).read()

    return make_or_repeat


def _may_repeat() -> bool:
    """Return False while a test replaces functions or watches queries."""
    return not (replacements.are_active() or connection.execute_wrappers or connection.force_debug_cursor)


def _record(
    before: Rows, files: dict[str, bytes], *, stored: StoredRows, made: Any, began: datetime
) -> _Recording | None:
    """Return what was written since ``before``, or None if a row names a server or folder of this test only.

    None also for a call that wrote into the staff log: another test has other entries before it.
    """
    statements = stored.list_changes(before)
    if any(f'"{STAFF_LOG}"' in statement for statement, _ in statements):
        return None
    changed = {name: value for name, value in _find_changed_settings().items() if name != _SITE}
    servers = {found[0].replace("%3A", ":") for found in _LOOPBACK.finditer(str(changed))}
    own = {*servers, str(settings.NEWSLETTER_DATA_DIR)}
    if any(name in str(value) for name in own for _, rows in statements for row in rows for value in row):
        return None
    new_files = {name: content for name, content in _read_files().items() if files.get(name) != content}
    return _Recording(statements, new_files, _as_stored(began), _as_stored(timezone.now()), _refer(made))


def hide_present(rows: Rows, *, stored: StoredRows) -> Hashable:
    """Return the rows of all tables but the staff log, without moments of this run.

    If a test moved the clock, hide its last seconds only.
    """
    began, ended = _bound_present()
    return tuple(
        (name, key, *stored.replace_moments(row, began=began, ended=ended, by=None))
        for name, table in sorted(rows.items())
        if name != STAFF_LOG
        for key, row in sorted(table.items())
    )


def _bound_present() -> tuple[str, str]:
    """Return the moments between which this run of the tests was, or if a test moved the clock, its last seconds."""
    now = timezone.now()
    return _as_stored(now - timedelta(seconds=5)) if time_machine.traveller_stack else _BEGAN, _as_stored(now)


def _is_present(value: Any) -> bool:
    began, ended = _bound_present()
    return isinstance(value, datetime) and value.tzinfo is not None and began <= _as_stored(value) <= ended


def _find_present(arguments: tuple[Any, ...], named: dict[str, Any]) -> datetime | None:
    """Return the first moment of this run among the arguments. It is the time at which the call says it happens."""
    return min(filter(_is_present, (*arguments, *named.values())), default=None)


def _describe(value: Any) -> Hashable:
    """Return what two calls have in common if this argument is the same for both. Moments of this run are the same."""
    if _is_present(value):
        return "the present"
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, models.Model):
        values = [value.__dict__.get(field.attname) for field in value._meta.concrete_fields]
        return value._meta.label, *(None if isinstance(each, datetime) else str(each) for each in values)
    if isinstance(value, dict):
        return tuple((key, _describe(each)) for key, each in value.items())
    if isinstance(value, list | tuple):
        return tuple(_describe(each) for each in value)
    raise _NotComparable


def _describe_surroundings() -> Hashable:
    """Return the settings that a test changed, the language, and the time: the minute of a moved clock, else nothing."""
    folder = str(settings.NEWSLETTER_DATA_DIR)
    changed = {
        name: value if name == _SITE else _LOOPBACK.sub("", value).replace(folder, "")
        for name, value in _find_changed_settings().items()
    }
    moved = f"{timezone.now():%Y-%m-%d %H:%M}" if time_machine.traveller_stack else ""
    return (
        tuple(sorted(changed.items())),
        translation.get_language(),
        moved,
    )


def _find_changed_settings() -> dict[str, str]:
    """Return what tests set, except the data folder."""
    changed: dict[str, str] = {}
    holder: Any = settings._wrapped
    while "default_settings" in holder.__dict__:
        changed = {**{name: repr(value) for name, value in holder.__dict__.items() if name.isupper()}, **changed}
        holder = holder.default_settings
    return {name: value for name, value in changed.items() if name not in _OWN_FOLDER}


def _read_files() -> dict[str, bytes]:
    folder = Path(settings.NEWSLETTER_DATA_DIR)
    found = folder.iterdir() if folder.exists() else ()
    return {path.name: path.read_bytes() for path in found if path.is_file()}
