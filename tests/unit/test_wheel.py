"""The wheel has every file that the program reads and nothing else, and is the same whenever and wherever it is built."""

import tomllib
from pathlib import Path

import pytest

from tests.packaging.build import ROOT, build, hash_file, list_needed_files, list_wheel_files, read_requirements, unpack

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", source=ROOT, out=tmp_path_factory.mktemp("wheel"))


def test_the_wheel_has_every_file_that_the_program_reads(wheel: Path) -> None:
    assert list_wheel_files(wheel) == list_needed_files()
    assert {"newsletter/py.typed", "subscribers/py.typed", "subscribers/places/places.sqlite3"} <= list_wheel_files(
        wheel
    )


def test_packages_for_tests_are_not_installed_with_the_wheel(wheel: Path) -> None:
    required, extras = read_requirements(wheel)
    assert len(required) == len(PROJECT["dependencies"])
    assert not [one for one in required if "pytest" in one or "playwright" in one]
    assert {"all", "assistant", "scale", "ses"} <= extras


def test_the_extra_all_is_every_extra_of_the_product() -> None:
    assert sorted(EXTRAS["all"]) == sorted(EXTRAS["assistant"] + EXTRAS["scale"] + EXTRAS["ses"])


def test_a_wheel_built_from_the_source_archive_has_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    sdist = build("sdist", source=ROOT, out=tmp_path / "sdist")
    source = unpack(sdist, to=tmp_path / "source")
    assert hash_file(build("wheel", source=source, out=tmp_path / "again")) == hash_file(wheel)
