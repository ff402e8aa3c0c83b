"""Empties the database after a test that committed: the tables that have rows, and none of the others.

Django truncates all of them and makes permissions and content types again, a fifth of a second a test on PostgreSQL.
These two stay here as migrations made them; no test changes them.
"""

from functools import cache
from typing import Any

from django.db import connection, transaction

_KEPT = {"auth_permission", "django_content_type"}


def empty_tables(_test_case: Any = None) -> None:
    """In place of `TransactionTestCase._fixture_teardown`."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in _tables()))
        filled = [name for (name,) in cursor.fetchall()]
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role TO replica")  # the staff log's trigger forbids deletion
        for name in filled:
            cursor.execute(f"DELETE FROM {name}")


@cache
def _tables() -> list[str]:
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return [connection.ops.quote_name(name) for name in names if name not in _KEPT]
