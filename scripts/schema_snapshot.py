"""Write newsletter/management/schema_snapshot.sql, by running all migrations: python -m scripts.schema_snapshot [--print]

Its first line has a hash of our migrations, so that a quick test finds a change of them without running them.
"""

import hashlib
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

_ROOT = Path(__file__).parents[1]
_MADE_AT_LOADING = {
    ("django_migrations", "applied"): "CURRENT_TIMESTAMP",
    ("wagtailcore_page", "translation_key"): "lower(hex(randomblob(16)))",
}


def main() -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "new.sqlite3"
        for name in [name for name in os.environ if name.startswith("NEWSLETTER_")]:
            del os.environ[name]
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "newsletter.project.settings",
            "NEWSLETTER_DATA_DIR": folder,
            "DATABASE_URL": f"sqlite:///{file}",
        }
        text = make_snapshot(file)
    if "--print" in sys.argv[1:]:
        sys.stdout.write(text)
        return

    from newsletter.management.schema_snapshot import SNAPSHOT

    SNAPSHOT.write_text(text, encoding="utf-8")


def make_snapshot(file: Path) -> str:
    """Run all migrations on the configured database, an empty file, and return what they made."""
    import django
    from django.core.management import call_command
    from django.core.management.commands.migrate import Command

    django.setup()
    call_command(Command(), verbosity=0, interactive=False)
    with closing(sqlite3.connect(file)) as database:
        return write_first_line() + dump_snapshot(database)


def write_first_line() -> str:
    """Return a comment with the hash of our migrations as they are now."""
    found = hashlib.sha256()
    for app in ("newsletter", "subscribers"):
        for migration in sorted((_ROOT / app / "migrations").glob("*.py")):
            found.update(migration.name.encode() + migration.read_bytes())
    return f"-- Made by `make schema` from migrations with the hash {found.hexdigest()[:16]}.\n"


def dump_snapshot(database: sqlite3.Connection) -> str:
    """Return the statements that make this database, one after another, without what differs at each installation."""
    return "".join(f"{statement};\n" for statement in _dump(database))


def _dump(database: sqlite3.Connection) -> Iterator[str]:
    names = [
        name
        for _, name, kind, *_ in database.execute("PRAGMA table_list").fetchall()
        if kind in ("table", "virtual") and not name.startswith("sqlite_")
    ]
    made = database.execute("SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")
    parts = [(kind, name, sql) for kind, name, table, sql in made if table in names]
    yield from (sql for kind, _, sql in parts if kind == "table")
    for _, name, sql in parts:
        if name in names and not sql.startswith("CREATE VIRTUAL"):
            yield from _dump_rows(database, name)
    yield from (sql for kind, _, sql in parts if kind != "table")


def _dump_rows(database: sqlite3.Connection, table: str) -> Iterator[str]:
    columns = [row[1] for row in database.execute(f'PRAGMA table_info("{table}")')]
    values = " || ', ' || ".join(
        f"'{made}'" if (made := _MADE_AT_LOADING.get((table, column))) else f'quote("{column}")' for column in columns
    )
    for (row,) in database.execute(f'SELECT {values} FROM "{table}" ORDER BY 1'):  # noqa: S608 - names from the database
        yield f'INSERT INTO "{table}" VALUES ({row})'  # noqa: S608 - values that SQLite has quoted


if __name__ == "__main__":
    main()
