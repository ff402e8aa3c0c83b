"""A backup each day, and now and then a machine that is lost: its newest backup is restored, as the how-to says."""

import shutil
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, connections

from newsletter.jobs import catalogue
from newsletter.sending import adapters
from subscribers.audience.count_cache import forget_counts
from tests.months.organisation import FILE_NAME, Organisation
from tests.support import process_caches

KEPT = ("left.journal", FILE_NAME)
"""What the how-to tells people to keep beside the backups."""


class Backups:
    """``restores`` has pairs of moments: of a backup and of its restore."""

    def __init__(self, folder: Path, *, data: Path, organisation: Organisation) -> None:
        self._folder, self._data, self._organisation = folder, data, organisation
        self._newest: tuple[Path, datetime] | None = None
        self.restores: list[tuple[datetime, datetime]] = []

    def back_up(self, now: datetime) -> None:
        """Write an archive, and remove the one before it."""
        file = self._folder / f"{now:%Y-%m-%d}.zip"
        self._organisation.run("backup", str(file))
        if self._newest:
            self._newest[0].unlink()
        self._newest = file, now

    def restore(self, now: datetime) -> datetime | None:
        """Lose everything but the suppression journal, restore the newest backup, and let staff skip what may have been sent.

        Return the moment of the backup, or None if there is none yet.
        """
        if self._newest is None:
            return None
        file, made_at = self._newest
        self._lose_machine()
        self._organisation.run("restore", str(file))
        connections.close_all()
        self._organisation.run("doctor", "--after-restore")
        self._organisation.skip_held(now=now)
        self._organisation.run("doctor", "--after-restore", "--release")
        self.restores.append((made_at, now))
        return made_at

    def _lose_machine(self) -> None:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        connections.close_all()
        for path in self._data.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name not in KEPT:
                path.unlink()
        settings.NEWSLETTER_DATA_DIR.mkdir(exist_ok=True)
        _forget_lost_rows()


def _forget_lost_rows() -> None:
    """Clear what this process knows of the lost database: a restored machine has new processes."""
    catalogue._dispatcher.cache_clear()
    adapters._adapter.cache_clear()
    forget_counts()
    process_caches.clear_branding_cache()
    process_caches.clear_kept_audiences()
    process_caches.clear_term_matcher()
    process_caches.clear_bad_link_cache()
    process_caches.clear_logged_errors()
