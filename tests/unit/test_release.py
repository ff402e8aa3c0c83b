"""What a release needs: pinned versions, allowed licences, a closed changelog."""

import re
import tomllib
from datetime import date
from importlib.metadata import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts import licences, release
from scripts.changelog import close_release, list_versions, take_notes

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOG = "# Changelog\n\nThe format. Nothing has been released yet.\n\n## Unreleased (0.1.0)\n\n### Added\n\n- A thing.\n"


def read_pins(name: str) -> dict[str, str]:
    """Return the pinned version of each library."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    return {
        canonicalize_name(one): version for one, version in re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE)
    }


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("runtime.txt", [*PROJECT["dependencies"], *EXTRAS["all"]]),
        ("development.txt", [*PROJECT["dependencies"], *EXTRAS["dev"]]),
    ],
)
def test_every_library_is_pinned_to_a_version_that_the_project_allows(name: str, wanted: list[str]) -> None:
    """After a change of pyproject.toml: make lock."""
    pins = read_pins(name)
    for line in wanted:
        requirement = Requirement(line)
        pinned = pins.get(canonicalize_name(requirement.name))
        assert pinned, f"{requirement.name} is not in requirements/{name}: run `make lock`"
        assert requirement.specifier.contains(pinned, prereleases=True), f"{line}, but {pinned}: run `make lock`"


def test_each_pinned_library_of_the_image_has_a_hash() -> None:
    text = (ROOT / "requirements/runtime.txt").read_text(encoding="utf-8")
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) > 100
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in text, "no address of a package index"


def test_the_page_of_licences_names_all_libraries_and_all_are_allowed() -> None:
    rows = re.findall(r"^\| ([a-z0-9._-]+) \| (.+) \|$", licences.PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    listed = dict(rows[1:])
    pinned = set(licences.read_names())
    assert set(listed) <= pinned, "run `make licences`"
    assert {name for name in pinned if licences.read_licences(name) is not None} <= set(listed), "run `make licences`"
    assert [name for name, said in listed.items() if not licences.is_allowed(said.split(", "))] == []


@pytest.mark.parametrize(
    ("said", "allowed"),
    [
        (["MIT"], True),
        (["Apache-2.0 OR BSD-3-Clause"], True),
        (["GPL-3.0-only OR MIT"], True),
        (["MPL-2.0 AND (Apache-2.0 OR MIT)"], True),
        (["MIT AND GPL-3.0-only"], False),
        (["AGPL-3.0-or-later"], False),
        (["GNU General Public License v3 (GPLv3)"], False),
        (["Other/Proprietary License"], False),
        ([], False),
    ],
)
def test_a_licence_is_allowed_only_if_it_is_named(said: list[str], allowed: bool) -> None:
    assert licences.is_allowed(said) is allowed


def test_a_library_for_another_machine_has_no_licence_here() -> None:
    assert licences.read_licences("a-library-that-nobody-wrote") is None
    assert licences.read_licences("django") == [metadata("django")["License-Expression"]]


def test_a_release_closes_the_changelog_under_its_version_and_date() -> None:
    closed = close_release(LOG, version="0.1.0", on=date(2026, 11, 29))
    assert "## Unreleased\n\n## 0.1.0 (2026-11-29)\n\n### Added" in closed
    assert "Nothing has been released" not in closed
    with pytest.raises(ValueError, match="says nothing"):
        take_notes(closed)


def test_a_changelog_without_the_heading_is_refused() -> None:
    with pytest.raises(ValueError, match="has no heading"):
        take_notes("# Changelog\n")


def test_our_own_changelog_can_be_released_or_was_just_released() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## Unreleased" in text
    assert list_versions(text)[:1] == [PROJECT["version"]] or "### Added" in take_notes(text)


def test_a_new_version_is_set_everywhere_and_nothing_else_changes() -> None:
    text = 'version = "0.1.0"\nother = "0.1.0"\ndist/newsletter-0.1.0-py3-none-any.whl\n'
    assert release.set_version(text, before="0.1.0", version="1.0.0") == (
        'version = "1.0.0"\nother = "0.1.0"\ndist/newsletter-1.0.0-py3-none-any.whl\n'
    )
    assert release.read_version() == PROJECT["version"]


@pytest.mark.parametrize("given", [[], ["1"], ["v1.0.0"], ["1.0.0", "2.0.0"]])
def test_a_release_needs_one_version(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert release.main(given) == 2
    assert "Name the version" in capsys.readouterr().err
