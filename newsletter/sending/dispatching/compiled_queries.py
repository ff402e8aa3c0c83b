"""Queries of the ORM kept as text with two blanks, a moment and a row: composing one takes longer than asking it."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

TIME_PLACEHOLDER = datetime(1970, 1, 1, tzinfo=UTC)
ROW_PLACEHOLDER = -1


class CompiledQuery(NamedTuple):
    """``parameters`` hold ``TIME_PLACEHOLDER`` and ``ROW_PLACEHOLDER`` where the blanks are, as the database writes them."""

    sql: str
    parameters: tuple[Any, ...]

    def fill(self, *, moment: datetime, row: int = ROW_PLACEHOLDER) -> list[Any]:
        """The parameters with the blanks filled in."""
        blanks = {to_database_time(TIME_PLACEHOLDER): to_database_time(moment), ROW_PLACEHOLDER: row}
        return [blanks.get(parameter, parameter) for parameter in self.parameters]


def compile_query(queryset: QuerySet[Any, Any]) -> CompiledQuery:
    """The query of one database connection's kind; keep it for that kind only."""
    sql, parameters = queryset.order_by().query.sql_with_params()
    return CompiledQuery(sql, tuple(parameters))


def to_database_time(moment: datetime | None) -> Any:
    """A moment as the database at hand takes it beside the ORM."""
    return connection.ops.adapt_datetimefield_value(moment)
