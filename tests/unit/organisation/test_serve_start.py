"""`newsletter serve` prints its address and the first link once it runs, not before."""

import io
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from newsletter.management.commands import serve
from tests.support.ports import free_port

pytestmark = pytest.mark.django_db(transaction=True)


class StartedAtOnce:
    """A server that starts and ends."""

    def __init__(self, *, started: Callable[[], None], **_other: object) -> None:
        self.run = started


class FullDisk:
    """An engine whose first write fails."""

    def start(self) -> None:
        raise OperationalError("database or disk is full")

    def stop(self) -> bool:
        return True


class Idle(FullDisk):
    def start(self) -> None:
        """Start nothing."""


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "Server", StartedAtOnce)


def test_a_start_that_fails_prints_no_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "make_engine", lambda **_how: FullDisk())
    out = io.StringIO()
    with pytest.raises(CommandError, match="disk is full"):
        call_command("serve", "--port", str(free_port()), stdout=out)
    assert out.getvalue() == ""


def test_a_start_that_succeeds_prints_the_first_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "make_engine", lambda **_how: Idle())
    out = io.StringIO()
    call_command("serve", "--port", str(free_port()), stdout=out)
    assert out.getvalue().startswith("Serving ")
    assert "Nobody has an account yet. Open this link" in out.getvalue()
