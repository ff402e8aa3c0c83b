"""Prepare the database at a start: load no migration if it has them all."""

from django.core.management import call_command
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection

from newsletter.common.database.missing_migrations import list_missing_migrations
from newsletter.management.schema_snapshot import load_snapshot


def prepare_database() -> None:
    """Give the database the tables, content types and permissions of this version.

    If no migration has to run, none is loaded: that would take a second of each start, and memory until its end.
    """
    load_snapshot(connection)
    if list_missing_migrations():
        call_command("migrate", verbosity=0, interactive=False)
    else:
        emit_post_migrate_signal(verbosity=0, interactive=False, db=connection.alias)
