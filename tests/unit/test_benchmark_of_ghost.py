"""The comparison's driver of Ghost, with an imitation of Ghost in place of an installed one."""

import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.measure import measure_kill, measure_speed
from benchmarks.provider import serve_provider
from benchmarks.tools import ghost
from benchmarks.tools.base import NotMeasured
from benchmarks.tools.ghost import Ghost
from benchmarks.tools.ghost_api import GhostApi


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a Ghost whose server is the imitation."""
    program, programs = tmp_path / "ghost", tmp_path / "bin"
    (program / "content" / "themes").mkdir(parents=True)
    (program / "index.js").touch()
    (program / "package.json").write_text('{"name": "ghost", "version": "5.0.0"}')
    programs.mkdir()
    node = programs / "node"
    node.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] || set --\nexec {sys.executable} -m tests.support.ghost_server "$@"\n'
    )
    node.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    monkeypatch.setenv(ghost.VARIABLE, str(program))
    return program


def make_filled(folder: Path, url: str, people: int) -> Ghost:
    tool = Ghost(folder / "sites" / "site", provider_url=url)
    tool.prepare(people)
    return tool


def test_a_send_reaches_each_member_once(installed: Path, tmp_path: Path) -> None:
    with serve_provider(latency=0) as provider:
        tool = make_filled(tmp_path, provider.url, 5)
        figures = measure_speed(tool, provider, people=5)
    assert (figures.people, figures.calls, provider.count_mailed_again()) == (5, 3, 0)
    assert 0 < figures.waiting_seconds < figures.whole_seconds
    assert set(provider.ledger) == {f"person{number}@example{number % 97}.org" for number in range(1, 6)}


def test_a_second_site_is_a_copy_that_sends_by_itself(installed: Path, tmp_path: Path) -> None:
    with serve_provider(latency=0) as provider:
        measure_speed(make_filled(tmp_path, provider.url, 2), provider, people=2)
        second = Ghost(tmp_path / "sites" / "second", provider_url=provider.url)
        second.prepare(2)
        assert not (second.folder / "ghost.log").read_text()
        assert measure_speed(second, provider, people=2).calls == 1


def test_a_killed_send_counts_who_was_left_out(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ghost, "_STUCK_SECONDS", 0.5)
    with serve_provider(latency=1) as provider:
        tool = make_filled(tmp_path, provider.url, 6)
        figures = measure_kill(tool, provider, people=6, after=3)
    assert (figures.twice, figures.missing, figures.uncertain) == (0, 2, 2)


def test_a_finished_send_has_nobody_uncertain(installed: Path, tmp_path: Path) -> None:
    with serve_provider(latency=0) as provider:
        tool = make_filled(tmp_path, provider.url, 3)
        measure_speed(tool, provider, people=3)
        with tool.serving():
            assert tool.count_uncertain() == 0


def test_the_server_is_stopped_after_a_send(installed: Path, tmp_path: Path) -> None:
    with serve_provider(latency=0) as provider:
        tool = make_filled(tmp_path, provider.url, 1)
        with tool.serving():
            assert GhostApi(tool.url).is_up()
        assert not GhostApi(tool.url).is_up()


def test_a_server_that_ends_at_once_is_not_measured(installed: Path, tmp_path: Path) -> None:
    tool = Ghost(tmp_path / "site", provider_url="http://127.0.0.1:1")
    with pytest.raises(NotMeasured, match=r"did not start(?s:.)*config\.production\.json"), tool.serving():
        pass


def test_the_version_names_ghost_and_node(installed: Path, tmp_path: Path) -> None:
    assert Ghost(tmp_path / "site", provider_url="http://x").version() == "Ghost 5.0.0, Node.js v20.0.0, SQLite"


def test_an_installation_by_ghost_cli_is_found(installed: Path) -> None:
    (installed.parent / "site").mkdir()
    (installed.parent / "site" / "current").symlink_to(installed)
    assert ghost.find_program(installed.parent / "site") == installed


def test_settings_keep_ghost_on_loopback(installed: Path, tmp_path: Path) -> None:
    settings = Ghost(tmp_path / "site", provider_url="http://127.0.0.1:9").make_settings()
    assert settings["mail"] == {"transport": "stub", "from": "news@news.example.org"}
    assert settings["privacy"] == {"useUpdateCheck": False, "useGravatar": False, "useRpcPing": False}


@pytest.mark.parametrize(
    ("folder", "text"), [("", "no installed Ghost was named"), ("/nowhere", "is not installed there")]
)
def test_a_chosen_ghost_that_is_missing_is_an_error(
    folder: str, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ghost.VARIABLE, folder)
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--tool", "ghost"])
    with pytest.raises(SystemExit):
        main()
    printed = capsys.readouterr().err
    assert "ghost cannot be measured: " in printed
    assert text in printed
