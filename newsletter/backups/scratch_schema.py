"""Make PostgreSQL tables in a schema of their own, and move all of them into place in one transaction.

The migrations cannot all run in one transaction: PostgreSQL refuses to use a value of an enum type in the transaction
that added it, and the job queue's migrations use such values. So each migration commits by itself, in a schema that
no other process reads.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, Error, ProgrammingError, connection, connections
from psycopg import sql

from newsletter.backups.errors import BackupError, TargetNotEmpty
from newsletter.backups.use_database import use_database
from newsletter.common.database.error_codes import sqlstate_of
from newsletter.sending.deliverability.findings import Finding, warning

SCRATCH = "newsletter_scratch"
_SCRATCH = sql.Identifier(SCRATCH)
_SESSION = (f"search_path={SCRATCH}", "statement_timeout=0", "idle_in_transaction_session_timeout=0")
_LOCK = 7_206_311_851
_NOT_ALLOWED = "42501"
_EXISTS_ALREADY = ("42P07", "42710", "42723")  # a table, a type, a function
# Functions first and tables last: the name of a function contains its types, which must still be where it says.
_OBJECTS = """
WITH scratch AS (SELECT %(schema)s::regnamespace AS oid), made AS (
    SELECT 1 AS step, 'ROUTINE' AS kind, p.oid, 'pg_proc'::regclass AS catalogue, p.oid::regprocedure::text AS name
    FROM pg_proc p, scratch WHERE p.pronamespace = scratch.oid
    UNION ALL
    SELECT 2, 'TYPE', t.oid, 'pg_type'::regclass, t.oid::regtype::text
    FROM scratch, pg_type t LEFT JOIN pg_class r ON r.oid = t.typrelid
    WHERE t.typnamespace = scratch.oid AND (t.typtype IN ('e', 'd', 'r') OR r.relkind = 'c')
    UNION ALL
    SELECT 3, 'TABLE', c.oid, 'pg_class'::regclass, c.oid::regclass::text
    FROM pg_class c, scratch WHERE c.relnamespace = scratch.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
)
SELECT kind, name FROM made
WHERE NOT EXISTS (
    SELECT FROM pg_depend d
    WHERE d.classid = made.catalogue AND d.objid = made.oid AND d.objsubid = 0
    AND (d.deptype = 'e' OR d.deptype IN ('a', 'i') AND d.refobjsubid > 0 AND d.refclassid = 'pg_class'::regclass)
)
ORDER BY step, name
"""

_REMAINS = """
SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = %(schema)s) AND NOT EXISTS (
    SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid = %(lock)s::bigint >> 32 AND objid = %(lock)s::bigint & 4294967295
)
"""


@contextmanager
def scratch_schema() -> Iterator[str]:
    """Connect to an empty schema of the same database. Yield the schema where its tables belong in the end.

    At the end, what `put_in_place` did not move is dropped. A process that is killed leaves the schema to the next one.

    Raises:
        BackupError: Another process uses the schema, or this user may not create one.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(current_schema(), 'public')")
        (target_schema,) = cursor.fetchone()
    options = dict(connections.databases[DEFAULT_DB_ALIAS].get("OPTIONS") or {})
    session = " ".join([options.get("options", ""), *(f"-c {setting}" for setting in _SESSION)])
    with use_database(OPTIONS={**options, "options": session.strip()}):
        _lock()
        _create()
        try:
            yield target_schema
        finally:
            if connection.is_usable():
                _execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(_SCRATCH))


def put_in_place(target_schema: str) -> None:
    """In the caller's transaction, move everything from the scratch schema to ``target_schema``.

    PostgreSQL refuses to drop the scratch schema while something is left in it, so nothing is lost.

    Raises:
        TargetNotEmpty: Another process made such tables meanwhile. The transaction cannot go on.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL search_path TO ''")  # PostgreSQL then writes every name with its schema
        cursor.execute(_OBJECTS, {"schema": SCRATCH})
        objects = cursor.fetchall()
        try:
            for kind, name in objects:
                statement = sql.SQL("ALTER {} {} SET SCHEMA {}")
                cursor.execute(statement.format(sql.SQL(kind), sql.SQL(name), sql.Identifier(target_schema)))
        except ProgrammingError as error:
            if sqlstate_of(error) in _EXISTS_ALREADY:
                raise TargetNotEmpty(
                    "Another process made tables in the database meanwhile. Nothing was changed. Stop the other "
                    "processes of the installation, create a new database, then run this again."
                ) from error
            raise
        cursor.execute(sql.SQL("DROP SCHEMA {}").format(_SCRATCH))


def check_remains() -> Iterator[Finding]:
    """Yield a warning if a killed command left the schema, with its rows, and no command uses it now."""
    if connection.vendor != "postgresql":
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute(_REMAINS, {"schema": SCRATCH, "lock": _LOCK})
            (are_there,) = cursor.fetchone()
    except Error:  # another check says that the database does not answer
        return
    if are_there:
        yield warning(
            "remains of a restore",
            f"A restore, a move or a check of a backup was killed. Its tables are still in the schema {SCRATCH} of the "
            "database, and may hold people's data. Nothing uses them.",
            f"Drop it in psql: DROP SCHEMA {SCRATCH} CASCADE. The next of these commands drops it too.",
        )


def _lock() -> None:
    """Keep the schema for this connection. PostgreSQL releases the lock when the connection ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        (is_ours,) = cursor.fetchone()
    if not is_ours:
        raise BackupError(
            "Another command verifies, restores or moves in this database. Nothing was changed. Wait until it has "
            "ended, then run this again."
        )


def _create() -> None:
    """Make the schema empty, and check that this connection writes to it: all that follows relies on that."""
    try:
        _execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(_SCRATCH))
        _execute(sql.SQL("CREATE SCHEMA {}").format(_SCRATCH))
    except ProgrammingError as error:
        if sqlstate_of(error) == _NOT_ALLOWED:
            raise BackupError(
                f"This user of the database may not create the schema {SCRATCH}. Nothing was changed. Let the owner of "
                "the database run: GRANT CREATE ON DATABASE … TO …. Then run this again."
            ) from error
        raise
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        (found,) = cursor.fetchone()
    if found != SCRATCH:
        raise BackupError(
            f"The database server ignores the setting search_path, so the schema {SCRATCH} cannot be used. Nothing was "
            "changed. Name the server itself in its address instead of a connection pooler, then run this again."
        )


def _execute(statement: sql.Composable) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
