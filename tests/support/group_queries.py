"""Tell the statements that group the readers of an issue from the others that a page makes."""

from collections.abc import Iterable, Mapping


def find_group_queries(queries: Iterable[Mapping[str, str]]) -> list[str]:
    """Return the SQL of captured queries that group people by what an issue knows of them, by either way."""
    return [sql for query in queries if 'giving"' in (sql := query["sql"]) and "COUNT(" in sql and "GROUP BY" in sql]
