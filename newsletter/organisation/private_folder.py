"""Restrict the data folder to its owner, and find what other users could still read.

Only the top of the folder is examined, because nobody passes a closed folder.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

GROUP_AND_OTHERS = 0o077
OWN_FOLDERS = frozenset({"media", "outbox", "cache", "previews", "demo", "restored", ".restoring"})
MAX_ENTRIES = 1_000
_OWN_FILE = re.compile(
    r"newsletter\.sqlite3.*|secret\.key|address\.key|left\.journal.*|\.?last-send\.json.*|\.newsletter-demo"
)
_LOST_AND_FOUND = "lost+found"
_DATABASE_FILE_SUFFIXES = ("", "-wal", "-shm", "-journal")
_MIN_DEPTH = 3
"""Parts of a path below which a folder is not one of the system's own, such as /var or /srv."""


@dataclass(frozen=True)
class DataPaths:
    """The data folder, and the SQLite file if there is one."""

    folder: Path
    database: Path | None = None


def restrict_to_owner(places: DataPaths) -> list[Path]:
    """Remove every right of group and others. Return the paths that others could read. Files of other users are not changed.

    A folder that holds folders of other programs keeps its mode, and so do they; only our own files in it are restricted.
    """
    return [path for path in _list_own_paths(places) if _restrict(path)]


def find_readable_by_others(places: DataPaths) -> list[Path]:
    """Return what other users could read. Files in a folder that they cannot enter do not count."""
    database_files = [path for path in _database_files(places.database) if _is_open(path) and _can_enter(path.parent)]
    if not _can_enter(places.folder):
        return database_files
    entries = _entries(places.folder)
    paths = [
        places.folder / entry.name
        for entry in entries
        if _is_own(entry) or _holds_only_our_folders(places.folder, entries)
    ]
    return [*database_files, *(path for path in paths if _is_open(path) and path not in database_files)]


def _list_own_paths(places: DataPaths) -> Iterator[Path]:
    entries = _entries(places.folder)
    alone = _holds_only_our_folders(places.folder, entries)
    deep = len(places.folder.parts) >= _MIN_DEPTH
    if alone:
        yield places.folder
    for entry in entries:
        if entry.is_symlink():
            continue
        if alone or (_is_own(entry) and (deep or entry.is_file(follow_symlinks=False))):
            yield places.folder / entry.name
    yield from _database_files(places.database)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(islice(entries, MAX_ENTRIES))
    except OSError:
        return []


def _holds_only_our_folders(folder: Path, entries: list[os.DirEntry[str]]) -> bool:
    """Return True if no folder in it belongs to another program. Files count as ours."""
    try:
        shared = folder.stat().st_mode & stat.S_ISVTX
    except OSError:
        return False
    if shared or len(entries) >= MAX_ENTRIES:
        return False
    folders = {entry.name for entry in entries if entry.is_dir()}
    return folders <= OWN_FOLDERS | {_LOST_AND_FOUND}


def _is_own(entry: os.DirEntry[str]) -> bool:
    return entry.name in OWN_FOLDERS if entry.is_dir() else bool(_OWN_FILE.fullmatch(entry.name))


def _database_files(database: Path | None) -> list[Path]:
    if database is None:
        return []
    return [file for end in _DATABASE_FILE_SUFFIXES if (file := Path(f"{database}{end}")).is_file()]


def _restrict(path: Path) -> bool:
    with suppress(OSError):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & GROUP_AND_OTHERS:
            path.chmod(mode & ~GROUP_AND_OTHERS)
            return True
    return False


def _is_open(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & GROUP_AND_OTHERS)
    except OSError:
        return False


def _can_enter(folder: Path) -> bool:
    """Return True if group or others can enter the folder through all its parents."""
    try:
        return all(path.stat().st_mode & 0o011 for path in (folder, *folder.parents))
    except OSError:
        return False
