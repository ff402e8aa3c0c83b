"""Backups of an SQLite installation: written whole or not at all, verified, restored whole or not at all, and on hold."""

import os
import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from newsletter.backups import archive_writer
from newsletter.backups.errors import BackupError, BadArchive, TargetNotEmpty, WrongPassphrase
from newsletter.backups.installation import remove_made_keys
from newsletter.backups.manifest import MANIFEST_PART, SQLITE_PART
from newsletter.backups.passphrase import read_passphrase
from newsletter.backups.placement import Placement
from newsletter.backups.restore_backup import RESTORED, restore_backup
from newsletter.backups.verify_backup import verify_backup
from newsletter.backups.write_backup import write_backup
from newsletter.common.messages import loads
from tests.support.backups import (
    JOURNAL_LINE,
    PASSPHRASE,
    Home,
    list_files,
    live_in,
    make_home,
    other_keys,
    present_address_key,
)

NOW = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
TAGS = 7


@pytest.fixture(autouse=True)
def with_databases(django_db_blocker: DjangoDbBlocker, django_db_setup: None) -> Iterator[None]:
    """These tests connect to files of their own."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def home(tmp_path: Path, migrated_sqlite: Path) -> Home:
    made = make_home(tmp_path / "home", database=migrated_sqlite)
    with closing(sqlite3.connect(made.database)) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executemany(
            "INSERT INTO taggit_tag (name, slug) VALUES (?, ?)",
            [(f"tag {number}", f"{number}") for number in range(TAGS)],
        )
    return made


@pytest.fixture
def empty(tmp_path: Path) -> Home:
    return make_home(tmp_path / "empty")


@pytest.fixture
def archive(home: Home, tmp_path: Path) -> Path:
    with live_in(home):
        return write_backup(tmp_path / "backup.zip", passphrase=PASSPHRASE, now=NOW).file


def damage(archive: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Write a ZIP file with other parts and the same manifest."""
    with zipfile.ZipFile(archive) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    change(parts)
    damaged = archive.with_name("damaged.zip")
    with zipfile.ZipFile(damaged, "w") as written:
        for name, content in parts.items():
            written.writestr(name, content)
    return damaged


def change_manifest(archive: Path, **changes: object) -> Path:
    def change(parts: dict[str, bytes]) -> None:
        parts[MANIFEST_PART] = orjson.dumps({**orjson.loads(parts[MANIFEST_PART]), **changes})

    return damage(archive, change)


@pytest.mark.requirement("R2")
def test_a_restore_gives_everything_back_and_is_on_hold(home: Home, empty: Home, archive: Path) -> None:
    before = list_files(home.data / "media")
    keys = other_keys(empty)
    with live_in(empty, **keys):
        restored = restore_backup(archive, passphrase=PASSPHRASE)
    assert (restored.media_files, restored.with_keys) == (2, True)
    assert empty.query("SELECT COUNT(*) FROM taggit_tag") == [(TAGS,)]
    assert list_files(empty.data / "media") == before
    assert empty.journal.read_bytes() == home.journal.read_bytes()
    assert (empty.data / "address.key").read_text() == present_address_key()
    assert f"NEWSLETTER_ADDRESS_KEY={present_address_key()}\n" in (empty.data / "restored/keys.env").read_text()
    held, reason = empty.query("SELECT held, reason FROM newsletter_installation")[0]
    assert held
    assert loads(reason) == RESTORED
    assert not (empty.data / ".restoring").exists()
    stored = [place.query("SELECT backed_up_at FROM newsletter_installation") for place in (home, empty)]
    assert stored == [[(f"{NOW:%Y-%m-%d %H:%M:%S}",)]] * 2


def test_an_archive_is_verified_by_restoring_it_aside(home: Home, archive: Path) -> None:
    before = list_files(home.folder)
    with live_in(home):
        found = verify_backup(archive, passphrase=PASSPHRASE)
    assert (found.media_files, found.keys, found.engine) == (2, "opened", "sqlite")
    assert found.rows > TAGS
    assert list_files(home.folder) == before
    assert sorted(path.name for path in archive.parent.iterdir()) == ["backup.zip", "home"]


