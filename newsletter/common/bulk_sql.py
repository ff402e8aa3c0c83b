"""Insert and update many narrow rows in one statement, several times as fast as `bulk_create`."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from django.db import connection
from django.db.models import Model

_MAX_VALUES = 10_000  # SQLite takes 32,766 in one statement


def insert_rows(
    model: type[Model], *, same: Mapping[str, object], columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Insert one row for each of `rows`. `same` holds the fields that are equal in all, `columns` names those that differ.

    Fields are named by attribute (`subscriber_id`). Give every field that has no database default.
    """
    fields = {field.attname: field for field in model._meta.concrete_fields}
    constant = [fields[name].get_db_prep_save(value, connection) for name, value in same.items()]
    quote = connection.ops.quote_name
    names = [quote(str(fields[name].column)) for name in (*same, *columns)]
    one = f"({', '.join(['%s'] * len(names))})"
    start = f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(names)}) VALUES "  # noqa: S608
    remaining = iter(rows)
    with connection.cursor() as cursor:
        while several := list(islice(remaining, _MAX_VALUES // len(names))):
            values = [value for row in several for value in (*constant, *row)]
            cursor.execute(start + ", ".join([one] * len(several)), values)


def update_rows(model: type[Model], *, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Set `columns` of one row for each of `rows`. The last value of each is the primary key."""
    quote = connection.ops.quote_name
    assignments = ", ".join(f"{quote(name)} = %s" for name in columns)
    sql = f"UPDATE {quote(model._meta.db_table)} SET {assignments} WHERE {quote('id')} = %s"  # noqa: S608
    values = [list(row) for row in rows]
    if values:
        with connection.cursor() as cursor:
            cursor.executemany(sql, values)  # type: ignore[arg-type]
