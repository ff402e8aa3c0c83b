"""Nobody else on the machine can read people, keys or mail: with real modes, real processes, and another real user."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from newsletter.common.commands.private_output import open_private, write_private
from newsletter.organisation.health.machine import check_owner, check_privacy
from newsletter.organisation.private_folder import DataPaths, find_readable_by_others, restrict_to_owner
from newsletter.project.process_setup import restrict_data_folder
from tests.support.ports import free_port
from tests.support.unconfigured import run_unconfigured, start_unconfigured
from tests.support.unprivileged_user import NOBODY, make_world_writable_folder, run_as_nobody


def modes(folder: Path) -> dict[str, str]:
    """Return the files of a folder with their modes: {"secret.key": "600"}."""
    return {str(path.relative_to(folder)): f"{path.stat().st_mode & 0o777:o}" for path in sorted(folder.rglob("*"))}


@pytest.fixture(autouse=True)
def umask_of_an_ordinary_user() -> Iterator[None]:
    """The product's own is set by whoever ran a command in this process before."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def home() -> Iterator[Path]:
    with make_world_writable_folder() as folder:
        yield folder


@pytest.fixture
def data(home: Path) -> Path:
    """The data folder of an earlier version: all of it open."""
    folder = home / "var"
    (folder / "outbox" / "issue").mkdir(parents=True)
    (folder / "media").mkdir()
    names = ("newsletter.sqlite3", "newsletter.sqlite3-wal", "newsletter.sqlite3-shm", "secret.key", "left.journal")
    for name in (*names, "newsletter.sqlite3.backup", "outbox/issue/1.eml"):
        (folder / name).write_text("reader@example.org")
        (folder / name).chmod(0o644)
    for path in (folder, folder / "outbox", folder / "outbox" / "issue", folder / "media"):
        path.chmod(0o755)
    return folder


@pytest.mark.long
def test_a_new_database_is_prepared_by_itself_and_private_at_once(home: Path) -> None:
    (home / "organisation.toml").write_text('[[list]]\nslug = "weekly"\nname = "The weekly letter"\n')
    (home / "organisation.toml").chmod(0o600)
    done = run_unconfigured(["apply", "organisation.toml"], folder=home, umask=0)
    assert (done.returncode, done.stderr) == (0, "")
    found = modes(home)
    assert found.pop("var") == "700"
    assert {"var/newsletter.sqlite3", "var/secret.key", "var/address.key"} <= set(found)
    assert set(found.values()) == {"600"}
    assert "Permission denied" in run_as_nobody(lambda: (home / "var" / "secret.key").read_text())


@pytest.mark.long
def test_files_of_a_serving_process_are_private(home: Path, migrated_sqlite: Path) -> None:
    (home / "var").mkdir(mode=0o700)
    shutil.copy(migrated_sqlite, home / "var" / "newsletter.sqlite3")
    arguments = ["serve", "--port", str(free_port())]
    with start_unconfigured(arguments, folder=home, says="Serving ", umask=0):
        found = modes(home / "var")
        assert any(name.endswith("-wal") for name in found)
        folders = {name for name in found if (home / "var" / name).is_dir()}
        assert {mode for name, mode in found.items() if name not in folders} == {"600"}
        assert {mode for name, mode in found.items() if name in folders} <= {"700"}
    (home.parent / f"{home.name}.log").unlink()


@pytest.mark.long
def test_an_open_data_folder_is_closed_when_the_program_starts(home: Path, data: Path) -> None:
    for name in ("newsletter.sqlite3-wal", "newsletter.sqlite3-shm", "newsletter.sqlite3"):
        (data / name).unlink()
    with closing(sqlite3.connect(data / "newsletter.sqlite3")) as database:
        database.execute("PRAGMA user_version = 1")  # an empty file would count as no installation
    (data / "secret.key").write_text("an earlier key that is long enough to be one")
    assert run_as_nobody(lambda: (data / "left.journal").read_text()) == "reader@example.org"
    done = run_unconfigured(["status"], folder=home)
    assert f"Made private (they were readable by other users of this machine): {data}" in done.stderr
    assert "Permission denied" in run_as_nobody(lambda: (data / "left.journal").read_text())
    assert "Permission denied" in run_as_nobody(lambda: (data / "outbox" / "issue" / "1.eml").read_text())
    found = modes(data)
    assert found["outbox"] == found["media"] == "700"
    assert found["left.journal"] == found["newsletter.sqlite3.backup"] == found["secret.key"] == "600"


