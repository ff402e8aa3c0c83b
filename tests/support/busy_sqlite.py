"""Another connection that holds SQLite's write lock."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

from django.db import connection

from tests.support.backups import Home

MAX_SECONDS = 60.0


@contextmanager
def waiting_for_locks(*, milliseconds: int) -> Iterator[None]:
    """Let the work of this process wait so long for the write lock."""
    usual = connection.settings_dict["OPTIONS"]
    pragmas = f"PRAGMA journal_mode=WAL; PRAGMA busy_timeout={milliseconds};"
    connection.settings_dict["OPTIONS"] = {**usual, "init_command": pragmas}
    connection.close()
    try:
        yield
    finally:
        connection.settings_dict["OPTIONS"] = usual
        connection.close()


@contextmanager
def hold_write_lock(home: Home, *, seconds: float = MAX_SECONDS) -> Iterator[None]:
    """Let somebody else write until the block ends, or for so many seconds if the block itself waits for the lock."""
    locked, ended = threading.Event(), threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(home.database, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            locked.set()
            ended.wait(seconds)
            database.execute("ROLLBACK")

    thread = threading.Thread(target=write)
    thread.start()
    locked.wait()
    try:
        yield
    finally:
        ended.set()
        thread.join()
