"""The files of templates are looked at once a second: not for each of the forty that a mail asks for, and never not at all."""

import os
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, TemplateNotFound

from newsletter.rendering import templates
from newsletter.rendering.templates import SteadyLoader


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.setattr(templates, "SECONDS_BETWEEN_LOOKS", 3600.0)
    (tmp_path / "block.j2").write_text("first")
    return Environment(loader=SteadyLoader(FileSystemLoader(tmp_path)), autoescape=True)


def test_a_changed_template_is_read_again_a_second_later(
    tmp_path: Path, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert environment.get_template("block.j2").render() == "first"
    (tmp_path / "block.j2").write_text("second")
    os.utime(tmp_path / "block.j2", (0, 0))
    assert environment.get_template("block.j2").render() == "first"
    monkeypatch.setattr(templates, "SECONDS_BETWEEN_LOOKS", 0.0)
    assert environment.get_template("block.j2").render() == "second"


def test_a_template_that_was_missing_is_found_a_second_later(
    tmp_path: Path, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TemplateNotFound):
        environment.get_template("own.j2")
    (tmp_path / "own.j2").write_text("own")
    with pytest.raises(TemplateNotFound):
        environment.get_template("own.j2")
    monkeypatch.setattr(templates, "SECONDS_BETWEEN_LOOKS", 0.0)
    assert environment.get_template("own.j2").render() == "own"
