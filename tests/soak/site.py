"""The installation of a soak: its own PostgreSQL if available, else SQLite; on a small disk if possible."""

import os
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.support.disk import mount, unmount
from tests.support.postgres import Cluster, find_binary, temporary_cluster

MEGABYTES = 3_000
LET_GO_AFTER = "8s"


@dataclass(frozen=True)
class SoakSite:
    """``cluster`` is None on SQLite and where the server is somebody else's; ``disk`` is None where none could be mounted."""

    cluster: Cluster | None
    disk: Path | None
    folder: Path


def choose_database(stack: ExitStack, *, sqlite: bool) -> SoakSite:
    """Set the environment of every process below. What this makes ends with ``stack``."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="newsletter-soak-")))
    folder.chmod(0o755)
    disk = _mount(stack, folder / "disk")
    cluster = None
    if not sqlite and "NEWSLETTER_TEST_DATABASE_URL" not in os.environ and find_binary("initdb"):
        cluster = stack.enter_context(temporary_cluster(disk))
        _set_up_as_advised(cluster)
        os.environ["NEWSLETTER_TEST_DATABASE_URL"] = cluster.url()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
    import tests.support.environment  # noqa: F401 - the settings of the test run, for every process below

    return SoakSite(cluster=cluster, disk=disk, folder=folder)


def _set_up_as_advised(cluster: Cluster) -> None:
    """docs/how-to/scale-out.md: PostgreSQL ends the transaction of a stalled worker."""
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        connection.execute(f"ALTER ROLE CURRENT_USER SET idle_in_transaction_session_timeout = '{LET_GO_AFTER}'")


def _mount(stack: ExitStack, folder: Path) -> Path | None:
    folder.mkdir()
    if mount(folder, megabytes=MEGABYTES):
        return None
    stack.callback(unmount, folder)
    return folder
