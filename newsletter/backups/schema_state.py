"""List the migrations of a database or an archive, and check that this version knows them."""

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from newsletter.backups.errors import BackupError, BadArchive
from newsletter.common.database.missing_migrations import list_missing_migrations

Migration = tuple[str, str]


def list_applied() -> list[Migration]:
    """Return the migrations of the connected database, in order of name."""
    return sorted(MigrationRecorder(connection).applied_migrations())


def require_up_to_date() -> None:
    """Raise BackupError if the connected database lacks a migration of this version."""
    if list_missing_migrations():
        raise BackupError("The database is not prepared for this version. Nothing was done. Run: newsletter migrate")


def require_known(migrations: list[Migration]) -> None:
    """Raise BadArchive if this installation lacks one of these migrations."""
    installed = MigrationLoader(None, ignore_no_migrations=True).disk_migrations or {}
    unknown = [f"{app}.{name}" for app, name in migrations if (app, name) not in installed]
    if unknown:
        raise BadArchive(
            "The archive was made by a newer version, or with an extension or an engine that is missing here "
            f"(unknown: {', '.join(unknown[:3])}). Nothing was restored. Install what it was made with, then run this again."
        )


def migrate_to(migrations: list[Migration]) -> None:
    """Give an empty database exactly the tables of these migrations."""
    executor = MigrationExecutor(connection)
    graph, targets = executor.loader.graph, set(migrations)
    last = [
        key
        for key in migrations
        if key in graph.nodes
        and not any(child.key[0] == key[0] and child.key in targets for child in graph.node_map[key].children)
    ]
    executor.migrate(last)


def migrate_to_newest() -> None:
    call_command("migrate", verbosity=0, interactive=False)
