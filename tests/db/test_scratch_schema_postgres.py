"""The schema in which a restore makes its tables: everything in it is moved into place at once, or nothing."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.db import connection, transaction
from pytest_django.plugin import DjangoDbBlocker

from newsletter.backups.errors import BackupError, TargetNotEmpty
from newsletter.backups.scratch_schema import SCRATCH, check_remains, put_in_place, scratch_schema
from tests.support.backups import live_in, make_home
from tests.support.migrated_database import SERVER
from tests.support.processes import drop_database

pytestmark = [pytest.mark.postgres, pytest.mark.skipif(not SERVER, reason="these tests need PostgreSQL")]
MAKE = (
    "CREATE TYPE mood AS ENUM ('calm')",
    "CREATE TYPE pair AS (first mood, second int)",
    "CREATE TABLE story (id serial PRIMARY KEY, number int GENERATED ALWAYS AS IDENTITY, mood mood DEFAULT 'calm')",
    "CREATE TABLE comment (story int REFERENCES story)",
    "CREATE SEQUENCE counter",
    "CREATE VIEW stories AS SELECT id FROM story",
    "CREATE FUNCTION add_story(value mood) RETURNS void LANGUAGE sql AS 'INSERT INTO story (mood) VALUES (value)'",
    "ALTER TYPE mood ADD VALUE 'stormy'",
    "CREATE INDEX stormy ON story (id) WHERE mood = 'stormy'",
)
COUNT = (
    "SELECT (SELECT COUNT(*) FROM pg_class WHERE relnamespace = n.oid)"
    " + (SELECT COUNT(*) FROM pg_type WHERE typnamespace = n.oid)"
    " + (SELECT COUNT(*) FROM pg_proc WHERE pronamespace = n.oid) FROM pg_namespace n WHERE nspname = %s"
)


@pytest.fixture
def url(tmp_path: Path, django_db_blocker: DjangoDbBlocker, django_db_setup: None) -> Iterator[str]:
    """The address of an empty database, to which this process is connected."""
    url = urlunsplit(urlsplit(SERVER)._replace(path=f"/scratch_{abs(hash(tmp_path))}"))
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{url.rpartition("/")[2]}"')
    with django_db_blocker.unblock(), live_in(make_home(tmp_path / "home", url=url)):
        yield url
    drop_database(url)


def make_objects() -> None:
    with connection.cursor() as cursor:
        for statement in MAKE:
            cursor.execute(statement)


def count_objects(url: str, schema: str) -> int | None:
    """Return the number of tables, indexes, types and functions, or None if there is no such schema."""
    with psycopg.connect(url) as server:
        found = server.execute(COUNT, [schema]).fetchone()
        return found[0] if found else None


def test_all_objects_are_moved_and_work_in_their_place(url: str) -> None:
    with scratch_schema() as target_schema:
        make_objects()
        made = count_objects(url, SCRATCH)
        assert count_objects(url, "public") == 0
        with transaction.atomic():
            put_in_place(target_schema)
    assert (count_objects(url, SCRATCH), count_objects(url, "public")) == (None, made)
    with psycopg.connect(url) as server:
        server.execute("SELECT add_story('stormy')")
        assert server.execute("SELECT id, number, mood FROM story").fetchall() == [(1, 1, "stormy")]


def test_nothing_is_moved_if_a_table_was_made_meanwhile(url: str) -> None:
    with scratch_schema() as target_schema:
        make_objects()
        with psycopg.connect(url) as server:
            server.execute("CREATE TABLE public.story (id int)")
        with pytest.raises(TargetNotEmpty, match="Another process made tables"), transaction.atomic():
            put_in_place(target_schema)
    assert count_objects(url, SCRATCH) is None
    with psycopg.connect(url) as server:
        assert server.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        ).fetchall() == [("story",)]


def test_the_remains_of_a_killed_command_are_dropped(url: str) -> None:
    with psycopg.connect(url) as server:
        server.execute("CREATE SCHEMA newsletter_scratch")
        server.execute("CREATE TABLE newsletter_scratch.story (id int)")
    with scratch_schema():
        assert count_objects(url, SCRATCH) == 0
    assert count_objects(url, SCRATCH) is None


def test_a_second_command_does_not_touch_the_schema_of_the_first(url: str) -> None:
    with psycopg.connect(url) as first:
        first.execute("SELECT pg_advisory_lock(7206311851)")
        first.execute("CREATE SCHEMA newsletter_scratch")
        first.commit()
        with pytest.raises(BackupError, match="Another command verifies, restores or moves"), scratch_schema():
            pass
    assert count_objects(url, SCRATCH) == 0


def test_the_doctor_names_remains_that_no_command_uses(url: str) -> None:
    assert list(check_remains()) == []
    with scratch_schema():
        assert list(check_remains()) == []
    with psycopg.connect(url) as server:
        server.execute("CREATE SCHEMA newsletter_scratch")
    [found] = check_remains()
    assert (found.level, "DROP SCHEMA newsletter_scratch CASCADE" in found.do) == ("warning", True)
