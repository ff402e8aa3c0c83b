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


def wait_until_taken(queue: WriteQueue) -> None:
    for _ in range(1000):
        if not is_free(queue):
            return
        time.sleep(0.005)
    raise AssertionError("nobody has a turn")


def get_raw_connection() -> Any:
    """Return this thread's connection without Django's cursors."""
    connection.ensure_connection()
    return connection.connection


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

    def click() -> None:
        with transaction.atomic():
            rename("Click")
            written.append("click")

    with busy_writers(written):
        for _ in range(5):
            with transaction.atomic():  # nobody else writes until the click is in the queue
                wait_until_waiting(queue, WRITERS)
                before = len(written)
                thread = Work(click)
                wait_until_waiting(queue, WRITERS + 1)
            thread.finish()
            assert written[before:].index("click") == WRITERS


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
    """A read that waited would take the 20 seconds of the fixture."""
    ended: list[float] = []

    def read() -> None:
        assert MailingList.objects.count() == 1
        with connection.cursor() as cursor:
            assert cursor.execute("WITH one AS (SELECT 1) SELECT * FROM one").fetchall() == [(1,)]
        ended.append(time.monotonic())

    with transaction.atomic():
        rename("Send")
        started = time.monotonic()
        Work(read).finish()
    assert ended[0] - started < 10


def test_a_lock_without_a_turn_is_kept_to_the_end_without_a_wait(home: Home, queue: WriteQueue) -> None:
    """The turn did not come in time, but the lock did. The connection that has the turn waits for that lock."""
    holder = Owner()
    assert queue.enter(holder, seconds=0)
    others: list[Work] = []
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout=50")
    with transaction.atomic():
        rename("Without a turn")
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout=20000")
        queue.end(holder)
        others.append(Work(partial(rename, "Click")))
        wait_until_taken(queue)
        started = time.monotonic()
        for number in range(3):
            rename(f"Write {number}")
        took = time.monotonic() - started
        assert MailingList.objects.get().name == "Write 2"
    others[0].finish()
    assert took < 10
    assert MailingList.objects.get().name == "Click"
    assert is_free(queue)


def test_a_transaction_after_one_without_a_turn_waits_for_its_own(queue: WriteQueue) -> None:
    holder = Owner()
    assert queue.enter(holder, seconds=0)
    raw = get_raw_connection()
    raw.execute("PRAGMA busy_timeout=50")
    for end in ("COMMIT", "ROLLBACK"):
        raw.execute("BEGIN IMMEDIATE")
        raw.execute(end)
    queue.end(holder)
    raw.execute("BEGIN")
    raw.execute("UPDATE subscribers_mailinglist SET name = 'In its turn'")
    assert not is_free(queue)
    raw.execute("COMMIT")
    assert is_free(queue)


def test_returned_rows_that_nobody_reads_hold_no_lock(queue: WriteQueue) -> None:
    """SQLite commits a statement that returns rows when its last row is read."""
    unread = connection.cursor().execute("UPDATE subscribers_mailinglist SET name = 'Returned' RETURNING id, name")
    assert is_free(queue)
    started = time.monotonic()
    Work(partial(rename, "Click")).finish()
    rename("Again")
    assert time.monotonic() - started < 10
    assert unread.fetchall() == [(MailingList.objects.get().pk, "Returned")]


def test_returned_rows_are_read_like_others(queue: WriteQueue) -> None:
    make_list("monthly", name="Monthly")
    sql = "UPDATE subscribers_mailinglist SET name = name || '!' RETURNING name"
    raw = get_raw_connection()
    cursor = raw.execute(sql)
    assert [column[0] for column in cursor.description] == ["name"]
    assert cursor.rowcount == 2
    assert cursor.fetchone() == ("Weekly!",)
    assert next(cursor) == ("Monthly!",)
    assert cursor.fetchone() is None
    assert list(raw.execute(sql)) == [("Weekly!!",), ("Monthly!!",)]
    cursor = raw.execute(sql)
    assert cursor.fetchmany() == [("Weekly!!!",)]
    assert cursor.fetchmany(5) == [("Monthly!!!",)]
    assert cursor.fetchmany(5) == []
    assert raw.execute(sql).fetchmany(size=1) == [("Weekly!!!!",)]
    cursor = raw.execute(sql)
    assert cursor.execute("SELECT 1 UNION SELECT 2 ORDER BY 1").fetchall() == [(1,), (2,)]
    assert cursor.fetchall() == []
    cursor.execute(sql)
    cursor.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        cursor.fetchone()


