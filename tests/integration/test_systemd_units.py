"""`examples/systemd`: what systemd says of the units, and that the product runs with what they deny."""

import ctypes
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.tools import skip_without

UNITS = sorted((Path(__file__).parents[2] / "examples/systemd").glob("*.service"))
MAX_EXPOSURE = 2.0
PROGRAM = Path(sys.executable).parent / "newsletter"
_PR_SET_NO_NEW_PRIVS, _PR_SET_MDWE, _REFUSE_EXEC_GAIN = 38, 65, 1


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_exposure_of_each_unit_is_at_most_two(unit: Path) -> None:
    skip_without("systemd-analyze")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stdout
    assert float(found[1]) <= MAX_EXPOSURE


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_every_line_of_each_unit(unit: Path, tmp_path: Path) -> None:
    skip_without("systemd-analyze")
    name = unit.name.replace("@", "@1")
    text = unit.read_text(encoding="utf-8").replace("/opt/newsletter/bin/newsletter", str(PROGRAM))
    (tmp_path / name).write_text(text.replace("User=newsletter", "User=root"), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", "--man=no", str(tmp_path / name)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert name not in done.stderr, done.stderr


def refuse_new_code_and_privileges() -> None:
    """Deny this process and its children what MemoryDenyWriteExecute= and NoNewPrivileges= deny."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or prctl(_PR_SET_MDWE, _REFUSE_EXEC_GAIN, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def test_the_demo_runs_without_memory_that_is_written_and_executed(tmp_path: Path) -> None:
    """It reads feeds and images in children, renders, and sends."""
    try:
        subprocess.run(["true"], preexec_fn=refuse_new_code_and_privileges, check=True)
    except subprocess.SubprocessError:
        pytest.skip("This kernel has no PR_SET_MDWE.")
    done = subprocess.run(
        [str(PROGRAM), "demo", "--no-serve", "--subscribers", "50"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")},
        preexec_fn=refuse_new_code_and_privileges,
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.rglob("*.eml"))
