"""A larger cache of SQLite for the work that needs one. Each connection has 2 MB else, because every thread has its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def larger_sqlite_cache(*, megabytes: int) -> Iterator[None]:
    """Let this connection keep so much of the file in memory within this block, so that a large index is read once."""
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
