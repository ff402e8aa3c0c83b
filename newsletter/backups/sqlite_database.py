"""Copy a running SQLite database as of one moment, and check a copy."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from newsletter.backups.archive_writer import PART_PREFIX, PART_SUFFIX
from newsletter.backups.errors import BackupError, BadArchive
from newsletter.backups.manifest import SQLITE_PART

_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"


@contextmanager
def copy_snapshot(database: Path, *, folder: Path) -> Iterator[Path]:
    """Yield a temporary copy in this folder. Nobody who reads or writes the database waits for it."""
    descriptor, name = tempfile.mkstemp(prefix=PART_PREFIX, suffix=f"{PART_SUFFIX}-copy", dir=folder)
    os.close(descriptor)
    copy = Path(name)
    try:
        with closing(sqlite3.connect(database, timeout=60)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target, pages=-1)
            target.execute("PRAGMA journal_mode = DELETE")
        yield copy
    except sqlite3.Error as error:
        raise BackupError(
            f"The database {database} cannot be copied: {error}. There is no archive. Check the file and the free space."
        ) from error
    finally:
        for end in ("", "-wal", "-shm", "-journal"):
            Path(f"{copy}{end}").unlink(missing_ok=True)


def list_tables(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute(_TABLES)]


def count_rows(database: Path) -> dict[str, int]:
    """Return the number of rows of each table."""
    with closing(sqlite3.connect(database)) as connection:
        count = 'SELECT COUNT(*) FROM "{}"'
        return {name: connection.execute(count.format(name)).fetchone()[0] for name in list_tables(connection)}


def read_migrations(database: Path) -> list[tuple[str, str]]:
    """Return the migrations that the file records, in order of name."""
    with closing(sqlite3.connect(database)) as connection:
        return list(connection.execute("SELECT app, name FROM django_migrations ORDER BY app, name"))


def check_copy(database: Path, *, rows: dict[str, int]) -> None:
    """Raise BadArchive if the file is no whole database, a reference leads nowhere, or a table has other counts."""
    try:
        with closing(sqlite3.connect(database)) as connection:
            problems = [text for (text,) in connection.execute("PRAGMA integrity_check(1)") if text != "ok"]
            loose = connection.execute("PRAGMA foreign_key_check").fetchone()
        counted = count_rows(database)
    except sqlite3.Error as error:
        raise BadArchive(
            f"The archive is damaged: {SQLITE_PART} cannot be opened ({error}). Use another one."
        ) from error
    if problems or loose:
        problem = problems[0] if problems else f"a row of {loose[0]} refers to a missing row of {loose[2]}"
        raise BadArchive(f"The archive is damaged: in {SQLITE_PART}, {problem}. Use another one.")
    if counted != rows:
        name = next(table for table in {**rows, **counted} if rows.get(table) != counted.get(table))
        raise BadArchive(
            f"The archive is damaged: the table {name} has {counted.get(name, 0)} rows, and the manifest says "
            f"{rows.get(name, 0)}. Use another one."
        )
