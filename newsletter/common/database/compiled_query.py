"""Queries whose SQL is built once in a process, because building it takes longer than running it."""

import re
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Model, QuerySet

TIME_PLACEHOLDER = datetime(1970, 1, 1, tzinfo=UTC)
ROW_PLACEHOLDER = -1
_NEAR = timedelta(days=3650)
_STORED_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?")
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class _After:
    """A parameter: the moment of the query plus ``offset``."""

    offset: timedelta


class CompiledQuery(NamedTuple):
    """SQL and its parameters, in which `fill` replaces the marks of the moment and the row."""

    sql: str
    parameters: tuple[Any, ...]

    def fill(self, *, moment: datetime, row: int = ROW_PLACEHOLDER) -> list[Any]:
        """Return the parameters for this moment and row."""
        return [
            connection.ops.adapt_datetimefield_value(moment + parameter.offset)
            if isinstance(parameter, _After)
            else row
            if parameter == ROW_PLACEHOLDER
            else parameter
            for parameter in self.parameters
        ]


def compile_query(queryset: QuerySet[Any, Any]) -> CompiledQuery:
    """Compile a query for the kind of database that is connected. Keep it for that kind only.

    `TIME_PLACEHOLDER`, also with a duration added or subtracted, marks the moment. `ROW_PLACEHOLDER` marks the row.
    """
    sql, parameters = queryset.query.sql_with_params()
    return CompiledQuery(sql, tuple(map(_mark_time, parameters)))


def _mark_time(parameter: object) -> object:
    if isinstance(parameter, str) and _STORED_TIME.fullmatch(parameter):
        moment = datetime.fromisoformat(parameter).replace(tzinfo=UTC)
    elif isinstance(parameter, datetime):
        moment = parameter
    else:
        return parameter
    offset = moment - TIME_PLACEHOLDER
    return _After(offset) if abs(offset) < _NEAR else parameter


def find_rows(build: Callable[..., QuerySet[Row]], *arguments: Hashable, now: datetime) -> Iterator[Row]:
    """Yield the rows of ``build(now, *arguments)``. If there are none, which a compiled query tells, build nothing.

    For work that is repeated every few seconds and seldom finds a row. ``build`` is a function of a module. Its query may
    depend on these arguments only, and may only add durations to ``now`` or subtract them.
    """
    if finds_row(build, *arguments, now=now):
        yield from build(now, *arguments)


def finds_row(build: Callable[..., QuerySet[Row]], *arguments: Hashable, now: datetime) -> bool:
    """Return True if ``build(now, *arguments)`` has a row. The same is required of ``build`` as by `find_rows`."""
    query = _compile_once(build, arguments, connection.vendor)
    if query is None:
        return False
    with connection.cursor() as cursor:
        cursor.execute(query.sql, query.fill(moment=now))
        return cursor.fetchone() is not None


@lru_cache(maxsize=256)
def _compile_once(
    build: Callable[..., QuerySet[Row]], arguments: tuple[Hashable, ...], vendor: str
) -> CompiledQuery | None:
    """Compile the query, reduced to whether it has a row. Return None if it can have none, on any database."""
    rows = build(TIME_PLACEHOLDER, *arguments)
    try:
        return compile_query(rows if rows.query.is_sliced else rows.order_by().values("pk")[:1])
    except EmptyResultSet:
        return None
