"""The statements by which all migrations make a PostgreSQL database, kept in a file to make another one without them.

A dump would not do: PostgreSQL writes a restored constraint in other words than one that a migration made.
As a program, ``python -m tests.support.migration_statements FILE`` makes the tables of the configured database: by the file,
or else by the migrations, and writes the file. Then it adds the permissions and content types that the code has today.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.support.processes import connect

_OF_THE_TRANSACTION = ("SAVEPOINT", "RELEASE", "LOCK")
"""Each statement is a transaction of its own when it is repeated."""


def repeat_statements(file: Path, *, url: str) -> None:
    """Run the statements of a file on an empty database."""
    with connect(url) as database:
        for statement in json.loads(file.read_text(encoding="utf-8")):
            database.execute(statement)


def _migrate() -> list[str]:
    """Migrate the configured database, but for what follows migrations. Return the statements that changed it."""
    from django.core.management import call_command
    from django.db import connection

    statements: list[str] = []

    def record(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        made = [context["cursor"].mogrify(sql, values) for values in (params if many else [params])]
        result = execute(sql, params, many, context)
        statements.extend(filter(is_change, made))
        return result

    with patch("django.core.management.commands.migrate.emit_post_migrate_signal"), connection.execute_wrapper(record):
        call_command("migrate", verbosity=0, interactive=False)
    return statements


def is_change(statement: str) -> bool:
    """Return False for a question, and for what only means something inside a transaction."""
    words = statement.lstrip().upper()
    return not words.startswith(_OF_THE_TRANSACTION) and (not words.startswith("SELECT") or "SETVAL" in words)


def _write(file: Path, statements: list[str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(f".{os.getpid()}")
    beside.write_text(json.dumps(statements), encoding="utf-8")
    beside.rename(file)


def make_tables(file: Path) -> None:
    """Make the tables of the configured, empty database by the file, or else by the migrations, and write the file."""
    from django.core.management.sql import emit_post_migrate_signal

    if file.exists():
        repeat_statements(file, url=os.environ["DATABASE_URL"])
    else:
        _write(file, _migrate())
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")


def main(file: Path) -> None:
    import django

    django.setup()
    make_tables(file)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
