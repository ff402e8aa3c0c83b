"""ORM queries compiled to SQL once, because composing one takes longer than running it.

A compiled query has two placeholders: a moment and a row id.
"""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

TIME_PLACEHOLDER = datetime(1970, 1, 1, tzinfo=UTC)
ROW_PLACEHOLDER = -1


class CompiledQuery(NamedTuple):
    """SQL and its parameters, in which `TIME_PLACEHOLDER` and `ROW_PLACEHOLDER` mark what `fill` replaces."""

    sql: str
    parameters: tuple[Any, ...]

    def fill(self, *, moment: datetime, row: int = ROW_PLACEHOLDER) -> list[Any]:
        """Return the parameters for this moment and row."""
        values = {_to_database_time(TIME_PLACEHOLDER): _to_database_time(moment), ROW_PLACEHOLDER: row}
        return [values.get(parameter, parameter) for parameter in self.parameters]


def compile_query(queryset: QuerySet[Any, Any]) -> CompiledQuery:
    """Compile a query for the kind of database that is connected. Keep it for that kind only."""
    sql, parameters = queryset.order_by().query.sql_with_params()
    return CompiledQuery(sql, tuple(parameters))


def _to_database_time(moment: datetime) -> object:
    return connection.ops.adapt_datetimefield_value(moment)
