"""newsletter migrate: Django's command, which creates all tables of a new SQLite database at once."""

from django.core.management.commands import migrate
from django.db import connections

from newsletter.common.commands.base import describe_version
from newsletter.management.schema_snapshot import load_snapshot


class Command(migrate.Command):
    """Django's migrate. A run for one app, or one that only plans, checks or fakes, goes through the migrations."""

    def get_version(self) -> str:
        return describe_version()

    def handle(self, *args: object, **options: object) -> None:
        is_whole = not any(options.get(name) for name in ("app_label", "plan", "check_unapplied", "fake", "prune"))
        if is_whole:
            load_snapshot(connections[str(options["database"])])
        super().handle(*args, **options)
