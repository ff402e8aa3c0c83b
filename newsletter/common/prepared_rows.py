"""Read rows by ids with a query that is compiled once. Compiling takes Django several times as long as running it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet

Row = tuple[Any, ...]
_SIZES = (1, 10, 50, 200)


@dataclass(frozen=True)
class _Compiled:
    sql: str
    parameters: tuple[Any, ...]
    positions: dict[Any, int]
    converters: dict[int, Any]


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
        positions = compiled.positions
        with connection.cursor() as cursor:
            cursor.execute(
                compiled.sql, [padded[positions[one]] if one in positions else one for one in compiled.parameters]
            )
            rows = cursor.fetchall()
        return [_convert(row, compiled.converters) for row in rows] if compiled.converters else rows

    def _compile(self, kind: type, size: int) -> _Compiled:
        """Compile the query with values that nothing else has, so that they are found among its parameters."""
        samples = [kind(-1_000_000_007 - number) for number in range(size)]
        compiler = self._make(samples).query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        converters = compiler.get_converters(expression for expression, *_ in compiler.select)
        positions: dict[Any, int] = {value: position for position, value in enumerate(samples)}
        compiled = _Compiled(sql, tuple(parameters), positions, converters)
        self._compiled[kind.__name__, size] = compiled
        return compiled


def _convert(row: Row, converters: dict[int, Any]) -> Row:
    cells = list(row)
    for position, (functions, expression) in converters.items():
        for function in functions:
            cells[position] = function(cells[position], expression, connection)
    return tuple(cells)
