"""The databases of released versions, from which the upgrade is tested: none is missing, and no released migration changes."""

from pathlib import Path

import pytest

from scripts import release_database
from scripts.release_database import find_faults, main
from tests.support.release_database import ROOT, Release, hash_migrations, list_releases, read_release

CHANGELOG = "# Changelog\n\n## Unreleased\n\n## 1.1.0 (2027-02-01)\n\n- B.\n\n## 1.0.0 (2027-01-01)\n\n- A.\n"


def make_release(version: str, **migrations: str) -> Release:
    return Release(version, migrations, rows={}, send=1, links={}, webhook="", mailed=[])


def test_every_released_version_has_a_database_whose_migrations_are_kept() -> None:
    """If this fails, do what it says; `docs/how-to/maintain.md` explains why."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = [read_release(folder) for folder in list_releases()]
    assert find_faults(changelog=changelog, releases=releases, migrations=hash_migrations()) == []


def test_a_release_without_a_database_is_named_with_the_command() -> None:
    releases = [make_release("1.0.0", first="a")]
    (fault,) = find_faults(changelog=CHANGELOG, releases=releases, migrations={"first": "a", "second": "b"})
    assert fault.startswith("1.1.0 is released and has no fixture.")
    assert fault.endswith("python -m scripts.release_database 1.1.0")


@pytest.mark.parametrize("migrations", [{"first": "changed"}, {}])
def test_a_changed_or_deleted_released_migration_is_named(migrations: dict[str, str]) -> None:
    (fault,) = find_faults(changelog="", releases=[make_release("1.0.0", first="a")], migrations=migrations)
    assert fault.startswith("first was released in 1.0.0 and has changed or is gone.")


def test_each_of_our_migrations_has_a_hash() -> None:
    assert {"newsletter.0001_initial", "subscribers.0001_initial"} <= hash_migrations().keys()


def test_the_database_of_a_release_is_never_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(release_database, "RELEASES", tmp_path)
    (tmp_path / "1.0.0").mkdir()
    assert main(["1.0.0"]) == 1
    assert "is there already" in capsys.readouterr().err


def test_a_database_is_refused_without_the_programs_of_postgresql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(release_database, "RELEASES", tmp_path)
    monkeypatch.setattr(release_database, "find_binary", lambda name: None)
    assert main(["1.0.0"]) == 1
    assert "PostgreSQL's initdb and pg_dump are not on this machine." in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("given", [[], ["next"], ["1.0"], ["1.0.0", "1.1.0"]])
def test_the_script_needs_one_version(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(given) == 2
    assert "Name the version" in capsys.readouterr().err
