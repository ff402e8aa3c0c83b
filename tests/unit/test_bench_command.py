"""`newsletter bench` measures what this system can measure, and keeps the figures if a later part fails."""

from collections.abc import Callable
from io import StringIO

import orjson
import pytest
from django.core.management import CommandError, call_command

from newsletter.bench import catalogue
from newsletter.bench.errors import NotMeasured
from newsletter.bench.own_process import without_traceback
from newsletter.bench.serving import process_tree
from newsletter.management.commands import bench

FIGURES = {"database": "SQLite 3", "seconds": 1.5}


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the parts that the command has measured. None takes time, and the last one fails."""
    parts: list[str] = []

    def measure(part: Callable[[], str]) -> dict[str, object]:
        parts.append(part())
        if parts[-1] == "start":
            raise NotMeasured("start did not finish; the reason is above.")
        return FIGURES

    monkeypatch.setattr(bench, "measure_in_own_process", measure)
    for name in catalogue.MEASUREMENTS:
        monkeypatch.setitem(catalogue.MEASUREMENTS, name, lambda people, name=name: [(lambda: name, {})])
    return parts


def run(*options: str) -> tuple[str, str]:
    """Return what the command writes to standard output and standard error."""
    output, errors = StringIO(), StringIO()
    try:
        call_command("bench", *options, stdout=output, stderr=errors)
    except CommandError as error:
        errors.write(str(error))
    return output.getvalue(), errors.getvalue()


def test_the_figures_are_written_if_a_later_part_fails(measured: list[str]) -> None:
    output, errors = run("--only", "compile,start,pages", "--json")
    assert measured == ["compile", "start"]
    report = orjson.loads(output)
    assert report["compile"] == {"seconds": 1.5}
    assert report["failed"] == {"start": "start did not finish; the reason is above."}
    assert "start did not finish" in errors


def test_a_part_that_fails_ends_the_command_with_an_error(measured: list[str]) -> None:
    with pytest.raises(CommandError, match="start did not finish"):
        call_command("bench", "--only", "start", "--json", stdout=StringIO())


def test_memory_is_left_out_with_one_line_if_it_cannot_be_read(
    measured: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_tree, "_NEEDED", ("/proc/none",))
    monkeypatch.setitem(catalogue.MEASUREMENTS, "start", lambda people: [(lambda: "starts", {})])
    output, errors = run("--json")
    assert "memory" not in measured
    assert len(measured) == len(catalogue.MEASUREMENTS) - 1 - len(catalogue.IN_OTHER_PARTS)
    assert "memory" not in orjson.loads(output)
    assert errors.strip() == "Memory is not measured: it can be read on Linux only."


def test_memory_is_measured_by_default_if_it_can_be_read(measured: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalogue.MEASUREMENTS, "start", lambda people: [(lambda: "starts", {})])
    _, errors = run("--json")
    assert "memory" in measured
    assert not errors


def test_a_part_of_another_part_is_measured_only_if_it_is_named(
    measured: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(catalogue.MEASUREMENTS, "start", lambda people: [(lambda: "starts", {})])
    run()
    assert measured.count("sends") == 1
    assert "instant_sends" not in measured
    run("--only", "instant_sends")
    assert measured[-1] == "instant_sends"


def test_an_instant_send_is_one_of_the_sends() -> None:
    (instant,) = catalogue.MEASUREMENTS["instant_sends"](5_000)
    assert instant in catalogue.MEASUREMENTS["sends"](5_000)
    assert instant[1]["latency_ms"] == 0


def test_memory_that_cannot_be_read_is_refused_before_anything_is_measured(
    measured: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_tree, "_NEEDED", ("/proc/none",))
    _, errors = run("--only", "compile,memory")
    assert "“memory” can be measured on Linux only" in errors
    assert not measured


def test_a_refused_or_interrupted_measurement_prints_no_traceback() -> None:
    with pytest.raises(SystemExit) as refused, without_traceback():
        raise NotMeasured("The temporary database could not be made.")
    assert refused.value.code == "The temporary database could not be made."
    with pytest.raises(SystemExit) as interrupted, without_traceback():
        raise KeyboardInterrupt
    assert interrupted.value.code == 130
