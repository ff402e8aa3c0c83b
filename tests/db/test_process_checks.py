"""`newsletter doctor` says which processes run, and which are missing or of another version."""

from collections.abc import Iterator
from datetime import timedelta
from importlib.metadata import version
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError

from newsletter.jobs.catalogue import ALL_ROLES, WEB
from newsletter.jobs.timer import make_heartbeat
from newsletter.management.commands.serve import Command as Serve
from newsletter.management.commands.web import Command as Web
from newsletter.models import RunningProcess
from newsletter.monitoring.event_loop import EventLoopTurns, turns
from newsletter.monitoring.process_figures import check_processes
from newsletter.monitoring.process_heartbeat import LOOKS_BEFORE_HANGING
from tests.support.fixtures import NOW

pytestmark = pytest.mark.django_db
OWN = version("newsletter")


def add(*roles: str, seen_ago: float = 4, **values: Any) -> None:
    RunningProcess.objects.create(
        key=f"{RunningProcess.objects.count()}",
        started_at=NOW - timedelta(hours=3),
        seen_at=NOW - timedelta(seconds=seen_ago),
        **{"version": OWN, **dict.fromkeys(roles, True), **values},
    )


def warnings() -> list[str]:
    return [str(finding.text) for finding in check_processes(now=NOW) if finding.level == "warning"]


@pytest.mark.postgres
def test_a_running_process_is_shown_with_roles_version_and_heartbeat() -> None:
    add("web", "scheduler", "worker")
    (found,) = check_processes(now=NOW)
    assert found.level == "ok"
    since = f"{NOW - timedelta(hours=3):%Y-%m-%d %H:%M} UTC"
    assert found.says == f"web, scheduler, worker; version {OWN}, runs since {since}; last heartbeat 4 s ago."


def test_if_nothing_runs_one_warning_says_how_to_start_it() -> None:
    add("web", "scheduler", "worker", seen_ago=600)
    (text,) = warnings()
    assert "No process runs" in text
    assert "Start newsletter serve (with systemd: sudo systemctl start newsletter)." in text


def test_a_process_whose_clock_was_ahead_does_not_count_as_running() -> None:
    add("web", "scheduler", "worker", seen_ago=-5 * 3600)
    clock, missing = warnings()
    assert f"at {NOW + timedelta(hours=5):%Y-%m-%d %H:%M} UTC, and here it is {NOW:%Y-%m-%d %H:%M} UTC" in clock
    assert "Compare the clock of each machine with the right time" in clock
    assert "No process runs" in missing
    assert not RunningProcess.objects.running(now=NOW).exists()


@pytest.mark.parametrize("ahead", [0, 30, 59])
def test_clocks_that_differ_by_seconds_are_no_matter(ahead: int) -> None:
    add("web", "scheduler", "worker", seen_ago=-ahead)
    assert warnings() == []


@pytest.mark.parametrize(
    ("missing", "harm"),
    [
        ("web", "nobody can sign up or unsubscribe"),
        ("scheduler", "no issue is assembled"),
        ("worker", "nothing is sent"),
    ],
)
def test_a_missing_role_is_a_warning_that_says_its_harm(missing: str, harm: str) -> None:
    add(*({"web", "scheduler", "worker"} - {missing}))
    (text,) = warnings()
    assert harm in text
    assert f"Start newsletter serve (with systemd: sudo systemctl start newsletter), or newsletter {missing}." in text


def test_a_missing_web_process_may_be_a_wsgi_server_that_nobody_asked() -> None:
    add("scheduler", "worker")
    (text,) = warnings()
    assert "No web process is known to run" in text
    assert "A WSGI server of your own reports from its first request on." in text


@pytest.mark.postgres
def test_a_killed_process_is_warned_of_with_its_last_heartbeat() -> None:
    add("web", "scheduler")
    add("worker", seen_ago=3600)
    (text,) = warnings()
    assert f"The last one wrote to the database on {NOW - timedelta(hours=1):%Y-%m-%d %H:%M} UTC." in text
    assert "Read the end of its log." in text


def test_a_killed_process_that_was_replaced_causes_no_warning() -> None:
    add("web", "scheduler", "worker")
    add("worker", seen_ago=3600)
    assert warnings() == []


def test_processes_of_several_versions_are_a_warning() -> None:
    add("web")
    add("scheduler", "worker", version="0.0.9")
    (text,) = warnings()
    assert f"of version 0.0.9, {OWN}; this command is of version {OWN}" in text


def test_a_process_that_was_not_restarted_after_an_upgrade_is_a_warning() -> None:
    add("web", "scheduler", "worker", version="0.0.9")
    (text,) = warnings()
    assert "restart each process of another version" in text


def test_without_a_database_only_its_own_check_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(RunningProcess.objects, "order_by", fail)
    assert list(check_processes(now=NOW)) == []


def test_serve_and_web_are_counted_as_what_they_do() -> None:
    for roles in (Serve.roles, Web.roles):
        make_heartbeat(roles, []).write(started_at=NOW, now=NOW)
    rows = set(RunningProcess.objects.values_list("web", "scheduler", "worker", "version"))
    assert rows == {(True, True, True, OWN), (True, False, False, OWN)}
    assert Serve.roles == ALL_ROLES
    assert Web.roles == {WEB}


@pytest.fixture
def event_loop() -> Iterator[EventLoopTurns]:
    yield turns
    turns.end()


def test_a_serve_whose_event_loop_hangs_does_not_count_as_web(event_loop: EventLoopTurns) -> None:
    heartbeat = make_heartbeat(Serve.roles, [])
    event_loop.note()
    for _ in range(LOOKS_BEFORE_HANGING):
        heartbeat.write(started_at=NOW, now=NOW)
    assert warnings() == [], "a minute is not over"
    heartbeat.write(started_at=NOW, now=NOW)
    (text,) = warnings()
    assert "nobody can sign up or unsubscribe" in text
    event_loop.note()
    heartbeat.write(started_at=NOW, now=NOW)
    assert warnings() == []


def test_a_web_process_whose_event_loop_hangs_looks_like_one_that_ended(event_loop: EventLoopTurns) -> None:
    add("scheduler", "worker")
    heartbeat = make_heartbeat(Web.roles, [])
    event_loop.note()
    for minutes in (10, 10, 10, 10, 0):
        heartbeat.write(started_at=NOW, now=NOW - timedelta(minutes=minutes))
    (text,) = warnings()
    assert "nobody can sign up or unsubscribe" in text
    assert "The last one wrote to the database" in text


def test_doctor_prints_which_processes_run(capsys: pytest.CaptureFixture[str]) -> None:
    make_heartbeat(Web.roles, []).write(started_at=NOW, now=NOW)
    call_command("doctor")
    said = capsys.readouterr().out
    assert "No process runs" in said, "its heartbeat is old"
