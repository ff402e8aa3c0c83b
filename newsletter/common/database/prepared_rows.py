"""Read rows by ids, and pages of ids, with a query that is compiled once: compiling takes several times as long as running it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet

Row = tuple[Any, ...]
_SIZES = (1, 10, 50, 200)
_MAX_ID = 2**63 - 1


@dataclass(frozen=True)
class _Compiled:
    sql: str
    parameters: tuple[Any, ...]
    positions: dict[Any, int]
    converters: dict[int, Any]


class PreparedIds:
    """One page of the ids of rows, in their order.

    ``make`` returns a `values_list` of ids for the integers that it gets, such as a list's id. Every other part of the
    queryset must always be the same.
    """

    def __init__(self, make: Callable[..., "QuerySet[Any, Any]"], *, newest_first: bool = False) -> None:
        self._make = make
        self._newest_first = newest_first
        self._compiled: dict[int, _Compiled] = {}

    def read(self, *values: int, last: int | None, limit: int) -> list[int]:
        """Return up to ``limit`` ids that follow ``last``, which is None for the first page."""
        if last is None:
            last = _MAX_ID if self._newest_first else 0
        compiled = self._compiled.get(limit) or self._compile(len(values), limit)
        return [row[0] for row in _fetch(compiled, (*values, last))]

    def _compile(self, number: int, limit: int) -> _Compiled:
        *samples, last = _make_samples(int, number + 1)
        rows = self._make(*samples)
        rows = (
            rows.filter(pk__lt=last).order_by("-pk") if self._newest_first else rows.filter(pk__gt=last).order_by("pk")
        )
        self._compiled[limit] = compiled = _compile(rows[:limit], [*samples, last])
        return compiled


class PreparedRows:
    """The rows of a `values_list` for up to 200 ids or texts.

    ``make`` returns the queryset for the values that it gets. Every other part of the queryset must always be the same.
    """

    def __init__(self, make: Callable[[Sequence[Any]], "QuerySet[Any, Any]"]) -> None:
        self._make = make
        self._compiled: dict[tuple[str, int], _Compiled] = {}

    def read(self, values: Sequence[int] | Sequence[str]) -> list[Row]:
        """Return the rows for these values."""
        if not values:
            return []
        size = next(size for size in _SIZES if size >= len(values))
        padded = [*values, *[values[-1]] * (size - len(values))]
        kind = type(values[0])
        compiled = self._compiled.get((kind.__name__, size)) or self._compile(kind, size)
        return _fetch(compiled, padded)

    def _compile(self, kind: type, size: int) -> _Compiled:
        samples = _make_samples(kind, size)
        self._compiled[kind.__name__, size] = compiled = _compile(self._make(samples), samples)
        return compiled


def _make_samples(kind: type, number: int) -> list[Any]:
    """Return values that nothing else has, so that they are found among the parameters of a query."""
    return [kind(-1_000_000_007 - index) for index in range(number)]


def _compile(rows: "QuerySet[Any, Any]", samples: Sequence[Any]) -> _Compiled:
    compiler = rows.query.get_compiler(connection=connection)
    sql, parameters = compiler.as_sql()
    converters = compiler.get_converters(expression for expression, *_ in compiler.select)
    return _Compiled(sql, tuple(parameters), {value: position for position, value in enumerate(samples)}, converters)


def _fetch(compiled: _Compiled, values: Sequence[Any]) -> list[Row]:
    positions = compiled.positions
    with connection.cursor() as cursor:
        cursor.execute(
            compiled.sql,
            [
                values[positions[parameter]] if parameter in positions else parameter
                for parameter in compiled.parameters
            ],
        )
        rows = cursor.fetchall()
    return [_convert(row, compiled.converters) for row in rows] if compiled.converters else rows


def _convert(row: Row, converters: dict[int, Any]) -> Row:
    cells = list(row)
    for position, (functions, expression) in converters.items():
        for function in functions:
            cells[position] = function(cells[position], expression, connection)
    return tuple(cells)
