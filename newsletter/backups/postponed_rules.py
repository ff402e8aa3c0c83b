"""Fill PostgreSQL tables in any order, and as they were: references are checked at the end, and no trigger adds rows."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import IntegrityError, connection
from psycopg import sql

from newsletter.backups.errors import BackupError

Named = list[tuple[str, str]]
_FIXED_REFERENCES = (
    "SELECT c.relname, n.conname FROM pg_constraint n JOIN pg_class c ON c.oid = n.conrelid"
    " WHERE n.contype = 'f' AND NOT n.condeferrable AND n.conparentid = 0"
    " AND c.relnamespace = current_schema()::regnamespace ORDER BY 1, 2"
)
_TRIGGERS = (
    "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " WHERE NOT t.tgisinternal AND t.tgenabled = 'O'"
    " AND c.relnamespace = current_schema()::regnamespace ORDER BY 1, 2"
)


@contextmanager
def postponed_rules() -> Iterator[None]:
    """In the caller's transaction, let tables be filled in any order. At the end, check all references.

    The schema is then as before. The transaction must not have changed rows yet: PostgreSQL alters no table that has
    checks to come. If an error leaves the block, the caller rolls the transaction back.

    Raises:
        BackupError: A row refers to a missing one.
    """
    references, triggers = _list(_FIXED_REFERENCES), _list(_TRIGGERS)
    _alter(triggers, "ALTER TABLE {} DISABLE TRIGGER {}")
    _alter(references, "ALTER TABLE {} ALTER CONSTRAINT {} DEFERRABLE")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    yield
    _check_references()
    _alter(references, "ALTER TABLE {} ALTER CONSTRAINT {} NOT DEFERRABLE")
    _alter(triggers, "ALTER TABLE {} ENABLE TRIGGER {}")


def _check_references() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except IntegrityError as error:
        cause = error.__cause__
        detail = cause.diag.message_detail if isinstance(cause, psycopg.Error) else cause
        raise BackupError(f"A row refers to another one that is missing: {detail}. Nothing was changed.") from error


def _list(query: str) -> Named:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [(table, name) for table, name in cursor.fetchall()]


def _alter(found: Named, statement: str) -> None:
    with connection.cursor() as cursor:
        for table, name in found:
            cursor.execute(sql.SQL(statement).format(sql.Identifier(table), sql.Identifier(name)))
