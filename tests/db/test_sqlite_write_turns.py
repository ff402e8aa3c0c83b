"""Writers of one process take SQLite's lock in the order in which they ask, so a click does not starve beside a send."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from pytest_django.plugin import DjangoDbBlocker

from newsletter.common.database.write_queue import WriteQueue, queue_of_file
from newsletter.project.sqlite_database.base import is_write
from subscribers.models import MailingList
from tests.support.backups import Home, live_in, make_home
from tests.support.people import make_list

WRITERS = 6


@pytest.fixture
def home(
    tmp_path: Path, migrated_sqlite: Path, django_db_blocker: DjangoDbBlocker, django_db_setup: None
) -> Iterator[Home]:
    """Be a process of an installation on SQLite, whose work waits 20 seconds for the lock."""
    made = make_home(tmp_path / "home", database=migrated_sqlite)
    with django_db_blocker.unblock(), live_in(made):
        set_wait(milliseconds=20_000)
        yield made


@pytest.fixture
def queue(home: Home) -> WriteQueue:
    make_list(name="Weekly")
    return queue_of_file(str(home.database))


def set_wait(*, milliseconds: int) -> None:
    pragmas = f"PRAGMA journal_mode=WAL; PRAGMA busy_timeout={milliseconds};"
    connection.settings_dict["OPTIONS"] = {**connection.settings_dict["OPTIONS"], "init_command": pragmas}
    connection.close()


def rename(name: str) -> None:
    MailingList.objects.update(name=name)


class Owner:
    """Stands for a connection."""


class Work(threading.Thread):
    """Work in a thread with a connection of its own. `finish` raises what it raised."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__()
        self._work = work
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._work()
        except (OperationalError, IntegrityError) as error:
            self.error = error
        finally:
            connection.close()

    def finish(self) -> None:
        self.join()
        if self.error:
            raise self.error


def wait_until_waiting(queue: WriteQueue, number: int) -> None:
    for _ in range(1000):
        if queue.count_waiting() >= number:
            return
        time.sleep(0.005)
    raise AssertionError(f"{queue.count_waiting()} instead of {number} are waiting")


def is_free(queue: WriteQueue) -> bool:
    """Return True if nobody has a turn."""
    owner = Owner()
    if not queue.enter(owner, seconds=0):
        return False
    queue.end(owner)
    return True


@contextmanager
def busy_writers(written: list[str]) -> Iterator[None]:
    """Let several threads write one transaction after another, as a send and its jobs do."""
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with transaction.atomic():
                rename("Send")
                time.sleep(0.01)
                written.append("send")

    threads = [Work(write) for _ in range(WRITERS)]
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.finish()


def test_a_click_waits_for_no_more_writers_than_there_are(queue: WriteQueue) -> None:
    """SQLite alone lets a click wait for dozens of other transactions, and for up to its whole time limit."""
    written: list[str] = []
    waits = []
    with busy_writers(written):
        wait_until_waiting(queue, WRITERS - 1)
        for _ in range(20):
            before = len(written)
            rename("Click")
            waits.append(len(written) - before)
    assert max(waits) <= WRITERS + 1  # the one that is being counted may have ended a moment ago


def test_a_single_statement_waits_for_its_turn_and_ends_it(queue: WriteQueue) -> None:
    with transaction.atomic():
        threads = []
        for number in range(3):
            threads.append(Work(partial(rename, f"Click {number}")))
            wait_until_waiting(queue, number + 1)
        rename("First")
    for thread in threads:
        thread.finish()
    assert MailingList.objects.get().name == "Click 2"
    assert is_free(queue)


def test_nested_blocks_keep_the_turn_until_the_outermost_ends(queue: WriteQueue) -> None:
    with transaction.atomic():
        with pytest.raises(IntegrityError), transaction.atomic():
            MailingList.objects.create(pk=MailingList.objects.get().pk, name="Again")
        with transaction.atomic():
            rename("Inner")
        assert not is_free(queue)
    assert is_free(queue)


