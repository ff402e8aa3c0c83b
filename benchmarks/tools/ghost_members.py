"""Fill the database of a stopped Ghost with members. Ghost's own import is too slow for many."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from uuid import UUID

_TIME_DIGITS = 8
"""An identifier of Ghost is 24 hexadecimal digits, and begins with the time. A send leaves out members of a later time."""


def copy_member(database: Path, people: int) -> None:
    """Copy the only member and its newsletter until there are so many. Give each copy its own name and address."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.row_factory = sqlite3.Row
        (member,) = connection.execute("SELECT * FROM members").fetchall()
        (newsletter,) = connection.execute("SELECT * FROM members_newsletters").fetchall()
        time = member["id"][:_TIME_DIGITS]
        copies = [(f"{time}{number:016x}", number) for number in range(2, people + 1)]
        _insert(connection, "members", [{**member, **_name(identifier, number)} for identifier, number in copies])
        rows = [{**newsletter, "id": identifier, "member_id": identifier} for identifier, _ in copies]
        _insert(connection, "members_newsletters", rows)


def make_address(number: int) -> str:
    return f"person{number}@example{number % 97}.org"


def _name(identifier: str, number: int) -> dict[str, str]:
    return {
        "id": identifier,
        "uuid": str(UUID(int=2 * number)),
        "transient_id": str(UUID(int=2 * number + 1)),
        "email": make_address(number),
        "name": f"Reader {number}",
    }


def _insert(connection: sqlite3.Connection, table: str, rows: Sequence[Mapping[str, object]]) -> None:
    if rows:
        names = list(rows[0])
        values = ", ".join(f":{name}" for name in names)
        connection.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({values})", rows)  # noqa: S608
