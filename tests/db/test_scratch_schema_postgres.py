"""The schema in which a restore makes its tables: everything in it is moved into place at once, or nothing."""

import socket
import sqlite3
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.db import OperationalError, connection, transaction
from pytest_django.plugin import DjangoDbBlocker

from newsletter.backups.errors import BackupError, TargetNotEmpty
from newsletter.backups.moving.copy_table import copy_table, describe_table
from newsletter.backups.moving.fill_target import analyse_tables, explain_failed_commit
from newsletter.backups.scratch_schema import SCRATCH, check_remains, put_in_place, scratch_schema
from newsletter.backups.use_database import use_database
from tests.support.backups import live_in, make_home
from tests.support.migrated_database import SERVER
from tests.support.ports import free_port
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


@contextmanager
def pooler_without_options(url: str) -> Iterator[int]:
    """Yield the port of a proxy that forwards connections, but not the options of their start, as some poolers do."""
    server = urlsplit(url)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = (server.hostname or "127.0.0.1", server.port or 5432)
        threading.Thread(target=_accept, args=(listener, address), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, server: tuple[str, int]) -> None:
    with suppress(OSError):
        while True:
            client, _address = listener.accept()
            threading.Thread(target=_forward, args=(client, server), daemon=True).start()


def _forward(client: socket.socket, server: tuple[str, int]) -> None:
    with client, socket.create_connection(server) as upstream:
        start = _read_start(client)
        while len(start) == 4:  # a request for encryption has a code and nothing else
            client.sendall(b"N")
            start = _read_start(client)
        values = start[4:].split(b"\0")
        at = values.index(b"options") if b"options" in values else len(values)
        kept = start[:4] + b"\0".join([*values[:at], *values[at + 2 :]])
        upstream.sendall(struct.pack("!I", len(kept) + 4) + kept)
        back = threading.Thread(target=_pump, args=(upstream, client), daemon=True)
        back.start()
        _pump(client, upstream)
        back.join(10)


def _read_start(client: socket.socket) -> bytes:
    (length,) = struct.unpack("!I", client.recv(4, socket.MSG_WAITALL))
    return client.recv(length - 4, socket.MSG_WAITALL)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def make_objects() -> None:
    with connection.cursor() as cursor:
        for statement in MAKE:
            cursor.execute(statement)


def end_connection(url: str, backend: int) -> psycopg.Connection:
    """End a connection to the server, and return the one that did it."""
    server = psycopg.connect(url)
    server.execute("SELECT pg_terminate_backend(%s, 10000)", [backend])
    return server


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


def test_a_user_without_the_right_to_create_a_schema_is_told_so(url: str) -> None:
    with psycopg.connect(url) as server:
        server.execute("DROP ROLE IF EXISTS scratch_reader")
        server.execute("CREATE ROLE scratch_reader")
    with (
        use_database(OPTIONS={"options": "-c role=scratch_reader"}),
        pytest.raises(BackupError, match="may not create the schema newsletter_scratch") as refused,
        scratch_schema(),
    ):
        pass
    assert "GRANT CREATE ON DATABASE" in str(refused.value)
    with psycopg.connect(url) as server:
        server.execute("DROP ROLE scratch_reader")


def test_a_pooler_that_drops_the_schema_is_not_used(url: str) -> None:
    with (
        pooler_without_options(url) as port,
        use_database(HOST="127.0.0.1", PORT=port),
        pytest.raises(BackupError, match="Name the server itself in its address") as refused,
        scratch_schema(),
    ):
        pass
    assert "ignores the setting search_path" in str(refused.value)
    assert count_objects(url, SCRATCH) in (0, None)
    assert count_objects(url, "public") == 0


def test_a_lost_connection_stops_the_copy_of_a_table(url: str) -> None:
    with closing(sqlite3.connect(":memory:")) as source, connection.cursor() as cursor:
        source.execute("CREATE TABLE story (id integer PRIMARY KEY)")
        source.execute("INSERT INTO story VALUES (1)")
        cursor.execute("CREATE TABLE story (id integer PRIMARY KEY)")
        table = describe_table("story", source=source)
        with transaction.atomic():
            assert copy_table(table, source=source) == 1
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
        with pytest.raises(OperationalError), transaction.atomic(), closing(end_connection(url, backend)):
            copy_table(table, source=source)


def test_a_move_says_if_the_end_of_its_commit_is_unknown() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as source:
        source.execute("BEGIN")
        with pytest.raises(OperationalError), explain_failed_commit(source):
            raise OperationalError
        source.execute("COMMIT")
        with pytest.raises(BackupError, match="it has all of them or none") as unknown, explain_failed_commit(source):
            raise OperationalError
    assert f"tables outside of the schema {SCRATCH}" in str(unknown.value), "its empty tables are left there"


@pytest.mark.usefixtures("url")
def test_a_move_says_that_postgresql_has_nothing_after_a_refused_commit() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as source, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE story (id int PRIMARY KEY, original int REFERENCES story DEFERRABLE INITIALLY DEFERRED)"
        )
        with (
            pytest.raises(BackupError, match=r"refused to store the rows \(error 23503\), so it has none") as refused,
            explain_failed_commit(source),
            transaction.atomic(),
        ):
            cursor.execute("INSERT INTO story VALUES (1, 2)")
        cursor.execute("SELECT COUNT(*) FROM story")
        assert cursor.fetchone() == (0,)
    assert "connection" not in str(refused.value)
    assert "breaks a rule" in str(refused.value)


def test_a_move_says_if_its_connection_ends_before_the_commit_is_answered(url: str) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as source, connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
        with (
            pytest.raises(BackupError, match="it has all of them or none"),
            explain_failed_commit(source),
            transaction.atomic(),
            closing(end_connection(url, backend)),
        ):
            cursor.execute("SELECT 1")


@pytest.mark.usefixtures("url")
def test_a_server_that_goes_away_after_the_commit_fails_no_move() -> None:
    with use_database(HOST="127.0.0.1", PORT=str(free_port())):
        analyse_tables()


def test_the_doctor_names_remains_that_no_command_uses(url: str) -> None:
    assert list(check_remains()) == []
    with scratch_schema():
        assert list(check_remains()) == []
    with psycopg.connect(url) as server:
        server.execute("CREATE SCHEMA newsletter_scratch")
    [found] = check_remains()
    assert (found.level, "DROP SCHEMA newsletter_scratch CASCADE" in found.do) == ("warning", True)
