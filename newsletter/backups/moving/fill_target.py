"""Fill the connected, empty PostgreSQL database from an SQLite file, compare every table, and put SQLite on hold.

Nobody can write to SQLite meanwhile. It is put on hold before PostgreSQL commits the rows, so that two copies
never mail the same people, whatever happens in between.
"""

import multiprocessing
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from django.db import Error, OperationalError, connection, transaction

from newsletter.backups import postgres_database
from newsletter.backups.errors import BackupError, TargetNotEmpty
from newsletter.backups.manifest import Sequence
from newsletter.backups.moving.copy_table import copy_table, describe_table
from newsletter.backups.postponed_rules import postponed_rules
from newsletter.backups.schema_state import migrate_to_newest
from newsletter.backups.scratch_schema import SCRATCH, put_in_place, scratch_schema
from newsletter.backups.sqlite_database import list_tables
from newsletter.common.database.error_codes import sqlstate_of
from newsletter.common.messages import Message
from newsletter.models import Batch
from newsletter.models import Installation as InstallationRow

MOVED = Message(
    "this installation was moved to PostgreSQL. Nothing is sent from the SQLite database any more. Set DATABASE_URL to "
    "the new database"
)
_MADE_BY_THE_TARGET = {"django_migrations", "wagtailsearch_indexentry"}
_SEARCH_PREFIX = "wagtailsearch_indexentry_fts"
_MAY_BE_STORED = ("08", "57", "58")
"""Classes of error codes after which the rows may be stored: the connection, the server or its disk failed meanwhile."""
_OTHER_ADVICE = "PostgreSQL's log says why. Correct that, then run this again."
_ADVICE = {
    "23": "A row breaks a rule that PostgreSQL checks last, and its log names the row. Ask for help with this message.",
    "53": "Its server has too little space or memory. Free some, then run this again.",
}
"""What to do, by the class of PostgreSQL's error codes."""


def fill_target(file: Path, *, write_wait: float) -> dict[str, int]:
    """Return the number of rows of each table. Raise BackupError if nothing was moved.

    ``write_wait`` is how many seconds to wait for another process that is writing to SQLite.
    """
    now = datetime.now(UTC)
    with _lock_source(file, write_wait=write_wait) as source:
        _require_no_open_call(source, now=now)
        _require_whole_references(source)
        _require_reachable()
        _require_empty()
        with scratch_schema() as target_schema:
            migrate_to_newest()
            with explain_failed_commit(source), transaction.atomic():
                rows = _fill(source)
                put_in_place(target_schema)
                _require_command()
                _hold_source(source, now=now)
        analyse_tables()
    return rows


def analyse_tables() -> None:
    """Let PostgreSQL count the rows. If it cannot now, it does that later by itself: they are moved already."""
    with suppress(Error), connection.cursor() as cursor:
        cursor.execute("ANALYZE")


@contextmanager
def _lock_source(file: Path, *, write_wait: float) -> Iterator[sqlite3.Connection]:
    """Let nobody else write to SQLite until the end. What `_hold_source` committed stays."""
    with closing(sqlite3.connect(file, timeout=write_wait, isolation_level=None)) as source:
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


@contextmanager
def explain_failed_commit(source: sqlite3.Connection) -> Iterator[None]:
    """Raise BackupError if PostgreSQL refuses to commit the rows, or if its answer is lost: SQLite is on hold by then."""
    try:
        yield
    except Error as error:
        if source.in_transaction:  # SQLite is not on hold yet, so PostgreSQL was not asked to commit
            raise
        code = sqlstate_of(error)
        if code and not code.startswith(_MAY_BE_STORED) and connection.is_usable():
            raise BackupError(
                f"PostgreSQL refused to store the rows (error {code}), so it has none of them. The SQLite database still has all "
                f"of them, but is on hold. {_ADVICE.get(code[:2], _OTHER_ADVICE)} To stay with SQLite, run `newsletter doctor "
                "--after-restore --release`."
            ) from error
        raise BackupError(
            "The connection to PostgreSQL ended while it stored the rows, so it has all of them or none. The SQLite database is "
            f"on hold. If the PostgreSQL database has tables outside of the schema {SCRATCH}, set DATABASE_URL to it. If it has "
            "none, run this again."
        ) from error


