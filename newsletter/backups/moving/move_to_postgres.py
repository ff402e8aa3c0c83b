"""Move an installation from SQLite to an empty PostgreSQL database. The SQLite database is then on hold.

Nobody can write to SQLite during the move. It is put on hold before PostgreSQL has the rows for good, so that two
copies never mail the same people, whatever happens in between.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dj_database_url
from django.db import OperationalError, connection, transaction

from newsletter.backups import postgres_database
from newsletter.backups.connected_database import use_database
from newsletter.backups.errors import BackupError, TargetNotEmpty
from newsletter.backups.installation import describe_installation
from newsletter.backups.manifest import Sequence
from newsletter.backups.moving.copy_table import copy_table, describe_table
from newsletter.backups.schema_state import migrate_to_newest, require_up_to_date
from newsletter.backups.sqlite_database import list_tables
from newsletter.common.messages import Message
from newsletter.models import Batch
from newsletter.models import Installation as InstallationRow
from newsletter.sending.limits.installation_hold import get_installation

MOVED = Message(
    "this installation was moved to PostgreSQL. Nothing is sent from the SQLite database any more. Set DATABASE_URL to "
    "the new database"
)
_WRITE_WAIT_SECONDS = 30
_MADE_BY_THE_TARGET = {"django_migrations", "wagtailsearch_indexentry"}
_SEARCH_PREFIX = "wagtailsearch_indexentry_fts"


@dataclass(frozen=True)
class MovedInstallation:
    """The rows of each table, the same in both databases."""

    rows: dict[str, int]


def move_to_postgres(*, url: str, now: datetime | None = None) -> MovedInstallation:
    """Raise BackupError if a row cannot be moved or differs afterwards. Then neither database is changed."""
    file = describe_installation().database_file
    if file is None:
        raise BackupError(
            "DATABASE_URL names a PostgreSQL database already. `newsletter move` goes from SQLite to PostgreSQL."
        )
    target = parse_target(url)
    if not file.is_file():
        raise BackupError(f"There is no database in {file}, so there is nothing to move. Check DATABASE_URL.")
    require_up_to_date()
    get_installation(now=now or datetime.now(UTC))
    connection.close()
    with _lock_source(file) as source:
        _require_no_open_call(source, now=now or datetime.now(UTC))
        with use_database(**target):
            _require_reachable()
            with transaction.atomic():
                _require_empty()
                rows = _fill(source)
                _hold_source(source, now=now or datetime.now(UTC))
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
    return MovedInstallation(rows)


def parse_target(url: str) -> dict[str, Any]:
    """Return the connection's settings. Raise BackupError if it is no address of a PostgreSQL database."""
    try:
        found = dict(dj_database_url.parse(url))
    except (ValueError, KeyError, dj_database_url.UnknownSchemeError) as error:
        raise _no_target() from error
    if found["ENGINE"] != "django.db.backends.postgresql" or not found["NAME"]:
        raise _no_target()
    return {"OPTIONS": {}, **found, "ENGINE": "newsletter.project.database"}


@contextmanager
def _lock_source(file: Path) -> Iterator[sqlite3.Connection]:
    """Let nobody else write to SQLite until the end. What `_hold_source` committed stays."""
    with closing(sqlite3.connect(file, timeout=_WRITE_WAIT_SECONDS, isolation_level=None)) as source:
        try:
            source.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise BackupError(
                "Another process is writing to the SQLite database all the time. Nothing was moved. Stop `newsletter serve` "
                "and the other processes, then run this again."
            ) from error
        yield source
        if source.in_transaction:
            source.execute("ROLLBACK")


def _require_no_open_call(source: sqlite3.Connection, *, now: datetime) -> None:
    """Raise BackupError if a worker waits for the provider's answer: both databases would hold half of that call."""
    moment = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    query = "SELECT COUNT(*) FROM newsletter_batch WHERE state = ? AND lease_until > ?"
    (calls,) = source.execute(query, [Batch.State.SUBMITTING.value, moment]).fetchone()
    if calls:
        raise BackupError(
            f"{calls} calls to the provider wait for their answer. Nothing was moved. Pause the send or stop the worker, wait "
            "a minute, then run this again."
        )


def _require_reachable() -> None:
    try:
        connection.ensure_connection()
    except OperationalError as error:
        raise BackupError(
            "The PostgreSQL database cannot be reached. Nothing was moved. Check the address, the password and that the "
            "server runs, then run this again."
        ) from error


def _require_empty() -> None:
    tables = postgres_database.list_tables()
    if tables:
        raise TargetNotEmpty(
            f"The PostgreSQL database is not empty ({len(tables)} tables, such as {tables[0]}). Nothing was moved. "
            "Create a new database for the installation."
        )


def _fill(source: sqlite3.Connection) -> dict[str, int]:
    postgres_database.check_constraints()
    migrate_to_newest()
    made = [name for name in postgres_database.list_tables() if name not in _MADE_BY_THE_TARGET]
    there = {name for name in list_tables(source) if not name.startswith(_SEARCH_PREFIX)} - _MADE_BY_THE_TARGET
    lost = sorted(name for name in there - set(made) if source.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone())  # noqa: S608
    if lost:
        raise BackupError(
            f"SQLite has tables that this installation does not make in PostgreSQL: {', '.join(lost[:3])}. Nothing was moved. "
            "Install the extension that they belong to, then run this again."
        )
    tables = [describe_table(name, source=source) for name in made if name in there]
    postgres_database.empty_tables(made)
    postgres_database.postpone_constraints()
    rows = {table.name: copy_table(table, source=source) for table in tables}
    postgres_database.check_constraints()
    postgres_database.set_sequences(_list_counters(source, rows))
    return rows


def _list_counters(source: sqlite3.Connection, rows: dict[str, int]) -> list[Sequence]:
    """Return where each counter goes on: after the last number that SQLite gave, also if that row is deleted."""
    given = dict(source.execute("SELECT name, seq FROM sqlite_sequence WHERE seq > 0"))
    return [
        Sequence(table, column, given[table]) for table, column in postgres_database.list_counters() if table in given
    ]


def _hold_source(source: sqlite3.Connection, *, now: datetime) -> None:
    reason = InstallationRow._meta.get_field("reason").get_prep_value(MOVED)
    moment = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    source.execute(
        "UPDATE newsletter_installation SET held = 1, reason = ?, changed_at = ? WHERE id = 1", [reason, moment]
    )
    source.execute("COMMIT")


def _no_target() -> BackupError:
    return BackupError(
        "--to needs the address of a PostgreSQL database, such as postgresql://newsletter@127.0.0.1/newsletter. Nothing was moved."
    )