def test_a_row_made_outside_a_transaction_has_its_number(queue: WriteQueue) -> None:
    raw = get_raw_connection()
    cursor = raw.execute("CREATE TABLE counted (id INTEGER PRIMARY KEY, name TEXT)")
    cursor = raw.execute("INSERT INTO counted (name) VALUES ('One') RETURNING id")
    assert (cursor.lastrowid, cursor.fetchall()) == (1, [(1,)])


def test_a_connection_that_another_thread_closes_ends_its_turn(queue: WriteQueue) -> None:
    holder = Owner()
    assert queue.enter(holder, seconds=0)
    raws: list[Any] = []
    errors: list[Exception] = []
    free: list[bool] = []

    def write() -> None:
        raws.append(get_raw_connection())
        try:
            raws[0].execute("UPDATE subscribers_mailinglist SET name = 'Late'")
        except sqlite3.ProgrammingError as error:
            errors.append(error)
        free.append(is_free(queue))

    thread = Work(write)
    wait_until_waiting(queue, 1)
    raws[0].close()
    queue.end(holder)
    thread.finish()
    assert "closed" in str(errors[0])
    assert free == [True]


def test_a_refused_begin_ends_its_turn(home: Home, queue: WriteQueue) -> None:
    raw = get_raw_connection()
    raw.execute("PRAGMA busy_timeout=50")
    with closing(sqlite3.connect(home.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            raw.execute("BEGIN IMMEDIATE")
    assert is_free(queue)


def test_a_change_to_autocommit_commits_and_ends_the_turn(queue: WriteQueue) -> None:
    transaction.set_autocommit(False)
    rename("Committed")
    assert not is_free(queue)
    transaction.set_autocommit(True)
    assert is_free(queue)
    assert MailingList.objects.get().name == "Committed"


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
    assert took[0] >= 0.3
    assert is_free(queue)


def test_the_turn_and_the_lock_of_another_process_share_one_time_limit(home: Home, queue: WriteQueue) -> None:
    """Half of the time goes by in the queue, and then another process writes."""
    statements: list[str] = []

    def write() -> None:
        connection.cursor().execute("PRAGMA busy_timeout=1000")
        get_raw_connection().set_trace_callback(statements.append)
        rename("Late")

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
    [rest, usual] = [int(sql.rpartition("=")[2]) for sql in statements if sql.startswith("PRAGMA busy_timeout =")]
    assert (rest <= 400, usual) == (True, 1000)
    assert is_free(queue)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1", False),
        ("  (select 1)", False),
        ("PRAGMA busy_timeout", False),
        ("WITH a AS (SELECT 1) SELECT * FROM a", False),
        ("WITH a AS (SELECT 1) INSERT INTO b SELECT * FROM a", True),
        ("WITH a AS (SELECT replace('a', 'b', 'c')) SELECT * FROM a", False),
        ("WITH a AS (SELECT 1) REPLACE INTO b SELECT * FROM a", True),
        ("PRAGMA foreign_keys = OFF", False),
        ("PRAGMA foreign_key_check(a)", False),
        ("PRAGMA journal_mode", False),
        ("PRAGMA journal_mode = DELETE", True),
        ("PRAGMA main.user_version = 2", True),
        ("pragma application_id(2)", True),
        ("PRAGMA incremental_vacuum(5)", True),
        ("PRAGMA wal_checkpoint(TRUNCATE)", True),
        ("PRAGMA optimize", True),
        ("VACUUM", True),
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
    raw = get_raw_connection()
    raw.execute("BEGIN IMMEDIATE")
    assert not is_free(queue)
    raw.execute("ROLLBACK")
    assert is_free(queue)
    for end in (raw.commit, raw.rollback):
        raw.execute("BEGIN IMMEDIATE")
        end()
        assert is_free(queue)
    raw.executescript("BEGIN; UPDATE subscribers_mailinglist SET name = 'Script';")
    assert not is_free(queue)
    with raw:
        raw.executemany("UPDATE subscribers_mailinglist SET name = ?", [("Many",)])
    assert is_free(queue)
    assert MailingList.objects.get().name == "Many"
