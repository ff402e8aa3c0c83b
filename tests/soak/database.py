"""Troubles of the database in a soak: cut connections, a frozen or crashed server, a full disk."""

import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from tests.soak.site import SoakSite
from tests.support.disk import fill_up
from tests.support.processes import Installation

FROZEN_SECONDS = 6.0
FULL_SECONDS = 4.0
MAX_LOG_FILES = 200


class Database:
    """The troubles of one installation's database. It offers only those that are possible here."""

    def __init__(self, here: Installation, *, place: SoakSite) -> None:
        self._here, self._cluster, self._disk = here, place.cluster, place.disk

    def troubles(self) -> list[tuple[str, Callable[[], None]]]:
        """Return name and function of the rare ones, each for once in a send."""
        offered: list[tuple[str, Callable[[], None]]] = []
        if self._cluster:
            offered += [("freeze_database", self.freeze), ("restart_database", self.restart)]
        if self._disk and (self._cluster or self._here.database_url.startswith("sqlite")):
            offered.append(("fill_disk", self.fill_disk))
        return offered

    def cut(self) -> None:
        """Cut every connection to the database."""
        self._here.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    def freeze(self) -> None:
        """Let the server answer nobody for a while. It loses nothing."""
        assert self._cluster is not None
        self._cluster.freeze()
        time.sleep(FROZEN_SECONDS)
        self._cluster.thaw()

    def restart(self) -> None:
        """Stop the server as a crash does, and start it again."""
        assert self._cluster is not None
        self._cluster.stop(at_once=True)
        time.sleep(1.0)
        self._cluster.start()

    def fill_disk(self) -> None:
        """Leave the database no room on its disk. If PostgreSQL ends, start it again once there is room."""
        assert self._disk is not None
        filler = self._disk / "filler"
        fill_up(filler)
        self._use_up_the_log()
        fill_up(filler)
        time.sleep(FULL_SECONDS)
        filler.unlink()
        if self._cluster is not None:
            self._cluster.stop(at_once=True)
            self._cluster.start()

    def _use_up_the_log(self) -> None:
        """Use up the server's preallocated log, so that it needs space that the disk does not have."""
        for _ in range(MAX_LOG_FILES if self._cluster else 0):
            try:
                self._here.query("SELECT txid_current()")
                self._here.query("SELECT pg_switch_wal()")
            except psycopg.Error:
                return


def make_data_folder(place: SoakSite, *, name: str) -> Path:
    """Make a folder for one installation, on the small disk if the database is a file in it."""
    folder = (place.disk or place.folder) / name if place.cluster is None else place.folder / name
    folder.mkdir()
    return folder
