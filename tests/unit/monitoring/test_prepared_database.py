"""A process without pages waits for the database of its version, and says so once."""

import signal
from collections.abc import Callable, Iterator

import pytest

from newsletter.jobs import engine
from newsletter.monitoring.readiness import (
    CHECK_SECONDS,
    NOT_MIGRATED,
    OTHER_KEY,
    READY,
    UNREACHABLE,
    Readiness,
    wait_until_prepared,
)


class Waits:
    """Notes how long was waited. The process has to stop at the wait with this number."""

    def __init__(self, *, stop_at: int = 0) -> None:
        self.seconds: list[float] = []
        self._stop_at = stop_at

    def __call__(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        return len(self.seconds) == self._stop_at


class Engine:
    started = False

    def start(self) -> None:
        self.started = True

    def stop(self) -> bool:
        return True


@pytest.fixture
def signals() -> Iterator[None]:
    before = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)}
    yield
    for name, handler in before.items():
        signal.signal(name, handler)


def answer(*found: Readiness) -> Callable[[], Readiness]:
    return iter(found).__next__


@pytest.mark.parametrize(("found", "logged"), [(READY, []), (OTHER_KEY, [OTHER_KEY.message])])
def test_a_process_starts_at_once_on_a_prepared_database(
    found: Readiness, logged: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    waits = Waits()
    assert wait_until_prepared(waits, check=answer(found))
    assert (waits.seconds, caplog.messages) == ([], logged)


def test_a_process_waits_until_the_database_is_prepared(caplog: pytest.LogCaptureFixture) -> None:
    waits = Waits()
    assert wait_until_prepared(waits, check=answer(NOT_MIGRATED, NOT_MIGRATED, UNREACHABLE, NOT_MIGRATED, READY))
    assert waits.seconds == [CHECK_SECONDS] * 4
    (said,) = caplog.messages
    assert "The database is not prepared for this version" in said
    assert "Run: newsletter migrate" in said


def test_a_process_waits_until_the_database_answers(caplog: pytest.LogCaptureFixture) -> None:
    waits = Waits()
    assert wait_until_prepared(waits, check=answer(UNREACHABLE, UNREACHABLE, NOT_MIGRATED, UNREACHABLE, READY))
    assert waits.seconds == [CHECK_SECONDS] * 4
    away, unprepared = caplog.messages
    assert "The database does not answer" in away
    assert "Check that it runs, and DATABASE_URL." in away
    assert "Run: newsletter migrate" in unprepared


def test_a_process_that_waits_ends_when_asked_to_stop() -> None:
    waits = Waits(stop_at=2)
    assert not wait_until_prepared(waits, check=answer(NOT_MIGRATED, NOT_MIGRATED))
    assert len(waits.seconds) == 2


@pytest.mark.usefixtures("signals")
def test_sigterm_ends_a_process_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_nothing() -> Readiness:
        signal.raise_signal(signal.SIGTERM)
        return NOT_MIGRATED

    monkeypatch.setattr(engine, "wait_until_prepared", lambda wait: wait_until_prepared(wait, check=find_nothing))
    runs, said = Engine(), []
    engine.run_until_stopped(runs, started=lambda: said.append("started"))
    assert (runs.started, said) == (False, [])
