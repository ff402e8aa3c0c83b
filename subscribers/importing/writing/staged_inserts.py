"""Insert rows from the staging table in one statement. `chunk_statements` decides what is written, and for whom."""

from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Model


def insert_staged(
    cursor: CursorWrapper,
    model: type[Model],
    *,
    staged: Mapping[str, str],
    same: Mapping[str, object],
    where: str,
    computed: Mapping[str, tuple[str, Any]] | None = None,
    returning: str = "",
) -> list[tuple[Any, ...]]:
    """Insert one row for each staged row. `staged` and `computed` hold SQL by attribute; other fields get their default.

    Return the columns `returning` of the inserted rows.
    """
    fields = {field.attname: field for field in model._meta.concrete_fields if not field.primary_key}
    expressions, values = dict(staged), []
    for name, (sql, value) in (computed or {}).items():
        expressions[name] = sql
        values.append(fields[name].get_db_prep_save(value, connection))
    rest = {name: field.get_default() for name, field in fields.items() if name not in expressions} | dict(same)
    values += [fields[name].get_db_prep_save(value, connection) for name, value in rest.items()]
    columns = ", ".join(f'"{fields[name].column}"' for name in (*expressions, *rest))
    picked = ", ".join([*expressions.values(), *["%s"] * len(rest)])
    cursor.execute(
        f'INSERT INTO "{model._meta.db_table}" ({columns})'  # noqa: S608
        f" SELECT {picked} FROM import_stage WHERE {where} ORDER BY line ON CONFLICT DO NOTHING"
        + (f" RETURNING {returning}" if returning else ""),
        values,
    )
    return cursor.fetchall() if returning else []
