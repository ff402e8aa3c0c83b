"""Parts of statements about thousands of rows.

The ids of a statement are one parameter, so that its text is always the same and short. With each id in its text, SQLite
would prepare every statement again, and keep up to 128 of a megabyte each. PostgreSQL would take five times as long for 5,000
parameters as for the look-up. `bulk_create` would make and send one object for each row.
"""

import json
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Lookup
from django.db.models.sql.compiler import SQLCompiler

if TYPE_CHECKING:
    _Lookup = Lookup[Any]
else:
    _Lookup = Lookup  # Django's own class takes no type

_SQLITE_LIST = "(SELECT value FROM json_each(%s))"


class HasId(_Lookup):
    """The condition of a query that a column has one of these ids."""

    lookup_name = "has_id"
    prepare_rhs = False

    def __init__(self, column: str, ids: Collection[int]) -> None:
        super().__init__(F(column), sorted(ids))

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} IN {_SQLITE_LIST}", (*parameters, json.dumps(self.rhs))

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s)", (*parameters, self.rhs)


def start_insert(table: str, columns: Iterable[str]) -> str:
    """Return the start of a statement that inserts these columns. The values follow, or a query that returns them.

    The names are put into the SQL without quoting: pass only our own names.
    """
    names = ", ".join(f'"{column}"' for column in columns)
    return f'INSERT INTO "{table}" ({names})'
