"""Compose the statements that insert thousands of rows, which `bulk_create` would make and send one object each."""

from collections.abc import Iterable


def start_insert(table: str, columns: Iterable[str]) -> str:
    """Return the start of a statement that inserts these columns. The values follow, or a query that returns them.

    The names are put into the text as they are: they must be names of ours.
    """
    names = ", ".join(f'"{column}"' for column in columns)
    return f'INSERT INTO "{table}" ({names})'
