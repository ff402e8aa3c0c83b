"""Ports of servers that tests start."""

import socket

import pytest

from tests.support import ports
from tests.support.ports import find_first_given_away, free_port


def test_a_free_port_is_none_that_the_system_gives_away() -> None:
    first = find_first_given_away()
    assert all(free_port() < first for _ in range(50))
    with socket.create_server(("127.0.0.1", 0)) as anybody, socket.create_connection(anybody.getsockname()) as client:
        assert min(anybody.getsockname()[1], client.getsockname()[1]) >= first


def test_a_port_on_which_somebody_listens_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        port, free = taken.getsockname()[1], free_port()
        monkeypatch.setattr(ports._random, "sample", lambda population, count: [port, free])
        assert free_port() == free
