"""A one-click unsubscribe waits longer for SQLite's write lock than other work, which can repeat itself."""

import io
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from pytest_django.plugin import DjangoDbBlocker

from subscribers.models import MailingList, Subscription
from subscribers.unsubscribing import one_click
from subscribers.web.one_click_middleware import OneClickMiddleware
from tests.support.backups import Home, live_in, make_home
from tests.support.busy_sqlite import hold_write_lock, waiting_for_locks
from tests.support.people import make_list, make_member, path_to
from tests.support.processes import wait_until

pytestmark = [pytest.mark.requirement("U3")]
USUAL_MS = 100


@pytest.fixture
def home(
    tmp_path: Path, migrated_sqlite: Path, django_db_blocker: DjangoDbBlocker, django_db_setup: None
) -> Iterator[Home]:
    """Be a process of an installation on SQLite, whose work waits a tenth of a second for the lock."""
    made = make_home(tmp_path / "home", database=migrated_sqlite)
    with django_db_blocker.unblock(), live_in(made), waiting_for_locks(milliseconds=USUAL_MS):
        yield made


def post(path: str) -> str:
    """Return the status of a one-click POST, as a mailbox provider sends it."""
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(b"List-Unsubscribe=One-Click"),
        "CONTENT_LENGTH": "26",
    }
    statuses: list[str] = []

    def pages(environ: Any, start_response: Any) -> list[bytes]:
        raise AssertionError("The request went on to Django.")

    OneClickMiddleware(pages)(environ, lambda status, headers: statuses.append(status))
    return statuses[0]


def read_wait() -> int:
    with connection.cursor() as cursor:
        return int(cursor.execute("PRAGMA busy_timeout").fetchone()[0])


def test_it_is_saved_when_other_work_would_have_given_up(home: Home) -> None:
    weekly = make_list(name="Weekly")
    path = path_to(make_member(weekly), weekly)
    with hold_write_lock(home, seconds=1.0):
        with pytest.raises(OperationalError, match="locked"):
            MailingList.objects.update(name="Other work")
        assert post(path) == "200 OK"
    assert not Subscription.objects.open().exists()
    assert read_wait() == USUAL_MS


def test_it_does_not_wait_forever(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_click, "SQLITE_LOCK_WAIT_SECONDS", 0.2)
    monkeypatch.setattr(one_click, "MIN_LOCK_WAIT_SECONDS", 0.1)
    weekly = make_list(name="Weekly")
    path = path_to(make_member(weekly), weekly)
    with hold_write_lock(home):
        assert post(path).startswith("503 ")
        assert read_wait() == USUAL_MS
    assert Subscription.objects.open().exists()
    assert post(path) == "200 OK"


def test_one_that_waited_for_the_commit_before_waits_no_second_time(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first saves its work after 2 seconds; then somebody else writes before the second does."""
    monkeypatch.setattr(one_click, "SQLITE_LOCK_WAIT_SECONDS", 3.0)
    monkeypatch.setattr(one_click, "MIN_LOCK_WAIT_SECONDS", 0.5)
    weekly = make_list(name="Weekly")
    first, second = (path_to(make_member(weekly, email), weekly) for email in ("ada@example.org", "bea@example.org"))
    began, others, statuses, waits = threading.Event(), ExitStack(), list[str](), list[int]()
    unsubscribe_batch = one_click.unsubscribe_batch

    def save_late(*args: Any, **values: Any) -> Any:
        if began.is_set():
            waits.append(read_wait())
            return unsubscribe_batch(*args, **values)
        began.set()
        answers = unsubscribe_batch(*args, **values)
        wait_until(lambda: one_click._group_commit._waiting, what="the second request")
        time.sleep(2.0)
        others.enter_context(hold_write_lock(home))
        return answers

    def post_from_a_thread() -> None:
        try:
            statuses.append(post(first))
        finally:
            connection.close()

    monkeypatch.setattr(one_click, "unsubscribe_batch", save_late)
    with others:
        thread = threading.Thread(target=post_from_a_thread)
        thread.start()
        began.wait()
        assert post(second).startswith("503 ")
        thread.join()
    assert len(waits) == 1
    assert 500 <= waits[0] <= 1000
    assert statuses == ["200 OK"]
    assert post(second) == "200 OK"
