"""Queries of the ORM kept as text with two blanks, a moment and a row: composing one takes longer than asking it."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

SOME_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
SOME_ROW = -1


class Composed(NamedTuple):
    """``parameters`` hold ``SOME_MOMENT`` and ``SOME_ROW`` where the blanks are, as the database writes them."""

    sql: str
    parameters: tuple[Any, ...]

    def fill(self, *, moment: datetime, row: int = SOME_ROW) -> list[Any]:
        """The parameters with the blanks filled in."""
        blanks = {as_moment(SOME_MOMENT): as_moment(moment), SOME_ROW: row}
        return [blanks.get(parameter, parameter) for parameter in self.parameters]


def compose(queryset: QuerySet[Any, Any]) -> Composed:
    """The query of one database connection's kind; keep it for that kind only."""
    sql, parameters = queryset.order_by().query.sql_with_params()
    return Composed(sql, tuple(parameters))


def as_moment(moment: datetime | None) -> Any:
    """A moment as the database at hand takes it beside the ORM."""
    return connection.ops.adapt_datetimefield_value(moment)
