"""Backups of a PostgreSQL installation: restored table by table in one transaction, or not at all."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.db import connection, transaction
from pytest_django.plugin import DjangoDbBlocker

from newsletter.backups.errors import BackupError, BadArchive, TargetNotEmpty
from newsletter.backups.postgres_database import write_table
from newsletter.backups.postponed_rules import postponed_rules
from newsletter.backups.restore_backup import restore_backup
from newsletter.backups.write_backup import write_backup
from tests.support.backups import Home, list_files, live_in, make_home
from tests.support.migrated_database import SERVER, find_migrated
from tests.support.processes import copy_database, drop_database

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.long,
    pytest.mark.skipif(not SERVER, reason="these tests need PostgreSQL"),
]
COUNT_TABLES = "SELECT COUNT(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
TAGS = "INSERT INTO taggit_tag (name, slug) SELECT 'tag\t' || n || E'\\n\\\\.', n FROM generate_series(1, 500) AS n"


@pytest.fixture(autouse=True)
def with_databases(django_db_blocker: DjangoDbBlocker, django_db_setup: None) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def home(tmp_path: Path, shared_folder: Path) -> Iterator[Home]:
    url = copy_database(find_migrated(shared_folder), to=tmp_path)
    with psycopg.connect(url) as server:
        server.execute(TAGS)
        server.execute("DELETE FROM taggit_tag WHERE id > 490")
    yield make_home(tmp_path / "home", url=url)
    drop_database(url)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Home]:
    url = urlunsplit(urlsplit(SERVER)._replace(path=f"/empty_{abs(hash(tmp_path))}"))
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{url.rpartition("/")[2]}"')  # type: ignore[arg-type]
    yield make_home(tmp_path / "empty", url=url)
    drop_database(url)


def ask(home: Home, query: str) -> object:
    with psycopg.connect(home.url) as server:
        row = server.execute(query).fetchone()  # type: ignore[arg-type]
        return row and row[0]


def test_tables_are_restored_with_their_counters_or_not_at_all(home: Home, empty: Home, tmp_path: Path) -> None:
    with live_in(home):
        archive = write_backup(tmp_path / "backup.zip").file
        with pytest.raises(TargetNotEmpty, match="There are tables in the database"):
            restore_backup(archive)

    damaged = tmp_path / "damaged.zip"
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(damaged, "w") as other:
        for name in whole.namelist():
            content = whole.read(name)
            other.writestr(name, content[:-20] if name == "database/taggit_tag.copy" else content)
    with live_in(empty):
        with pytest.raises(BadArchive, match="taggit_tag"):
            restore_backup(damaged)
        assert (ask(empty, COUNT_TABLES), list_files(empty.folder)) == (0, {})

        restore_backup(archive)
        assert connection.introspection.table_names()
    assert ask(empty, "SELECT COUNT(*) FROM taggit_tag") == 490
    assert ask(empty, "SELECT name FROM taggit_tag WHERE id = 7") == ask(
        home, "SELECT name FROM taggit_tag WHERE id = 7"
    )
    assert ask(empty, "SELECT nextval('taggit_tag_id_seq')") == 501
    assert ask(empty, "SELECT held FROM newsletter_installation")


def test_an_archive_of_postgresql_is_not_restored_to_sqlite(home: Home, tmp_path: Path) -> None:
    with live_in(home):
        archive = write_backup(tmp_path / "backup.zip").file
    with live_in(make_home(tmp_path / "other")), pytest.raises(BackupError, match="DATABASE_URL names SQLite"):
        restore_backup(archive)


def test_rows_that_break_a_rule_of_their_table_are_refused(home: Home) -> None:
    """A key that is there already, and a reference to a row that is not there, also if its check cannot be postponed."""
    with live_in(home):
        with pytest.raises(BadArchive, match="has a row that taggit_tag cannot hold"), transaction.atomic():
            write_table("taggit_tag", ["id", "name", "slug"], [b"7\tseven\tseven\n"])
        with psycopg.connect(home.url) as server:
            server.execute("CREATE TABLE a_note (tag int REFERENCES taggit_tag)")
        missing = pytest.raises(BackupError, match="refers to another one that is missing")
        with missing, transaction.atomic(), postponed_rules():
            write_table("a_note", ["tag"], [b"7\n999\n"])
