"""Thousands of ids as one parameter of a statement, so that its text is always the same and short.

With each id in its text, SQLite would prepare every statement again, and keep up to 128 of a megabyte each.
"""

import json
from collections.abc import Collection

from django.db import connection


def match_ids(column: str, ids: Collection[int]) -> tuple[str, str | list[int]]:
    """Return the SQL condition that a column has one of these ids, and the parameter of its mark."""
    if connection.vendor == "postgresql":
        return f"{column} = ANY(%s)", sorted(ids)
    return f"{column} IN (SELECT value FROM json_each(%s))", json.dumps(sorted(ids))  # noqa: S608  a name of ours
