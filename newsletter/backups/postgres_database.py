"""Read and fill the tables of a PostgreSQL database by COPY, each inside the caller's transaction.

The text of COPY is the same on all versions of the server, so `pg_dump` of a matching version is not needed.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import psycopg
from django.db import DataError, IntegrityError, connection
from psycopg import sql

from newsletter.backups.errors import BadArchive
from newsletter.backups.manifest import Sequence, table_part

_TEXT_FORMAT = ("datestyle TO 'ISO, MDY'", "timezone TO 'UTC'", "extra_float_digits TO 1", "bytea_output TO 'hex'")
_NO_LIMITS = ("statement_timeout TO 0", "idle_in_transaction_session_timeout TO 0")
_TABLES = (
    "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace"
    " ORDER BY relname"
)
_COLUMNS = (
    "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
    " AND attgenerated = '' ORDER BY attnum"
)
_KEY = (
    "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)"
    " WHERE i.indrelid = %s::regclass AND i.indisprimary ORDER BY array_position(i.indkey, a.attnum)"
)
_COUNTERS = (
    "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
    " WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND a.attnum > 0 AND NOT a.attisdropped"
    " AND pg_get_serial_sequence(quote_ident(c.relname), a.attname) IS NOT NULL ORDER BY 1, 2"
)


def begin_snapshot() -> None:
    """Make this transaction, which has only begun, see one moment of the database and write nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    prepare_transaction()


def prepare_transaction() -> None:
    """Until the end of this transaction, fix how values are written as text, and let it take as long as it needs."""
    with connection.cursor() as cursor:
        for setting in (*_TEXT_FORMAT, *_NO_LIMITS):
            cursor.execute(f"SET LOCAL {setting}")


def list_tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        return [name for (name,) in cursor.fetchall()]


def list_columns(table: str) -> list[str]:
    """Return the columns that can be written, in their order."""
    return _names(_COLUMNS, table)


def list_counters() -> list[tuple[str, str]]:
    """Return each table with a counter, and the column that it numbers."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTERS)
        return [(table, column) for table, column in cursor.fetchall()]


def list_sequences() -> list[Sequence]:
    """Return the last number of each table's counter; tables that never had a row are left out."""
    sequences = []
    with connection.cursor() as cursor:
        for table, column in list_counters():
            cursor.execute(
                "SELECT pg_sequence_last_value(pg_get_serial_sequence(quote_ident(%s), %s)::regclass)", [table, column]
            )
            [last] = cursor.fetchone()
            if last is not None:
                sequences.append(Sequence(table, column, last))
    return sequences


def read_table(table: str, columns: list[str]) -> Iterator[bytes]:
    """Yield the rows in the order of their key, as COPY writes them: one line a row."""
    query = sql.SQL("COPY (SELECT {} FROM {}{}) TO STDOUT").format(_list(columns), sql.Identifier(table), _order(table))
    with _cursor() as cursor, cursor.copy(query) as copy:
        for block in copy:
            yield bytes(block)


def write_table(table: str, columns: list[str], blocks: Iterable[bytes]) -> None:
    """Add rows that `read_table` gave. Raise BadArchive if the table cannot hold them."""
    query = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), _list(columns))
    try:
        with _cursor() as cursor, cursor.copy(query) as copy:
            for block in blocks:
                copy.write(block)
    except (DataError, IntegrityError) as error:
        raise BadArchive(f"The archive is damaged: {table_part(table)} has a row that {table} cannot hold.") from error


def hash_table(table: str, columns: list[str]) -> str:
    """Return the SHA-256 of what `read_table` gives."""
    digest = hashlib.sha256()
    for block in read_table(table, columns):
        digest.update(block)
    return digest.hexdigest()


def count_table(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT COUNT(*) FROM {}").format(sql.Identifier(table)))
        return int(cursor.fetchone()[0])


def empty_tables(tables: list[str]) -> None:
    if tables:
        names = sql.SQL(", ").join(map(sql.Identifier, tables))
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("TRUNCATE {}").format(names))


def set_sequences(sequences: list[Sequence]) -> None:
    with connection.cursor() as cursor:
        for sequence in sequences:
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence(quote_ident(%s), %s), %s)",
                [sequence.table, sequence.column, sequence.last],
            )


@contextmanager
def _cursor() -> Iterator["psycopg.Cursor[tuple[object, ...]]"]:
    """Yield a cursor that can COPY, which Django's cannot. Its errors are Django's."""
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        yield cursor


def _list(columns: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _order(table: str) -> sql.Composable:
    key = _names(_KEY, table)
    return sql.SQL(" ORDER BY {}").format(_list(key)) if key else sql.SQL("")


def _names(query: str, table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(query, [f'"{table}"'])
        return [name for (name,) in cursor.fetchall()]