def test_a_backup_sees_one_moment_while_somebody_writes(home: Home, tmp_path: Path) -> None:
    with closing(sqlite3.connect(home.database)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM taggit_tag")
        with live_in(home):
            written = write_backup(tmp_path / "meanwhile.zip", now=NOW)
        writer.execute("COMMIT")
    with live_in(home):
        verify_backup(written.file)
    with zipfile.ZipFile(written.file) as archive:
        manifest = orjson.loads(archive.read(MANIFEST_PART))
    assert manifest["rows"]["taggit_tag"] == TAGS
    assert "keys.sealed" not in manifest["parts"]


def test_a_backup_of_a_database_that_takes_no_changes_is_complete(
    home: Home, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with live_in(home):
        connection.cursor().execute("PRAGMA query_only = ON")
        written = write_backup(tmp_path / "backup.zip", now=NOW)
    assert written.file.is_file()
    assert "its time could not be stored in the database" in caplog.text


def test_an_archive_holds_no_key_in_the_clear(archive: Path) -> None:
    with zipfile.ZipFile(archive) as whole:
        contents = b"".join(whole.read(name) for name in whole.namelist())
    assert present_address_key().encode() not in contents
    assert archive.stat().st_mode & 0o077 == 0


def test_a_backup_overwrites_nothing(home: Home, archive: Path) -> None:
    before = archive.read_bytes()
    with live_in(home), pytest.raises(BackupError, match="exists already and was not changed"):
        write_backup(archive, now=NOW)
    assert archive.read_bytes() == before


def test_a_backup_that_fails_leaves_no_file(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    folder = tmp_path / "full"
    folder.mkdir()
    monkeypatch.setattr(archive_writer.os, "fsync", fail)
    with live_in(home), pytest.raises(BackupError, match="No space left on device"):
        write_backup(folder, now=NOW)
    assert list(folder.iterdir()) == []


def test_a_folder_that_does_not_exist_is_named(home: Home, tmp_path: Path) -> None:
    with live_in(home), pytest.raises(BackupError, match=r"There is no folder .*/absent, .*Make the folder") as refused:
        write_backup(tmp_path / "absent" / "one.zip", now=NOW)
    assert "space" not in str(refused.value)
    assert not (tmp_path / "absent").exists()


def test_a_part_that_cannot_be_read_needs_no_free_space(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(archive_writer.os, "fsync", fail)
    with live_in(home), pytest.raises(BackupError, match=r"Permission denied.* Give this user the right") as refused:
        write_backup(tmp_path / "one.zip", now=NOW)
    assert "space" not in str(refused.value)


def test_a_backup_removes_what_a_killed_one_left(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for name in (".newsletter-killed.part", ".newsletter-killed.part-copy"):
        (folder / name).write_bytes(b"half")
    with live_in(home):
        written = write_backup(folder, now=NOW)
    assert list(folder.iterdir()) == [written.file]


def test_only_the_newest_archives_of_ours_are_kept(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    others = ["newsletter-2020-01-01-000000.zip", "photos.zip", "newsletter-notes.zip"]
    for name in others:
        (folder / name).write_bytes(b"not ours")
    with live_in(home):
        names = [write_backup(folder, keep=2, now=NOW + timedelta(days=day)).file.name for day in range(4)]
    assert sorted(path.name for path in folder.iterdir()) == sorted([*others, *names[-2:]])


def test_keeping_archives_needs_a_folder(home: Home, tmp_path: Path) -> None:
    with live_in(home), pytest.raises(BackupError, match="is not a folder"):
        write_backup(tmp_path / "one.zip", keep=3)
    assert not (tmp_path / "one.zip").exists()


def test_nothing_is_backed_up_before_there_is_a_database(empty: Home, tmp_path: Path) -> None:
    with live_in(empty), pytest.raises(BackupError, match="nothing to back up"):
        write_backup(tmp_path / "none.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty"]


@pytest.mark.parametrize(
    ("part", "content"),
    [(SQLITE_PART, b"SQLite format 3"), ("media/pictures/one.jpg", b"another"), ("left.journal", b"")],
)
def test_a_damaged_part_is_named_and_nothing_is_restored(empty: Home, archive: Path, part: str, content: bytes) -> None:
    damaged = damage(archive, lambda parts: parts.update({part: content}))
    with live_in(empty):
        with pytest.raises(BadArchive, match=part):
            verify_backup(damaged)
        with pytest.raises(BadArchive, match=part):
            restore_backup(damaged)
    assert list_files(empty.folder) == {}


def test_a_missing_part_is_named(empty: Home, archive: Path) -> None:
    with live_in(empty), pytest.raises(BadArchive, match=r"media/empty\.png"):
        restore_backup(damage(archive, lambda parts: parts.pop("media/empty.png") and None))


def test_flipped_bytes_are_found_wherever_they_are(empty: Home, archive: Path) -> None:
    whole = archive.read_bytes()
    for position in range(200, len(whole), len(whole) // 25):
        archive.write_bytes(whole[:position] + bytes([whole[position] ^ 255]) + whole[position + 1 :])
        with live_in(empty), pytest.raises(BackupError):
            restore_backup(archive, passphrase=PASSPHRASE)
        assert list_files(empty.folder) == {}, position


@pytest.mark.parametrize("share", [0, 0.3, 0.999])
def test_a_truncated_archive_is_refused(empty: Home, archive: Path, share: float) -> None:
    os.truncate(archive, int(archive.stat().st_size * share))
    with live_in(empty), pytest.raises(BadArchive, match="its end is missing"):
        restore_backup(archive)
    assert list_files(empty.folder) == {}


def test_an_archive_of_a_newer_version_is_refused(empty: Home, archive: Path) -> None:
    known = orjson.loads(zipfile.ZipFile(archive).read(MANIFEST_PART))["migrations"]
    newer = change_manifest(archive, migrations=[*known, ["newsletter", "0099_of_the_future"]])
    with live_in(empty), pytest.raises(BadArchive, match=r"newer version.*newsletter\.0099_of_the_future"):
        restore_backup(newer)
    with live_in(empty), pytest.raises(BadArchive, match="newer version"):
        verify_backup(change_manifest(archive, format=2))
    assert list_files(empty.folder) == {}


def test_an_archive_cannot_write_outside_its_folder(empty: Home, archive: Path) -> None:
    def escape(parts: dict[str, bytes]) -> None:
        manifest = orjson.loads(parts[MANIFEST_PART])
        for name in ("media/../../escaped", "media//escaped"):
            parts[name] = parts["media/empty.png"]
            manifest["parts"][name] = manifest["parts"]["media/empty.png"]
        parts[MANIFEST_PART] = orjson.dumps(manifest)

    with live_in(empty), pytest.raises(BadArchive, match="leaves its folder"):
        restore_backup(damage(archive, escape))
    assert not (empty.folder.parent / "escaped").exists()


def test_other_counts_than_the_manifest_says_are_found(empty: Home, archive: Path) -> None:
    rows = orjson.loads(zipfile.ZipFile(archive).read(MANIFEST_PART))["rows"]
    wrong = change_manifest(archive, rows={**rows, "taggit_tag": TAGS + 1})
    with live_in(empty), pytest.raises(BadArchive, match=f"taggit_tag has {TAGS} rows"):
        verify_backup(wrong)


def test_a_wrong_passphrase_restores_nothing(empty: Home, archive: Path) -> None:
    with live_in(empty), pytest.raises(WrongPassphrase, match="does not open the keys"):
        restore_backup(archive, passphrase=f"{PASSPHRASE}!")
    assert list_files(empty.folder) == {}


def test_without_a_passphrase_the_right_key_must_be_set(empty: Home, archive: Path) -> None:
    with (
        live_in(empty, SUBSCRIBERS_ADDRESS_KEY="x" * 40),
        pytest.raises(WrongPassphrase, match="another NEWSLETTER_ADDR"),
    ):
        restore_backup(archive)
    with live_in(empty):
        assert not restore_backup(archive).with_keys


def test_a_passphrase_for_an_archive_without_keys_is_refused(home: Home, empty: Home, tmp_path: Path) -> None:
    with live_in(home):
        archive = write_backup(tmp_path / "without.zip").file
    with live_in(empty), pytest.raises(WrongPassphrase, match="holds no keys"):
        restore_backup(archive, passphrase=PASSPHRASE)


def test_keys_that_are_in_use_are_not_replaced(empty: Home, archive: Path) -> None:
    keys = {**other_keys(empty), "NEWSLETTER_MADE_KEYS": []}
    before = list_files(empty.folder)
    with live_in(empty, **keys), pytest.raises(TargetNotEmpty, match="another NEWSLETTER_SECRET_KEY"):
        restore_backup(archive, passphrase=PASSPHRASE)
    assert list_files(empty.folder) == before


def test_all_keys_that_are_in_use_are_named_at_once(empty: Home, archive: Path) -> None:
    with (
        live_in(empty, **{**other_keys(empty), "NEWSLETTER_MADE_KEYS": []}),
        pytest.raises(
            TargetNotEmpty, match=r"NEWSLETTER_SECRET_KEY and another NEWSLETTER_ADDRESS_KEY.*address\.key away"
        ),
    ):
        restore_backup(archive, passphrase=PASSPHRASE)


def test_a_refused_restore_leaves_no_keys_that_it_made(empty: Home, archive: Path, tmp_path: Path) -> None:
    with live_in(empty, **other_keys(empty)), pytest.raises(CommandError, match="another NEWSLETTER_ADDRESS_KEY"):
        call_command("restore", str(archive))
    assert list_files(empty.folder) == {}, "the next run would take them for keys that are in use"
    passphrase = tmp_path / "passphrase"
    passphrase.write_text(PASSPHRASE)
    with live_in(empty, **other_keys(empty)):
        call_command("restore", str(archive), passphrase_file=passphrase)
    assert empty.database.is_file()


def test_a_short_or_missing_passphrase_is_refused(tmp_path: Path) -> None:
    (tmp_path / "short").write_text("password\nand a second line that is long enough")
    with pytest.raises(WrongPassphrase, match="fewer than 12 characters"):
        read_passphrase(tmp_path / "short")
    with pytest.raises(BackupError, match="cannot be read"):
        read_passphrase(tmp_path / "missing")


def test_an_installation_with_data_is_not_restored_over(home: Home, archive: Path) -> None:
    before = list_files(home.data / "media")
    with live_in(home), pytest.raises(TargetNotEmpty, match="There are tables"):
        restore_backup(archive)
    home.database.unlink()
    with live_in(home), pytest.raises(TargetNotEmpty, match="There are images"):
        restore_backup(archive)
    assert list_files(home.data / "media") == before


@pytest.mark.requirement("P7")
def test_a_restore_keeps_the_newer_lines_of_the_journal(home: Home, archive: Path) -> None:
    with home.journal.open("ab") as journal:
        journal.write(JOURNAL_LINE % 2)
    (home.data / "left.journal.checked").write_text("{}")
    home.database.unlink()
    shutil.rmtree(home.data / "media")
    with live_in(home):
        restore_backup(archive)
    assert home.journal.read_bytes().splitlines(keepends=True)[-1] == JOURNAL_LINE % 2
    assert set(home.journal.read_bytes().splitlines(keepends=True)) == {JOURNAL_LINE % 1, JOURNAL_LINE % 2}
    assert not (home.data / "left.journal.checked").exists()


def test_a_restore_that_was_killed_is_undone_by_the_next(
    empty: Home, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:
        killed.setattr(Placement, "undo", lambda self: None)
        rename = Path.rename

        def die(self: Path, target: Path) -> Path:
            if target == empty.database:
                raise KeyboardInterrupt
            return rename(self, target)

        killed.setattr(Path, "rename", die)
        killed.setattr(Placement, "begin", lambda self: self.folder.mkdir())
        with live_in(empty), pytest.raises(KeyboardInterrupt):
            restore_backup(archive)
    assert list_files(empty.data / "media")
    with live_in(empty):
        assert restore_backup(archive).media_files == 2
    assert sorted(path.name for path in empty.data.iterdir()) == ["left.journal", "media", "newsletter.sqlite3"]


def test_only_keys_that_this_process_made_are_removed(empty: Home) -> None:
    """A restore that fails late has put the keys of the archive there already."""
    made = other_keys(empty)
    (empty.data / "address.key").write_text("the key of an archive")
    with live_in(empty, **made):
        remove_made_keys()
    assert not (empty.data / "secret.key").exists()
    assert (empty.data / "address.key").read_text() == "the key of an archive"
