"""Prepare the demonstration before Django starts: its own folder, database and outbox, and loopback only."""

import fcntl
import os
import shutil
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path

from newsletter.common.errors import DomainError
from newsletter.management.ports import check_port_free
from newsletter.providers.accounts import URL_SETTING

HOST = "127.0.0.1"
DEFAULT_PORT = 8000
MAX_SUBSCRIBERS = 1_000_000
MARKER_FILE = ".newsletter-demo"
_REMOVED_VARIABLES = (
    "DATABASE_URL",
    "NEWSLETTER_SECRET_KEY",
    "NEWSLETTER_ADDRESS_KEY",
    "NEWSLETTER_OLD_SECRET_KEYS",
    "NEWSLETTER_ONLY_TO",
    "NEWSLETTER_INBOUND",
    "NEWSLETTER_INBOUND_ADDRESS",
    "NEWSLETTER_PULSE_URL",
    "NEWSLETTER_POSTMASTER_KEY_FILE",
    "NEWSLETTER_TRUSTED_PROXIES",
)
_REMOVED_PREFIXES = (f"{URL_SETTING}_", "NEWSLETTER_OIDC_")


class DemoError(DomainError):
    """The demonstration cannot start; the message says why and what to do."""


def prepare_demo(*, port: int, serves: bool, environ: MutableMapping[str, str]) -> Path:
    """Empty the demonstration's folder, point the environment at it and return it. Raises DemoError.

    If it ``serves``, raises CannotListen while the port is taken.
    """
    if serves:
        check_port_free(host=HOST, port=port)
    folder = Path(environ.get("NEWSLETTER_DATA_DIR", "var")).resolve() / "demo"
    try:
        with _one_start_at_a_time(folder.parent):
            empty_folder(folder)
            hold_folder(folder)
    except OSError as error:
        raise DemoError(
            "%(folder)s cannot be written to: %(reason)s. The demonstration keeps its data there, so it did not start. Change to "
            "a folder of your own, or set NEWSLETTER_DATA_DIR.",
            folder=folder,
            reason=error.strerror,
        ) from error
    environ.update(
        NEWSLETTER_DATA_DIR=str(folder),
        NEWSLETTER_SITE_URL=f"http://{HOST}:{port}",
        NEWSLETTER_PROVIDER_URL="outbox://",
        NEWSLETTER_ENGINE="embedded",
        NEWSLETTER_FETCH_ALLOW=HOST,
        NEWSLETTER_LINK_CHECKS="false",
        NEWSLETTER_PRODUCTION="false",
    )
    groups = [name for name in environ if name.startswith(_REMOVED_PREFIXES)]
    for name in (*_REMOVED_VARIABLES, *groups):
        environ.pop(name, None)
    return folder


@contextmanager
def _one_start_at_a_time(folder: Path) -> Iterator[None]:
    """Wait until no other demonstration is between emptying its folder and holding it. Locks the folder around it."""
    folder.mkdir(parents=True, exist_ok=True)
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def hold_folder(folder: Path) -> None:
    """Keep other processes from emptying this folder, if it is a demonstration's, until this process ends."""
    marker = folder / MARKER_FILE
    if marker.exists():
        fcntl.flock(os.open(marker, os.O_RDONLY), fcntl.LOCK_SH)  # never closed: the system lets go of it


def empty_folder(folder: Path) -> None:
    """Delete what an earlier demonstration left.

    Raises DemoError if the folder holds anything else, or if a demonstration still runs in it.
    """
    marker = folder / MARKER_FILE
    if marker.exists():
        _require_unused(marker)
    elif folder.exists() and any(folder.iterdir()):
        raise DemoError(
            "%(folder)s holds something that is not a demonstration. Move it away, or set NEWSLETTER_DATA_DIR.",
            folder=folder,
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    marker.write_text("Made by `newsletter demo`, which empties this folder each time it starts.\n")


def _require_unused(marker: Path) -> None:
    with marker.open() as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DemoError(
                "A demonstration still runs in %(folder)s, and a new one would empty it. Stop it first, or set "
                "NEWSLETTER_DATA_DIR to another folder.",
                folder=marker.parent,
            ) from error
