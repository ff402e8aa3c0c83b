"""A move from SQLite to PostgreSQL: every row arrives, nothing changes at the source but its hold, or nothing happens."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from pytest_django.plugin import DjangoDbBlocker

from newsletter.backups.errors import BackupError
from newsletter.backups.moving.fill_target import MOVED
from newsletter.backups.moving.move_to_postgres import move_to_postgres, require_target
from newsletter.common.messages import loads
from tests.support.backups import Home, live_in, make_home
from tests.support.crash_template import prepare_template
from tests.support.migrated_database import SERVER
from tests.support.postgres import Cluster, find_binary, temporary_cluster

PEOPLE, BATCH = 300, 100
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(bool(SERVER), reason="a move begins on SQLite"),
    pytest.mark.skipif(not find_binary("initdb"), reason="PostgreSQL's binaries are not on this machine"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with temporary_cluster() as running:
        yield running


@pytest.fixture(autouse=True)
def with_databases(django_db_blocker: DjangoDbBlocker, django_db_setup: None) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def home(tmp_path: Path, shared_folder: Path) -> Home:
    """An installation with a send that was begun."""
    template = prepare_template(folder=shared_folder, people=PEOPLE, state="begun", batch=BATCH)
    made = make_home(tmp_path / "home", database=Path(template.removeprefix("sqlite:///")))
    with closing(sqlite3.connect(made.database)) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("DELETE FROM subscribers_confirmation")
        connection.execute(
            "INSERT OR IGNORE INTO newsletter_installation (id, address_key_hash, held, reason, changed_at)"
            " VALUES (1, '', 0, '', '2026-11-28 00:00:00')"
        )
    return made


@pytest.fixture
def target(cluster: Cluster, request: pytest.FixtureRequest) -> str:
    name = f"target_{abs(hash(request.node.name))}"
    with psycopg.connect(cluster.url(), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return cluster.url(name)


def ask(url: str, query: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def list_rows(home: Home) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the source."""
    tables = home.query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'wagtailsearch%'")
    return {name: home.query(f'SELECT * FROM "{name}"') for (name,) in tables}


def test_every_row_arrives_and_only_the_hold_changes_at_the_source(home: Home, target: str) -> None:
    """Counters go on after the last number that SQLite gave, although that row is deleted."""
    before = list_rows(home)
    (last,) = home.query("SELECT seq FROM sqlite_sequence WHERE name = 'subscribers_confirmation'")[0]
    with live_in(home):
        moved = move_to_postgres(url=target)
    after = list_rows(home)
    changed = {name for name, rows in after.items() if before.get(name) != rows}
    assert changed <= {"newsletter_installation", "sqlite_sequence"}
    assert moved.rows["newsletter_delivery"] == PEOPLE
    for table, count in moved.rows.items():
        assert ask(target, sql.SQL("SELECT COUNT(*) FROM {}").format(sql.Identifier(table))) == [(count,)]
    held, reason = home.query("SELECT held, reason FROM newsletter_installation")[0]
    assert held
    assert loads(reason) == MOVED
    assert ask(target, "SELECT held FROM newsletter_installation") == [(False,)]
    assert ask(target, "SELECT nextval(pg_get_serial_sequence('subscribers_confirmation', 'id'))") == [(last + 1,)]
    assert ask(target, "SELECT COUNT(*) FROM pg_constraint WHERE NOT convalidated") == [(0,)]
    emails = "SELECT email FROM subscribers_subscriber ORDER BY id"
    assert ask(target, emails) == home.query(emails)


def test_network_addresses_arrive(home: Home, target: str) -> None:
    with closing(sqlite3.connect(home.database)) as connection, connection:
        connection.execute(
            "INSERT INTO newsletter_dmarcreport (id, reporter, report_id, domain, begins_at, ends_at, received_at, origin)"
            " VALUES (1, 'r', 'r', 'd', '2026-11-01', '2026-11-02', '2026-11-03', 'mailbox')"
        )
        for address in ("192.0.2.10", "2001:db8::1", "::ffff:192.0.2.1"):
            connection.execute(
                "INSERT INTO newsletter_dmarcreportrow (report_id, source, header_from, disposition, dkim_aligned, spf_aligned,"
                " signed_by, return_path, broken_signature, reason, mails) VALUES (1, ?, 'd', 'none', 1, 1, '', '', 0, '', 1)",
                [address],
            )
    with live_in(home):
        move_to_postgres(url=target)
    addresses = ask(target, "SELECT host(source) FROM newsletter_dmarcreportrow ORDER BY id")
    assert addresses == [("192.0.2.10",), ("2001:db8::1",), ("::ffff:192.0.2.1",)]


