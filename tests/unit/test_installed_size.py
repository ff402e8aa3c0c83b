"""The script that prints what an installation takes on the disk, and what needs each part."""

import sys
from pathlib import Path

import pytest

from scripts import installed_size
from scripts.installed_size import InstalledSize, find_site_packages, measure, print_sizes


def _install(folder: Path, name: str, *requires: str, size: int) -> None:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / f"{name}.py").write_bytes(b"#" * size)
    lines = [f"Requires-Dist: {one}" for one in requires]
    (info / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *lines, ""]))
    (info / "RECORD").write_text(f"{name}.py,,{size}\n")


def test_only_what_the_program_needs_without_extras_is_measured(tmp_path: Path) -> None:
    _install(tmp_path, "newsletter", "Web_Kit[fast]>=1", "cloud; extra == 'ses'", size=10)
    _install(tmp_path, "web-kit", "speed; extra == 'fast'", "slow; extra == 'slow'", size=2_000_000)
    for name in ("speed", "slow", "cloud", "stranger"):
        _install(tmp_path, name, size=100)
    assert measure(tmp_path) == [
        InstalledSize("web-kit", 2_000_000, ("newsletter",)),
        InstalledSize("speed", 100, ("web-kit",)),
        InstalledSize("newsletter", 10, ()),
    ]


def test_the_table_names_the_largest_and_sums_up_the_rest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(installed_size, "LARGEST", 1)
    names = ("a", "b", "newsletter", "z")
    print_sizes([InstalledSize("big", 3_000_000, names), *(InstalledSize(name, 500_000, ()) for name in "xy")])
    assert capsys.readouterr().out.splitlines()[2:] == [
        "| big | 3.0 | newsletter, a, b and 1 more |",
        "| 2 others | 1.0 |  |",
        "| all 3 | 4.0 |  |",
    ]


def test_the_folder_of_another_python_is_found() -> None:
    assert (find_site_packages(sys.executable) / "django").is_dir()
