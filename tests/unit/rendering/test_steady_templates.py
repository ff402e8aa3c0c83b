"""The files of templates are looked at once a second: not for each of the forty that a mail asks for, and never not at all."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from jinja2 import Environment, FileSystemLoader, TemplateNotFound, TemplateSyntaxError

from newsletter.rendering import templates
from newsletter.rendering.templates import SECONDS_BETWEEN_LOOKS, SteadyLoader


@pytest.fixture
def clock() -> list[float]:
    """Return the seconds of the clock, which tests set."""
    return [1000.0]


@pytest.fixture
def environment(tmp_path: Path, clock: list[float], monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.setattr(templates, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    (tmp_path / "block.j2").write_text("first")
    return Environment(loader=SteadyLoader(FileSystemLoader(tmp_path)), autoescape=True)


def test_a_changed_template_is_read_again_a_second_later(
    tmp_path: Path, environment: Environment, clock: list[float]
) -> None:
    assert environment.get_template("block.j2").render() == "first"
    (tmp_path / "block.j2").write_text("second")
    os.utime(tmp_path / "block.j2", (0, 0))
    assert environment.get_template("block.j2").render() == "first"
    clock[0] += SECONDS_BETWEEN_LOOKS
    assert environment.get_template("block.j2").render() == "second"


def test_a_template_that_was_missing_is_found_a_second_later(
    tmp_path: Path, environment: Environment, clock: list[float]
) -> None:
    with pytest.raises(TemplateNotFound):
        environment.get_template("own.j2")
    (tmp_path / "own.j2").write_text("own")
    with pytest.raises(TemplateNotFound):
        environment.get_template("own.j2")
    clock[0] += SECONDS_BETWEEN_LOOKS
    assert environment.get_template("own.j2").render() == "own"


@pytest.mark.parametrize("broken", [True, False])
def test_a_broken_or_deleted_template_fails_each_time(
    tmp_path: Path, environment: Environment, clock: list[float], broken: bool
) -> None:
    environment.get_template("block.j2")
    if broken:
        (tmp_path / "block.j2").write_text("{% broken")
        os.utime(tmp_path / "block.j2", (0, 0))
    else:
        (tmp_path / "block.j2").unlink()
    clock[0] += SECONDS_BETWEEN_LOOKS
    for _ in range(3):
        with pytest.raises((TemplateNotFound, TemplateSyntaxError)):
            environment.get_template("block.j2")
        clock[0] += 0.1