@pytest.mark.long
@pytest.mark.parametrize("arguments", [["status", "--help"], ["help", "status"], ["demo", "-h"]])
def test_help_changes_no_rights_and_logs_nothing(arguments: list[str], home: Path, data: Path) -> None:
    before = modes(data)
    done = run_unconfigured(arguments, folder=home)
    assert (done.returncode, done.stderr) == (0, "")
    assert before.items() <= modes(data).items()


def test_doctor_says_what_others_could_read(data: Path) -> None:
    places = DataPaths(data)
    found = check_privacy(places)
    assert (found.level, str(data / "newsletter.sqlite3") in found.says) == ("error", True)
    assert data in restrict_to_owner(places)
    assert check_privacy(places).level == "ok"
    assert restrict_to_owner(places) == []


def test_a_closed_parent_protects_everything_in_it(home: Path, data: Path) -> None:
    home.chmod(0o700)
    assert find_readable_by_others(DataPaths(data)) == []


def test_a_folder_with_other_programs_in_it_keeps_its_mode(data: Path) -> None:
    (data / "somebody-else").mkdir(mode=0o755)
    (data / "notes.txt").touch(mode=0o644)
    closed = restrict_to_owner(DataPaths(data))
    assert data / "newsletter.sqlite3" in closed
    assert data / "outbox" in closed
    assert modes(data)["somebody-else"] == "755"
    assert f"{data.stat().st_mode & 0o777:o}" == "755"
    assert find_readable_by_others(DataPaths(data)) == []


def test_a_folder_that_is_everybodys_keeps_its_mode(data: Path) -> None:
    data.chmod(0o1777)
    assert data / "secret.key" in restrict_to_owner(DataPaths(data))
    assert data.stat().st_mode & 0o7777 == 0o1777


def test_links_are_not_followed_and_doctor_names_their_targets(home: Path, data: Path) -> None:
    elsewhere = home / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    shutil.rmtree(data / "media")
    (data / "media").symlink_to(elsewhere)
    restrict_to_owner(DataPaths(data))
    assert elsewhere.stat().st_mode & 0o777 == 0o755
    data.chmod(0o711)
    assert find_readable_by_others(DataPaths(data)) == [data / "media"]


def test_a_database_outside_the_data_folder_is_closed_too(home: Path) -> None:
    database = home / "people.db"
    for end in ("", "-wal"):
        (home / f"people.db{end}").touch(mode=0o644)
    places = DataPaths(home / "var", database)
    assert find_readable_by_others(places) == [database, home / "people.db-wal"]
    assert restrict_to_owner(places) == [database, home / "people.db-wal"]
    assert home.stat().st_mode & 0o777 == 0o755


def test_a_million_pictures_are_not_looked_at(data: Path) -> None:
    below = data / "media" / "a.jpg"
    below.touch(mode=0o644)
    restrict_to_owner(DataPaths(data))
    assert below.stat().st_mode & 0o777 == 0o644
    assert "Permission denied" in run_as_nobody(lambda: below.read_bytes())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_data_of_another_user_is_reported_with_the_user_to_run_as(data: Path) -> None:
    assert check_owner(data).level == "ok"
    os.chown(data, NOBODY, NOBODY)
    assert check_owner(data).level == "warning"


def test_a_folder_that_is_not_ours_to_change_is_left_and_said(home: Path, data: Path) -> None:
    assert run_as_nobody(lambda: restrict_to_owner(DataPaths(data))) == "[]"
    assert check_privacy(DataPaths(data)).level == "error"


def test_an_overwritten_file_is_private_before_it_has_content(tmp_path: Path) -> None:
    for name in ("old.csv", "new.csv"):
        file = tmp_path / name
        if name == "old.csv":
            file.write_text("what was there before, and longer than what comes")
            file.chmod(0o644)
        with open_private(file) as out:
            assert file.stat().st_mode & 0o777 == 0o600
            assert file.read_text() == ""
            out.write("ada@example.org")
        assert file.read_text() == "ada@example.org"
        write_private(file, b"b")
        assert file.read_bytes() == b"b"


def test_a_device_that_a_command_writes_to_keeps_its_mode() -> None:
    before = Path(os.devnull).stat().st_mode
    with open_private(Path(os.devnull)) as out:
        out.write("nothing is kept")
    assert Path(os.devnull).stat().st_mode == before


def test_a_start_with_keys_in_the_settings_makes_the_data_folder(tmp_path: Path, settings: Any) -> None:
    settings.NEWSLETTER_DATA_DIR, settings.NEWSLETTER_DATABASE_FILE = tmp_path / "new" / "var", None
    restrict_data_folder()
    assert (tmp_path / "new" / "var").is_dir()
