"""Run `fill_target` in a process whose DATABASE_URL is the target: libraries choose their tables by it when they start.

The new process imports this module before Django is set up, so nothing here imports a model.
"""

import multiprocessing
import os
from multiprocessing.connection import Connection
from pathlib import Path

from newsletter.backups.errors import BackupError
from newsletter.common.errors import DomainError

MAX_SECONDS = 24 * 60 * 60


def fill_in_own_process(file: Path, *, url: str, write_wait: float) -> dict[str, int]:
    """Return the number of rows of each table. Raise BackupError with the reason if nothing was moved."""
    own_end, child_end = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=_fill, args=(child_end, str(file), url, write_wait))
    process.start()
    child_end.close()
    try:
        if not own_end.poll(MAX_SECONDS):
            raise BackupError("The move took longer than a day and was ended. Nothing was moved.")
        rows, reason = own_end.recv()
    except EOFError as error:
        raise BackupError(
            "The process that moved the rows ended early; the reason is above. PostgreSQL has none of them. If the SQLite "
            "database is on hold now, run this again, or release it with `newsletter doctor --after-restore --release`."
        ) from error
    finally:
        process.join(30)
        process.kill()
    if reason:
        raise BackupError(reason)
    rows_by_table: dict[str, int] = rows
    return rows_by_table


def _fill(pipe: Connection, file: str, url: str, write_wait: float) -> None:
    os.environ["DATABASE_URL"] = url
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
    import django

    django.setup()
    from django.db import Error

    from newsletter.backups.moving.fill_target import fill_target
    from newsletter.common.database.error_codes import describe_cause

    try:
        pipe.send((fill_target(Path(file), write_wait=write_wait), ""))
    except DomainError as error:
        pipe.send(({}, str(error)))
    except Error as error:
        text = f"The move failed: {describe_cause(error)}. Nothing was moved. Check that both databases run, then run this again."
        pipe.send(({}, text))
