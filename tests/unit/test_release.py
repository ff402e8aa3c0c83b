"""A release needs pinned versions, allowed licences and a closed changelog."""

import hashlib
import json
import re
import subprocess
import tomllib
from datetime import UTC, date, datetime
from importlib.metadata import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts import licences, release
from scripts.changelog import close_release, list_versions, take_notes
from scripts.provenance import Source, find_page

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


def test_a_release_links_its_package_to_the_repository_once() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    linked = release.add_links(text, repository="https://forge.example.org/newsletter")
    links = tomllib.loads(linked)["project"]["urls"]
    assert links["Source"] == "https://forge.example.org/newsletter"
    assert set(links) == {"Source", "Documentation", "Changelog", "Issues"}
    assert release.add_links(linked, repository="https://elsewhere.example.org") == linked


@pytest.mark.parametrize("given", [[], ["1"], ["v1.0.0"], ["1.0.0", "2.0.0"]])
def test_a_release_needs_one_version(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert release.main(given) == 2
    assert "Name the version" in capsys.readouterr().err


@pytest.mark.parametrize(
    "remote",
    [
        "https://forge.example.org/charity/newsletter.git",
        "https://ann:key@forge.example.org/charity/newsletter/",
        "git@forge.example.org:charity/newsletter.git",
        "ssh://git@forge.example.org:22/charity/newsletter.git",
    ],
)
def test_the_page_of_a_repository_is_found_by_its_remote(remote: str) -> None:
    assert find_page(remote) == "https://forge.example.org/charity/newsletter"


def describe(folder: Path) -> dict[str, str]:
    """Let a release describe the files of a folder. Return the hash of each file by its name, without SHA256SUMS."""
    source = Source("https://forge.example.org/newsletter", "v1.2.0", "c0ffee", ROOT / "requirements/runtime.txt")
    release.describe_files(folder, version="1.2.0", source=source, started=datetime(2026, 11, 30, 9, 0, tzinfo=UTC))
    files = [file for file in folder.iterdir() if file.name != "SHA256SUMS"]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_the_hash_of_every_file_of_a_release_is_listed(tmp_path: Path) -> None:
    (tmp_path / "newsletter-linux-x86_64").write_bytes(b"the one file")
    (tmp_path / "newsletter-1.2.0.tar.gz").write_bytes(b"the source")
    hashes = describe(tmp_path)
    lines = (tmp_path / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    assert dict(reversed(line.split("  ")) for line in lines) == hashes
    assert "newsletter-1.2.0.provenance.json" in hashes


def test_the_provenance_names_the_commit_and_every_file(tmp_path: Path) -> None:
    (tmp_path / "newsletter-linux-x86_64").write_bytes(b"the one file")
    hashes = describe(tmp_path)
    statement = json.loads((tmp_path / "newsletter-1.2.0.provenance.json").read_bytes())
    name = "newsletter-linux-x86_64"
    assert statement["subject"] == [{"name": name, "digest": {"sha256": hashes[name]}}]
    built = statement["predicate"]["buildDefinition"]
    assert built["externalParameters"]["ref"] == "refs/tags/v1.2.0"
    assert built["resolvedDependencies"][0] == {
        "uri": "git+https://forge.example.org/newsletter@refs/tags/v1.2.0",
        "digest": {"gitCommit": "c0ffee"},
    }
    assert statement["predicate"]["runDetails"]["metadata"]["startedOn"] == "2026-11-30T09:00:00Z"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, whose changelog says something."""
    for name, value in (("NAME", "A release"), ("EMAIL", "release@example.org")):
        monkeypatch.setenv(f"GIT_AUTHOR_{name}", value)
        monkeypatch.setenv(f"GIT_COMMITTER_{name}", value)
    (tmp_path / "CHANGELOG.md").write_text(LOG, encoding="utf-8")
    monkeypatch.setattr(release, "ROOT", tmp_path)
    run_git(tmp_path, "init", "--quiet")
    run_git(tmp_path, "remote", "add", "origin", "https://forge.example.org/newsletter.git")
    run_git(tmp_path, "add", ".")
    run_git(tmp_path, "commit", "--quiet", "--message", "Begin")
    return tmp_path


def run_git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True)


def test_a_checkout_without_a_remote_repository_is_not_released(checkout: Path) -> None:
    release.check_ready("1.2.0")
    run_git(checkout, "remote", "remove", "origin")
    with pytest.raises(ValueError, match="git remote add origin"):
        release.check_ready("1.2.0")


def test_a_release_that_stopped_after_its_tag_can_continue(checkout: Path) -> None:
    (checkout / "CHANGELOG.md").write_text(close_release(LOG, version="1.2.0", on=date(2026, 11, 30)), encoding="utf-8")
    run_git(checkout, "commit", "--quiet", "--all", "--message", "Release 1.2.0")
    run_git(checkout, "tag", "v1.2.0")
    release.check_ready("1.2.0")
    assert release.is_tagged("1.2.0")


def test_the_tag_of_another_commit_is_not_released_again(checkout: Path) -> None:
    run_git(checkout, "tag", "v1.2.0")
    run_git(checkout, "commit", "--quiet", "--allow-empty", "--message", "Go on")
    with pytest.raises(ValueError, match="another commit"):
        release.check_ready("1.2.0")