def test_a_row_that_postgresql_cannot_hold_stops_the_move(home: Home, target: str) -> None:
    with closing(sqlite3.connect(home.database)) as connection, connection:
        connection.execute("UPDATE subscribers_subscriber SET name = ? WHERE id = 7", ["a\0b"])
    before = list_rows(home)
    with live_in(home), pytest.raises(BackupError, match="subscribers_subscriber, near id 7"):
        move_to_postgres(url=target)
    assert ask(target, "SELECT COUNT(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [(0,)]
    assert list_rows(home)["newsletter_installation"] == before.get("newsletter_installation")


def test_a_reference_to_a_missing_row_stops_the_move(home: Home, target: str) -> None:
    with closing(sqlite3.connect(home.database)) as connection, connection:
        connection.execute("DELETE FROM subscribers_subscriber WHERE id = 7")
    with live_in(home), pytest.raises(BackupError, match="refers to a row of subscribers_subscriber that is missing"):
        move_to_postgres(url=target)
    assert ask(target, "SELECT COUNT(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [(0,)]
    assert home.query("SELECT COUNT(*) FROM newsletter_installation WHERE held") == [(0,)]


def test_a_target_with_tables_is_refused(home: Home, target: str) -> None:
    with psycopg.connect(target) as connection:
        connection.execute("CREATE TABLE somebody_elses (id int)")
    with live_in(home), pytest.raises(BackupError, match=r"not empty \(the table somebody_elses\)"):
        move_to_postgres(url=target)
    assert home.query("SELECT COUNT(*) FROM newsletter_installation WHERE held") == [(0,)]


def test_a_call_under_way_stops_the_move(home: Home, target: str) -> None:
    with closing(sqlite3.connect(home.database)) as connection, connection:
        connection.execute(
            "UPDATE newsletter_batch SET state = 'submitting', handed_to = account,"
            " lease_until = '2099-01-01 00:00:00' WHERE id = (SELECT MIN(id) FROM newsletter_batch)"
        )
    with live_in(home), pytest.raises(BackupError, match=r"^1 call to the provider waits for its answer"):
        move_to_postgres(url=target)


def test_a_process_that_keeps_writing_stops_the_move(home: Home, target: str) -> None:
    with closing(sqlite3.connect(home.database)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with live_in(home), pytest.raises(BackupError, match="Stop `newsletter serve`"):
            move_to_postgres(url=target, write_wait=0.1)


def keep_process(home: Home, key: str, *, seen_at: datetime) -> None:
    columns = "(key, version, started_at, seen_at, jobs, web, scheduler, worker)"
    at = f"{seen_at:%Y-%m-%d %H:%M:%S.%f}"
    with closing(sqlite3.connect(home.database)) as connection, connection:
        connection.execute(
            f"INSERT INTO newsletter_runningprocess {columns} VALUES (?, '1', ?, ?, '{{}}', 1, 0, 0)", [key, at, at]
        )


def test_a_process_that_runs_stops_the_move(home: Home, target: str) -> None:
    keep_process(home, "killed", seen_at=datetime.now(UTC) - timedelta(minutes=2))
    keep_process(home, "runs", seen_at=datetime.now(UTC))
    with live_in(home), pytest.raises(BackupError, match=r"A process \(web\) still uses the SQLite database"):
        move_to_postgres(url=target)
    assert ask(target, "SELECT COUNT(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [(0,)]
    with closing(sqlite3.connect(home.database)) as connection, connection:
        connection.execute("DELETE FROM newsletter_runningprocess WHERE key = 'runs'")
    with live_in(home):
        assert move_to_postgres(url=target).rows["newsletter_runningprocess"] == 1


def test_a_server_that_is_away_stops_the_move(home: Home) -> None:
    with live_in(home), pytest.raises(BackupError, match="cannot be reached"):
        move_to_postgres(url="postgresql://nobody@127.0.0.1:9/nothing")


@pytest.mark.parametrize(
    "url", ["sqlite:///other.sqlite3", "postgresql://host", "postgres:", "nonsense", "mysql://host/name", ""]
)
def test_only_a_postgresql_address_is_accepted(url: str) -> None:
    with pytest.raises(BackupError, match="--to needs the address of a PostgreSQL database"):
        require_target(url)


def test_a_postgresql_installation_is_not_moved(home: Home, target: str) -> None:
    with live_in(Home(home.folder, target)), pytest.raises(BackupError, match="names a PostgreSQL database already"):
        move_to_postgres(url=target)
