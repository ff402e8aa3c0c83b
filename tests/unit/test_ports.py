"""Ports of servers that tests start."""

import socket
from pathlib import Path

import pytest

from tests.support import ports
from tests.support.ports import find_first_given_away, free_port


def test_a_free_port_is_outside_the_systems_own_range() -> None:
    first = find_first_given_away()
    assert all(free_port() < first for _ in range(50))
    with socket.create_server(("127.0.0.1", 0)) as anybody, socket.create_connection(anybody.getsockname()) as client:
        assert min(anybody.getsockname()[1], client.getsockname()[1]) >= first


def test_a_port_on_which_somebody_listens_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        port, free = taken.getsockname()[1], free_port()
        monkeypatch.setattr(ports._random, "sample", lambda population, count: [port, free])
        assert free_port() == free


@pytest.mark.parametrize(("first", "lowest"), [(10_100, 10_000), (10_099, 1_024), (9_000, 1_024), (1_124, 1_024)])
def test_a_range_that_begins_early_leaves_lower_ports(
    first: int, lowest: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    setting = tmp_path / "ip_local_port_range"
    setting.write_text(f"{first}\t60999\n", encoding="ascii")
    monkeypatch.setattr(ports, "_GIVEN_AWAY", setting)
    asked: list[range] = []
    sample = ports._random.sample

    def note(population: range, count: int) -> list[int]:
        asked.append(population)
        return sample(population, count)

    monkeypatch.setattr(ports._random, "sample", note)
    assert lowest <= free_port() < first
    assert asked == [range(lowest, first)]


def test_a_system_that_gives_all_ports_away_chooses_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    setting = tmp_path / "ip_local_port_range"
    setting.write_text("1024\t65535\n", encoding="ascii")
    monkeypatch.setattr(ports, "_GIVEN_AWAY", setting)
    with socket.create_server(("127.0.0.1", free_port())) as server:
        assert server.getsockname()[1] >= 1024
