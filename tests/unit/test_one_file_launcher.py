"""The launcher of the one file: where it unpacks, that it unpacks all or nothing, and the environment that it hands on."""

import os
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import BinaryIO

import pytest

from scripts.one_file import launcher
from scripts.one_file.launcher import find_cache, make_environment, unpack


@pytest.fixture(autouse=True)
def without_own_places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("CACHE_DIRECTORY", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(launcher, "TEMPORARY", [tmp_path / "temporary"])


@pytest.fixture
def uncompressed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let archives be plain, because the library that decompresses is only in PyInstaller's program."""

    @contextmanager
    def stream_reader(source: BinaryIO, read_size: int) -> Iterator[BinaryIO]:
        yield source

    decompressor = SimpleNamespace(stream_reader=stream_reader)
    monkeypatch.setitem(sys.modules, "zstandard", SimpleNamespace(ZstdDecompressor=lambda: decompressor))


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A file that has an archive of one file from its fourth byte on."""
    (tmp_path / "hello").write_text("hello")
    with tarfile.open(tmp_path / "archive.tar", "w") as archive:
        archive.add(tmp_path / "hello", "bin/hello")
    file = tmp_path / "program"
    file.write_bytes(b"ELF" + (tmp_path / "archive.tar").read_bytes())
    return file


def test_systemds_folder_comes_before_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert find_cache() == tmp_path / "home/.cache/newsletter"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert find_cache() == tmp_path / "xdg/newsletter"
    monkeypatch.setenv("CACHE_DIRECTORY", f"{tmp_path / 'systemd'}:{tmp_path / 'other'}")
    assert find_cache() == tmp_path / "systemd/newsletter"


def test_an_empty_environment_gets_a_folder_only_this_user_can_read(tmp_path: Path) -> None:
    cache = find_cache()
    assert cache == tmp_path / f"temporary/newsletter-{os.getuid()}"
    assert cache.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("kind", ["writable by others", "link"])
def test_a_folder_that_others_could_have_filled_is_not_used(tmp_path: Path, kind: str) -> None:
    place = tmp_path / f"temporary/newsletter-{os.getuid()}"
    if kind == "link":
        (tmp_path / "elsewhere").mkdir()
        place.symlink_to(tmp_path / "elsewhere")
    else:
        place.mkdir()
        place.chmod(0o777)
    with pytest.raises(SystemExit, match="There is no folder into which this file can be unpacked"):
        find_cache()


def test_a_folder_that_cannot_be_made_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert find_cache().parent == tmp_path / "temporary"


def test_the_archive_is_unpacked_from_the_middle_of_the_file(program: Path, tmp_path: Path, uncompressed: None) -> None:
    unpack(program, start=3, to=tmp_path / "cache")
    assert (tmp_path / "cache/bin/hello").read_text() == "hello"


def test_a_second_process_that_unpacks_uses_the_firsts(program: Path, tmp_path: Path, uncompressed: None) -> None:
    unpack(program, start=3, to=tmp_path / "cache")
    before = set(tmp_path.iterdir())
    unpack(program, start=3, to=tmp_path / "cache")
    assert set(tmp_path.iterdir()) == before


def test_a_cache_that_cannot_be_written_is_reported(program: Path, tmp_path: Path, uncompressed: None) -> None:
    with pytest.raises(SystemExit, match=r"could not be unpacked into .*/none: No such file or directory"):
        unpack(program, start=3, to=tmp_path / "none/cache")


def test_a_full_disk_leaves_nothing_and_is_reported(
    program: Path, tmp_path: Path, uncompressed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*unused: object, **also: object) -> None:
        raise OSError(28, "No space left on device")

    before = set(tmp_path.iterdir())
    monkeypatch.setattr(tarfile.TarFile, "extractall", fail)
    with pytest.raises(SystemExit, match=r"No space left on device\. Nothing was started\. Free some space there"):
        unpack(program, start=3, to=tmp_path / "cache")
    assert set(tmp_path.iterdir()) == before


def test_the_program_gets_the_environment_of_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/tmp/of-the-launcher")
    monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", "/opt/own")
    monkeypatch.setenv("_PYI_ARCHIVE_FILE", "/usr/local/bin/newsletter")
    env = make_environment(tmp_path)
    assert env["LD_LIBRARY_PATH"] == "/opt/own"
    assert not any(name.startswith("_PYI") or name.endswith("_ORIG") for name in env)
    monkeypatch.delenv("LD_LIBRARY_PATH_ORIG")
    assert "LD_LIBRARY_PATH" not in make_environment(tmp_path)


def test_a_system_without_certificates_gets_those_of_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "lib/python3.11/site-packages/certifi/cacert.pem"
    file.parent.mkdir(parents=True)
    file.write_text("")
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(launcher, "CERTIFICATES", tmp_path / "none")
    assert make_environment(tmp_path)["SSL_CERT_FILE"] == str(file)
    monkeypatch.setenv("SSL_CERT_DIR", "/opt/certificates")
    assert "SSL_CERT_FILE" not in make_environment(tmp_path)
