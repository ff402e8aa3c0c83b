"""The temporary table that holds one chunk of people beside the tables of people.

PostgreSQL fills it with COPY, SQLite with one prepared statement. It is private to the connection.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from django.db import connection
from django.db.backends.utils import CursorWrapper

COLUMNS = (
    "line",
    "address_hash",
    "uuid",
    "email",
    "name",
    "folded_name",
    "language",
    "giving",
    "timezone",
    "source",
    "radius_km",
    "frequency",
    "paused_until",
    "place_id",
    "kind",
    "given_at",
    "expires_at",
)
"""The staged columns. The statements compute `subscriber_id`, `barred`, `was`, `made`, `changed` and `renewed`."""

_TABLE = (
    "CREATE TEMPORARY TABLE {exists} import_stage (line integer, address_hash {binary}, uuid {uuid}, email text,"
    " name text, folded_name text, language text, giving text, timezone text, source text, radius_km integer, frequency text,"
    " paused_until {moment}, place_id bigint, kind text,"
    " given_at {moment}, expires_at {moment}, subscriber_id bigint, barred integer, was integer, made integer, changed integer,"
    " renewed integer) {end}"
)


def fill_staging_table(cursor: CursorWrapper, rows: Iterable[Sequence[object]]) -> None:
    """Replace the staged rows, each with the values of `COLUMNS`. Needs a transaction on PostgreSQL."""
    if connection.vendor == "postgresql":
        _fill_postgres(cursor, rows)
    else:
        _fill_sqlite(cursor, rows)


@contextmanager
def larger_sqlite_cache() -> Iterator[None]:
    """Let SQLite hold 16 MiB of its indexes in memory instead of two."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA cache_size")
        (before,) = cursor.fetchone()
        cursor.execute("PRAGMA cache_size = -16384")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA cache_size = {int(before)}")


def _fill_postgres(cursor: CursorWrapper, rows: Iterable[Sequence[object]]) -> None:
    cursor.execute(
        "DROP TABLE IF EXISTS pg_temp.import_stage"
    )  # there where a caller's transaction holds several chunks
    cursor.execute(
        _TABLE.format(exists="", binary="bytea", uuid="uuid", moment="timestamp with time zone", end="ON COMMIT DROP")
    )
    with cursor.copy(f"COPY import_stage ({', '.join(COLUMNS)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    cursor.execute("ANALYZE import_stage")
    # One chunk meets a few thousand of perhaps a million people: by index, never by reading the whole table.
    cursor.execute("SET LOCAL enable_hashjoin = off")
    cursor.execute("SET LOCAL enable_mergejoin = off")


def _fill_sqlite(cursor: CursorWrapper, rows: Iterable[Sequence[object]]) -> None:
    cursor.execute(_TABLE.format(exists="IF NOT EXISTS", binary="blob", uuid="text", moment="text", end=""))
    cursor.execute("DELETE FROM import_stage")
    marks = ", ".join(["%s"] * len(COLUMNS))
    cursor.executemany(f"INSERT INTO import_stage ({', '.join(COLUMNS)}) VALUES ({marks})", rows)  # type: ignore[arg-type]  # noqa: S608
