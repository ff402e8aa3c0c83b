"""`examples/plugin` is built as a wheel, installed and used, as a stranger would."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "plugin"
SECONDS = 300


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of installed packages that has the example's wheel."""
    if find_spec("hatchling") is None or find_spec("pip") is None:
        pytest.skip("hatchling and pip, which build the example, are not installed: run `make test` once")
    folder = tmp_path_factory.mktemp("example")
    source, wheels, site = folder / "source", folder / "wheels", folder / "site"
    shutil.copytree(EXAMPLE, source)
    _run(sys.executable, "-m", "pip", "wheel", *_OFFLINE, "--no-build-isolation", "-w", str(wheels), str(source))
    (wheel,) = wheels.glob("*.whl")
    _run(sys.executable, "-m", "pip", "install", *_OFFLINE, "--target", str(site), str(wheel))
    return site


_OFFLINE = ("--quiet", "--disable-pip-version-check", "--no-index", "--no-deps")


def _run(*command: str, cwd: Path = ROOT, site: Path | None = None) -> str:
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    kept |= {"PYTHONPATH": str(site)} if site else {}
    done = subprocess.run(command, cwd=cwd, env=kept, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.long
def test_its_extensions_keep_their_contracts(installed: Path, tmp_path: Path) -> None:
    tests = shutil.copytree(EXAMPLE / "tests", tmp_path / "tests")
    said = _run(
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        str(tests),
        cwd=tmp_path,
        site=installed,
    )
    assert " passed" in said
    assert "skipped" not in said


@pytest.mark.long
def test_its_extensions_work_from_the_source_to_the_reader(installed: Path) -> None:
    said = _run(sys.executable, "-m", "pytest", "-n0", "-vv", "tests/installed_plugin", site=installed)
    assert " passed in " in said
    assert "skipped" not in said


def test_the_commands_name_what_is_installed(installed: Path, tmp_path: Path) -> None:
    code = "from newsletter.content.parsing.source_kind import SOURCE_KINDS; print(*SOURCE_KINDS)"
    assert _run(sys.executable, "-c", code, cwd=tmp_path, site=installed).split()[-1] == "spreadsheet"
