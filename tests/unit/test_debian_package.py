"""The Debian package: its version, its control file, its units, its scripts, and what it says of licences."""

import gzip
import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from newsletter.project.cli import COMMANDS
from scripts.debian_package import build, contents, copyright
from scripts.debian_package.control import (
    FILES,
    SCRIPTS,
    SETTINGS,
    Fields,
    make_debian_version,
    name_file,
    write_control,
)
from scripts.one_file import tree
from scripts.release import ROOT

FIELDS = Fields(version="1.2.0rc1", maintainer="Ann <ann@example.org>", c_library="2.36", epoch=1_577_836_800)
needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg is not installed.")
UNITS = sorted(contents.UNITS.glob("*.service"))


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a Python of one library and one shared library of this system."""
    found = tmp_path / "documents/zlib1g/copyright"
    found.parent.mkdir(parents=True)
    found.write_text("zlib licence")
    monkeypatch.setattr(copyright, "DOCUMENTS", tmp_path / "documents")
    monkeypatch.setattr(copyright, "_find_package", lambda library: {"libz.so.1": "zlib1g"}[library])
    folder = tmp_path / "tree"
    library = folder / "lib/python3.11/site-packages/a_library-2.0.dist-info"
    library.mkdir(parents=True)
    (library / "METADATA").write_text("Metadata-Version: 2.4\nName: a-library\nVersion: 2.0\nLicense-Expression: MIT\n")
    (library / "LICENSE").write_text("MIT")
    (library / "RECORD").write_text("a_library-2.0.dist-info/LICENSE,,\na_library-2.0.dist-info/METADATA,,\n")
    (folder / "lib/python3.11/LICENSE.txt").write_text("PSF")
    (folder / "bin").mkdir()
    for name in ("bin/python3", "lib/libz.so.1"):
        (folder / name).write_bytes(b"\x7fELF GLIBC_2.36")
    return folder


@pytest.mark.parametrize(
    ("version", "debian"),
    [("1.0.0rc1", "1.0.0~rc1"), ("1.0.0", "1.0.0"), ("2.0.0a1", "2.0.0~a1"), ("1.2.3b10", "1.2.3~b10")],
)
def test_a_pre_release_has_a_version_that_dpkg_sorts_first(version: str, debian: str) -> None:
    assert make_debian_version(version) == debian


@needs_dpkg
def test_dpkg_installs_a_release_over_its_pre_release() -> None:
    versions = [
        make_debian_version(version) for version in ("1.0.0a1", "1.0.0b1", "1.0.0rc1", "1.0.0", "1.0.1rc1", "1.0.1")
    ]
    for lower, higher in pairwise(versions):
        assert not subprocess.run(["dpkg", "--compare-versions", lower, "lt", higher], check=False).returncode


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_each_unit_names_the_places_of_the_package(unit: Path) -> None:
    text = contents.make_unit(unit)
    assert "/srv/" not in text
    assert "/opt/" not in text
    assert "WorkingDirectory=/var/lib/newsletter\nEnvironmentFile=-/etc/newsletter/newsletter.env\n" in text
    assert "StateDirectory=newsletter\n" in text
    assert "ExecStart=/usr/bin/newsletter " in text


def test_a_unit_that_lost_a_line_is_refused(tmp_path: Path) -> None:
    unit = tmp_path / "newsletter.service"
    unit.write_text(UNITS[0].read_text().replace("ReadWritePaths=/srv/newsletter\n", ""))
    with pytest.raises(ValueError, match="ReadWritePaths"):
        contents.make_unit(unit)


def test_the_options_of_each_unit_are_in_the_settings_of_the_services() -> None:
    said = (FILES / "newsletter.env").read_text()
    for name, (before, after) in contents._OPTIONS.items():
        assert f'{after.strip().lstrip("$")}="{before.strip()}"' in said, name


@pytest.mark.parametrize("name", [*SCRIPTS, "newsletter"])
def test_each_script_is_read_by_the_smallest_shell(name: str) -> None:
    subprocess.run(["sh", "-n", str(FILES / name)], check=True)


def test_the_files_are_in_their_places_with_rights_for_all(program: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    contents.fill_root(root, tree=program, fields=FIELDS)
    write_control(root, FIELDS)
    modes = {f"/{path.relative_to(root)}": path.stat().st_mode & 0o777 for path in root.rglob("*") if path.is_file()}
    assert modes["/usr/bin/newsletter"] == 0o755
    assert modes[SETTINGS] == 0o644
    assert modes["/DEBIAN/postinst"] == 0o755
    assert {f"/usr/lib/systemd/system/{unit.name}" for unit in UNITS} < modes.keys()
    hashed = {line.split("  ")[1] for line in (root / "DEBIAN/md5sums").read_text().splitlines()}
    assert {f"/{name}" for name in hashed} == {
        name for name in modes if name != SETTINGS and not name.startswith("/DEBIAN/")
    }


def test_the_control_file_names_version_and_c_library(tmp_path: Path) -> None:
    write_control(tmp_path, FIELDS)
    said = (tmp_path / "DEBIAN/control").read_text()
    assert "Version: 1.2.0~rc1\n" in said
    assert "Depends: libc6 (>= 2.36), passwd\n" in said
    assert "Maintainer: Ann <ann@example.org>\n" in said
    assert (tmp_path / "DEBIAN/conffiles").read_text() == f"{SETTINGS}\n"


def test_the_copyright_file_names_every_library_and_its_licence(program: Path) -> None:
    said = copyright.describe_licences(program, program="usr/lib/newsletter")
    assert "The Newsletter authors" in said
    assert "Python (/usr/lib/newsletter/lib/python3.11/LICENSE.txt)" in said
    place = "/usr/lib/newsletter/lib/python3.11/site-packages/a_library-2.0.dist-info/LICENSE"
    assert f"a-library 2.0: MIT\n  {place}\n" in said
    assert "libz.so.1 (/usr/share/doc/newsletter/libraries/libz.so.1)" in said


def test_a_shared_library_without_a_licence_file_stops_the_build(program: Path, tmp_path: Path) -> None:
    (tmp_path / "documents/zlib1g/copyright").unlink()
    with pytest.raises(FileNotFoundError, match=r"libz\.so\.1"):
        copyright.describe_licences(program, program="usr/lib/newsletter")


def test_the_man_page_lists_every_command() -> None:
    said = contents.make_man_page(FIELDS)
    assert [name for name in COMMANDS if f".B {contents._escape(name)}\n" not in said] == []
    assert '"2020-01-01" "newsletter 1.2.0rc1"' in said


@needs_dpkg
def test_the_same_folder_gives_the_same_bytes(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(FIELDS.epoch))
    monkeypatch.setenv("DEBFULLNAME", "Ann")
    monkeypatch.setenv("DEBEMAIL", "ann@example.org")
    made = []
    for number, umask in ((1, 0o022), (2, 0o077)):
        before = os.umask(umask)
        try:
            made.append(build.pack(program, work=tmp_path / "work", out=tmp_path / str(number), version="1.2.0"))
        finally:
            os.umask(before)
    first, second = (file.read_bytes() for file in made)
    assert first == second
    assert made[0].name == name_file("1.2.0")


def test_the_changelog_of_the_package_is_that_of_the_project(program: Path, tmp_path: Path) -> None:
    contents.fill_root(tmp_path / "root", tree=program, fields=FIELDS)
    packed = tmp_path / "root/usr/share/doc/newsletter/CHANGELOG.md.gz"
    assert gzip.decompress(packed.read_bytes()) == (ROOT / "CHANGELOG.md").read_bytes()


def test_the_record_of_a_library_forgets_the_folder_of_the_build(tmp_path: Path) -> None:
    record = tmp_path / "a-1.dist-info/RECORD"
    record.parent.mkdir()
    (record.parent / "direct_url.json").write_text("{}")
    record.write_text('../../../bin/a,sha256=x,9\na-1.dist-info/direct_url.json,,\n"a/b,c.py",sha256=y,1\n')
    tree._forget_build_folder(record)
    assert record.read_text() == '"a/b,c.py",sha256=y,1\n'
    assert not (record.parent / "direct_url.json").exists()


def test_compiled_modules_do_not_name_the_folder_of_the_build(tmp_path: Path) -> None:
    made = []
    for name in ("one", "elsewhere/two"):
        module = tmp_path / name / "lib/module.py"
        module.parent.mkdir(parents=True)
        module.write_text("def greet():\n    return 'hello'\n")
        tree._compile(tmp_path / name, Path(sys.executable))
        (compiled,) = module.parent.rglob("*.pyc")
        made.append(compiled.read_bytes())
    assert made[0] == made[1]
