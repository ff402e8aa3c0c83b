"""The organisation's file that `newsletter setup` writes: whole or not at all, and never over somebody's own."""

import os
import stat
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.content.ingesting.find_sources import FoundSource
from newsletter.content.ingesting.source_trial import SourceTrial
from newsletter.management.setup.organisation_file import MAX_SOURCE_NAME_LENGTH, Organisation, write_organisation_file
from newsletter.models import Source
from newsletter.organisation.sample_files import read_sample

ANSWERS = Organisation(brand={"name": "Open Door"}, sender="news@example.org", zone="Europe/London", sources=[])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "organisation.toml"


def fail_to_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the disk be full once the text is written."""

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)


def test_the_written_file_is_readable_and_leaves_no_part(file: Path) -> None:
    write_organisation_file(file, ANSWERS)
    assert tomllib.loads(file.read_text())["brand"]["name"] == "Open Door"
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert list(file.parent.iterdir()) == [file]


def test_a_full_disk_leaves_no_half_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_to_flush(monkeypatch)
    with pytest.raises(OSError, match="No space left"):
        write_organisation_file(file, ANSWERS)
    assert not file.exists()


def test_a_full_disk_leaves_the_sample_as_it_was(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(read_sample("sample.toml"))
    fail_to_flush(monkeypatch)
    with pytest.raises(OSError, match="No space left"):
        write_organisation_file(file, ANSWERS)
    assert file.read_text() == read_sample("sample.toml")


def test_answers_that_make_no_text_leave_the_sample_as_it_was(file: Path) -> None:
    file.write_text(read_sample("sample.toml"))
    with pytest.raises(KeyError):
        write_organisation_file(file, Organisation(brand={}, sender="news@example.org", zone="UTC", sources=[]))
    assert file.read_text() == read_sample("sample.toml")


def test_a_file_that_somebody_wrote_is_never_replaced(file: Path) -> None:
    file.write_text('[brand]\nname = "Mine"\n')
    with pytest.raises(FileExistsError):
        write_organisation_file(file, ANSWERS)
    assert file.read_text() == '[brand]\nname = "Mine"\n'


def test_long_names_of_sources_differ_and_fit_into_the_table(file: Path) -> None:
    found = [FoundSource("feed", f"https://example.org/{n}.xml", "n" * 120, SourceTrial()) for n in range(3)]
    write_organisation_file(file, replace(ANSWERS, sources=found))
    names = [source["name"] for source in tomllib.loads(file.read_text())["source"]]
    assert names == ["n" * 120, "n" * 118 + " 2", "n" * 118 + " 3"]
    assert Source._meta.get_field("name").max_length == MAX_SOURCE_NAME_LENGTH
