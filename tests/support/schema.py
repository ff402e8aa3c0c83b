"""Describe the schema that the migrations make: columns, constraints, indexes, triggers, and what each role may do."""

import re
from typing import Any

from django.contrib.auth.models import Group
from django.db import connection

OURS = ("newsletter_", "subscribers_")


def describe_schema() -> dict[str, Any]:
    """Return plain sorted data, the same for the same schema whatever the order of columns."""
    describe = {"sqlite": _describe_sqlite, "postgresql": _describe_postgresql}[connection.vendor]
    return {**describe(), "roles": _describe_roles()}


def _describe_sqlite() -> dict[str, Any]:
    tables, others = {}, {}
    for kind, name, table, sql in _rows("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name"):
        if not str(table).startswith(OURS):
            continue
        text = re.sub(r"\s+", " ", str(sql or ""))
        if kind == "table":
            tables[str(name)] = sorted(_parts_of_table(text))
        elif sql:
            others[str(name)] = text
    return {"tables": tables, "indexes and triggers": others}


def _parts_of_table(sql: str) -> list[str]:
    """Split the columns and constraints of a CREATE TABLE statement."""
    inside = sql[sql.index("(") + 1 : sql.rindex(")")]
    parts, depth, current = [], 0, ""
    for letter in inside:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(current.strip())
            current = ""
        else:
            current += letter
    return [*parts, current.strip()]


def _describe_postgresql() -> dict[str, Any]:
    mine = "(c.relname LIKE 'newsletter\\_%' OR c.relname LIKE 'subscribers\\_%')"
    columns = _rows(
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity::text, "
        "coalesce(pg_get_expr(d.adbin, d.adrelid), '') FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum "
        f"WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND {mine}"
    )
    constraints = _rows(
        "SELECT c.relname, n.conname, pg_get_constraintdef(n.oid) FROM pg_constraint n "
        f"JOIN pg_class c ON c.oid = n.conrelid WHERE n.contype <> 'n' AND {mine}"
    )
    indexes = _rows("SELECT tablename, indexdef FROM pg_indexes WHERE tablename ~ '^(newsletter|subscribers)_'")
    triggers = _rows(
        "SELECT c.relname, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
        f"WHERE NOT t.tgisinternal AND {mine}"
    )
    named = {"columns": columns, "constraints": constraints, "indexes": indexes, "triggers": triggers}
    return {name: sorted(" | ".join(map(str, row)) for row in rows) for name, rows in named.items()}


def _describe_roles() -> dict[str, list[str]]:
    return {
        group.name: sorted(
            [f"{p.content_type.app_label}.{p.codename}" for p in group.permissions.select_related("content_type")]
            + [
                f"{right.permission.content_type.app_label}.{right.permission.codename} in {right.collection.name}"
                for right in group.collection_permissions.select_related("permission__content_type", "collection")
            ]
        )
        for group in Group.objects.order_by("name")
    }


def _rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()
