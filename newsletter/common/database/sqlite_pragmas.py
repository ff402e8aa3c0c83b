"""Settings of this thread's connection to SQLite, for a block of work: a larger cache, or another wait for the write lock.

Each connection has a cache of 2 MB else, because every thread has its own. SQLite has one writer at a time: `write_queue`
orders the writers of this process. Writers of other processes get the lock when they can. So writes that nobody repeats wait
longer, and those that may be left out wait less.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def sqlite_lock_wait(*, seconds: float) -> Iterator[None]:
    """Set how long this connection waits for the write lock within this block. Other databases are not changed."""
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


@contextmanager
def larger_sqlite_cache(*, megabytes: int) -> Iterator[None]:
    """Set how much of the file this connection caches within this block, so that a large index is read once."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        [(usual,)] = cursor.execute("PRAGMA cache_size").fetchall()
        cursor.execute(f"PRAGMA cache_size = {-1000 * megabytes}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA cache_size = {int(usual)}")
            cursor.execute("PRAGMA shrink_memory")