def test_a_refused_statement_ends_its_turn(queue: WriteQueue) -> None:
    with connection.cursor() as cursor, pytest.raises(IntegrityError):
        cursor.execute("INSERT INTO subscribers_mailinglist (id) SELECT id FROM subscribers_mailinglist")
    assert is_free(queue)


def test_a_refused_block_ends_its_turn(queue: WriteQueue) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(durable=True):
        MailingList.objects.create(pk=MailingList.objects.get().pk, name="Again")
    assert is_free(queue)


def test_a_closed_connection_ends_its_turn(queue: WriteQueue) -> None:
    with transaction.atomic():
        rename("Lost")
        connection.close()
        assert is_free(queue)
    assert MailingList.objects.get().name == "Weekly"


def test_reads_wait_for_nobody(queue: WriteQueue) -> None:
    def read() -> None:
        set_wait(milliseconds=0)
        assert MailingList.objects.count() == 1
        with connection.cursor() as cursor:
            assert cursor.execute("WITH one AS (SELECT 1) SELECT * FROM one").fetchall() == [(1,)]

    with transaction.atomic():
        rename("Send")
        Work(read).finish()


def test_a_wait_for_a_turn_ends_with_the_usual_error(queue: WriteQueue) -> None:
    took: list[float] = []

    def write() -> None:
        connection.cursor().execute("PRAGMA busy_timeout=300")
        started = time.monotonic()
        try:
            rename("Late")
        finally:
            took.append(time.monotonic() - started)
            assert connection.cursor().execute("PRAGMA busy_timeout").fetchone()[0] == 300

    with transaction.atomic():
        late = Work(write)
        late.join()
    with pytest.raises(OperationalError, match="locked"):
        late.finish()
    assert 0.3 <= took[0] < 5
    assert is_free(queue)


def test_the_turn_and_the_lock_of_another_process_share_one_time_limit(home: Home, queue: WriteQueue) -> None:
    """Half of the time goes by in the queue, and then another process writes."""
    took: list[float] = []

    def write() -> None:
        connection.cursor().execute("PRAGMA busy_timeout=1000")
        started = time.monotonic()
        try:
            rename("Late")
        finally:
            took.append(time.monotonic() - started)

    first = Owner()
    assert queue.enter(first, seconds=0)
    with closing(sqlite3.connect(home.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        late = Work(write)
        wait_until_waiting(queue, 1)
        time.sleep(0.6)
        queue.end(first)
        late.join()
        other.execute("ROLLBACK")
    with pytest.raises(OperationalError, match="locked"):
        late.finish()
    assert 0.9 <= took[0] < 1.5
    assert is_free(queue)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1", False),
        ("  (select 1)", False),
        ("PRAGMA busy_timeout", False),
        ("WITH a AS (SELECT 1) SELECT * FROM a", False),
        ("WITH a AS (SELECT 1) INSERT INTO b SELECT * FROM a", True),
        ("BEGIN", False),
        ("BEGIN DEFERRED", False),
        ("BEGIN IMMEDIATE", True),
        ("begin exclusive", True),
        ("SAVEPOINT one", False),
        ("INSERT INTO a VALUES (1)", True),
        ("ANALYZE", True),
        ("-- a comment\nSELECT 1", True),
    ],
)
def test_statements_that_take_the_lock_are_known(sql: str, expected: bool) -> None:
    assert is_write(sql) is expected


def test_statements_without_djangos_cursor_take_their_turn(queue: WriteQueue) -> None:
    connection.ensure_connection()
    raw: Any = connection.connection
    raw.execute("BEGIN IMMEDIATE")
    assert not is_free(queue)
    raw.execute("ROLLBACK")
    assert is_free(queue)
    raw.executescript("BEGIN; UPDATE subscribers_mailinglist SET name = 'Script';")
    assert not is_free(queue)
    with raw:
        raw.executemany("UPDATE subscribers_mailinglist SET name = ?", [("Many",)])
    assert is_free(queue)
    assert MailingList.objects.get().name == "Many"
