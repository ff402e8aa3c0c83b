"""A wait of its own for SQLite's write lock: longer for writes that nobody repeats, shorter for those that may be left out.

SQLite has one writer at a time. `write_queue` orders the writers of this process; those of others take the lock when they can.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def sqlite_lock_wait(*, seconds: float) -> Iterator[None]:
    """Let this connection wait so long for the write lock within this block. Other databases are left as they are."""
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    sqlite = connection.connection  # without Django's cursor, which refuses statements after an error in a transaction
    [(usual,)] = sqlite.execute("PRAGMA busy_timeout").fetchall()
    sqlite.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
    try:
        yield
    finally:
        if connection.connection is sqlite:
            sqlite.execute(f"PRAGMA busy_timeout = {int(usual)}")
