"""A temporary database for one measurement, on the configured server."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings
from django.db import connection, connections


@contextmanager
def temporary_database() -> Iterator[str]:
    """Create a migrated, empty database, connect to it and drop it afterwards. Yield its kind and version."""
    with TemporaryDirectory(prefix="newsletter-bench-") as folder:
        before = connection.settings_dict["NAME"]
        connection.settings_dict.setdefault("TEST", {})
        if connection.vendor == "sqlite":
            connection.settings_dict["TEST"]["NAME"] = str(Path(folder) / "bench.sqlite3")
        else:
            connection.settings_dict["TEST"]["NAME"] = f"{before}_bench"
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        data_dir, settings.NEWSLETTER_DATA_DIR = settings.NEWSLETTER_DATA_DIR, Path(folder)
        try:
            yield _describe_database()
        finally:
            settings.NEWSLETTER_DATA_DIR = data_dir
            connections.close_all()
            connection.creation.destroy_test_db(str(before), verbosity=0)


def _describe_database() -> str:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            version = cursor.execute("SELECT sqlite_version()").fetchone()[0]
            return f"SQLite {version}"
        cursor.execute("SHOW server_version")
        return f"PostgreSQL {cursor.fetchone()[0].split()[0]}"
