"""Move an installation from SQLite to an empty PostgreSQL database."""

import multiprocessing
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import dj_database_url
from django.db import connection

from newsletter.backups.errors import BackupError
from newsletter.backups.installation import describe_installation
from newsletter.backups.schema_state import require_up_to_date
from newsletter.common.errors import DomainError
from newsletter.sending.limits.installation_hold import get_installation

WRITE_WAIT_SECONDS = 30.0
MAX_SECONDS = 24 * 60 * 60


@dataclass(frozen=True)
class MovedInstallation:
    """The rows of each table, the same in both databases."""

    rows: dict[str, int]


def move_to_postgres(*, url: str, write_wait: float = WRITE_WAIT_SECONDS) -> MovedInstallation:
    """Raise BackupError if a row cannot be moved or differs afterwards. Then neither database is changed."""
    file = describe_installation().database_file
    if file is None:
        raise BackupError(
            "DATABASE_URL names a PostgreSQL database already. `newsletter move` goes from SQLite to PostgreSQL."
        )
    require_target(url)
    if not file.is_file():
        raise BackupError(f"There is no database in {file}, so there is nothing to move. Check DATABASE_URL.")
    require_up_to_date()
    get_installation(now=datetime.now(UTC))
    connection.close()
    return MovedInstallation(fill_in_own_process(file, url=url, write_wait=write_wait))


def require_target(url: str) -> None:
    """Raise BackupError if it is no address of a PostgreSQL database."""
    try:
        found = dj_database_url.parse(url)
    except (ValueError, KeyError, dj_database_url.UnknownSchemeError) as error:
        raise _no_target() from error
    if found.get("ENGINE") != "django.db.backends.postgresql" or not found.get("NAME"):
        raise _no_target()


def _no_target() -> BackupError:
    return BackupError(
        "--to needs the address of a PostgreSQL database, such as postgresql://newsletter@127.0.0.1/newsletter. "
        "Nothing was moved."
    )


def fill_in_own_process(file: Path, *, url: str, write_wait: float) -> dict[str, int]:
    """Return the number of rows of each table. Raise BackupError with the reason if nothing was moved."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=_fill, args=(theirs, str(file), url, write_wait))
    process.start()
    theirs.close()
    try:
        if not ours.poll(MAX_SECONDS):
            raise BackupError("The move took longer than a day and was ended. Nothing was moved.")
        rows, reason = ours.recv()
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
    found: dict[str, int] = rows
    return found


def _fill(pipe: Connection, file: str, url: str, write_wait: float) -> None:
    os.environ["DATABASE_URL"] = url
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
    import django

    django.setup()
    from django.db import DatabaseError

    from newsletter.backups.moving.fill_target import fill_target

    try:
        pipe.send((fill_target(Path(file), write_wait=write_wait), ""))
    except DomainError as error:
        pipe.send(({}, str(error)))
    except DatabaseError as error:
        said = " ".join(str(error).split()).rstrip(".")
        pipe.send(({}, f"The move failed: {said}. Nothing was moved. Check both databases, then run this again."))
