"""Another connection that holds SQLite's write lock."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from django.db import connection

from tests.support.backups import Home


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
def hold_write_lock(home: Home, *, seconds: float) -> Iterator[None]:
    """Let somebody else write for so long, at least as long as the block."""
    locked = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(home.database, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            locked.set()
            time.sleep(seconds)
            database.execute("ROLLBACK")

    thread = threading.Thread(target=write)
    thread.start()
    locked.wait()
    yield
    thread.join()