def _require_command() -> None:
    """Raise BackupError if the command that began the move was killed: nobody would learn that the databases changed."""
    command = multiprocessing.parent_process()
    if command is not None and not command.is_alive():
        raise BackupError("The command that began the move has ended. Nothing was moved.")


def _require_no_open_call(source: sqlite3.Connection, *, now: datetime) -> None:
    """Raise BackupError if a worker waits for the provider's answer: both databases would hold half of that call."""
    moment = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    query = "SELECT COUNT(*) FROM newsletter_batch WHERE state = ? AND lease_until > ?"
    (calls,) = source.execute(query, [Batch.State.SUBMITTING.value, moment]).fetchone()
    if calls:
        waiting = (
            "1 call to the provider waits for its" if calls == 1 else f"{calls} calls to the provider wait for their"
        )
        raise BackupError(
            f"{waiting} answer. Nothing was moved. Pause the send or stop the worker, wait "
            "a minute, then run this again."
        )


def _require_whole_references(source: sqlite3.Connection) -> None:
    loose = source.execute("PRAGMA foreign_key_check").fetchone()
    if loose:
        raise BackupError(
            f"In SQLite, a row of {loose[0]} refers to a row of {loose[2]} that is missing, and PostgreSQL refuses that. Nothing "
            "was moved. Restore the latest backup, or ask for help with this message."
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
        found = f"the table {tables[0]}" if len(tables) == 1 else f"{len(tables)} tables, such as {tables[0]}"
        raise TargetNotEmpty(
            f"The PostgreSQL database is not empty ({found}). Nothing was moved. "
            "Create a new database for the installation."
        )


def _fill(source: sqlite3.Connection) -> dict[str, int]:
    postgres_database.prepare_transaction()
    every = postgres_database.list_tables()
    made = [name for name in every if name not in _MADE_BY_THE_TARGET]
    there = {name for name in list_tables(source) if not name.startswith(_SEARCH_PREFIX)} - _MADE_BY_THE_TARGET
    lost = sorted(name for name in there - set(made) if source.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone())  # noqa: S608
    if lost:
        raise BackupError(
            f"SQLite has tables that this installation does not make in PostgreSQL: {', '.join(lost[:3])}. Nothing was moved. "
            "Install the extension that they belong to, then run this again."
        )
    tables = [describe_table(name, source=source) for name in made if name in there]
    postgres_database.empty_tables([name for name in every if name != "django_migrations"])
    with postponed_rules():
        rows = {table.name: copy_table(table, source=source) for table in tables}
    InstallationRow.objects.filter(pk=1, reason=MOVED).update(held=False, reason="")  # of a move that failed at its end
    postgres_database.set_sequences(_list_counters(source))
    return rows


def _list_counters(source: sqlite3.Connection) -> list[Sequence]:
    """Return where each counter goes on: after the last number that SQLite gave, also if that row is deleted."""
    numbers = dict(source.execute("SELECT name, seq FROM sqlite_sequence WHERE seq > 0"))
    return [
        Sequence(table, column, numbers[table])
        for table, column in postgres_database.list_counters()
        if table in numbers
    ]


def _hold_source(source: sqlite3.Connection, *, now: datetime) -> None:
    """Put SQLite on hold until a person releases it. An earlier hold keeps its reason."""
    reason = InstallationRow._meta.get_field("reason").get_prep_value(MOVED)
    moment = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    source.execute(
        "UPDATE newsletter_installation SET held = 1, reason = ?, changed_at = ? WHERE id = 1 AND NOT held",
        [reason, moment],
    )
    source.execute("COMMIT")
