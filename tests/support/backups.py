"""Installations that are backed up, restored and moved by calls, each with a folder and a database of its own."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dj_database_url
from django.conf import settings as django_settings
from django.test import override_settings

from newsletter.backups.use_database import use_database

PASSPHRASE = "five words are long enough"
JOURNAL_LINE = b'{"hash":"%064x","list":null,"reason":"unsubscribe","at":"2026-01-01T00:00:00+00:00","lifted":false}\n'


@dataclass(frozen=True)
class Home:
    """A folder with data, and the database of the installation in it."""

    folder: Path
    url: str

    @property
    def data(self) -> Path:
        return self.folder / "var"

    @property
    def journal(self) -> Path:
        return self.data / "left.journal"

    @property
    def database(self) -> Path:
        return Path(self.url.removeprefix("sqlite:///"))

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(sql).fetchall()


def make_home(folder: Path, *, database: Path | None = None, url: str = "") -> Home:
    """An installation in this folder: empty, or with a copy of that SQLite file, two images and a journal."""
    home = Home(folder, url or f"sqlite:///{folder / 'var/newsletter.sqlite3'}")
    home.data.mkdir(parents=True)
    if database is not None:
        shutil.copy(database, home.database)
        (home.data / "media/pictures").mkdir(parents=True)
        (home.data / "media/pictures/one.jpg").write_bytes(b"\xff\xd8one" * 1000)
        (home.data / "media/empty.png").write_bytes(b"")
        home.journal.write_bytes(JOURNAL_LINE % 1)
    return home


@contextmanager
def live_in(home: Home, **changes: Any) -> Iterator[None]:
    """Be a process of this installation."""
    is_sqlite = home.url.startswith("sqlite")
    parsed = dj_database_url.parse(home.url)
    if is_sqlite:
        parsed["ENGINE"] = "newsletter.project.sqlite_database"
    here = {
        "NEWSLETTER_DATA_DIR": home.data,
        "NEWSLETTER_DATABASE_FILE": home.database if is_sqlite else None,
        "SUBSCRIBERS_JOURNAL": home.journal,
        "MEDIA_ROOT": home.data / "media",
        "NEWSLETTER_MADE_KEYS": [],
        **changes,
    }
    options = {"transaction_mode": "IMMEDIATE"} if is_sqlite else {}
    with use_database(**{"OPTIONS": options, **parsed}), override_settings(**here):
        yield


def other_keys(home: Home) -> dict[str, Any]:
    """The settings of a process that made keys of its own, because there were none."""
    made = {"secret.key": "S" * 20 + "made here just now", "address.key": "A" * 20 + "made here just now"}
    for name, key in made.items():
        (home.data / name).write_text(key)
    return {
        "SECRET_KEY": made["secret.key"],
        "SUBSCRIBERS_ADDRESS_KEY": made["address.key"],
        "SUBSCRIBERS_LINK_KEYS": [made["secret.key"]],
        "NEWSLETTER_MADE_KEYS": [home.data / name for name in made],
    }


def present_address_key() -> str:
    return str(django_settings.SUBSCRIBERS_ADDRESS_KEY)


def list_files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its content."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}
