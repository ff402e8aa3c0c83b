"""A reader of the guides: their programs, their home and their shell."""

import os
import subprocess
import sys
import venv
from pathlib import Path

from tests.integration.guides import HOST
from tests.integration.organisation import Organisation


def make_programs(folder: Path) -> Path:
    """Make a reader's environment: the newsletter is installed in it, and what they install stays in it."""
    venv.create(folder, with_pip=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    (packages / "newsletter.pth").write_text(f"import site; site.addsitedir({_site_packages()!r})\n")
    for name in ("newsletter", "pytest"):
        lines = Path(sys.executable).with_name(name).read_text().splitlines(keepends=True)
        (folder / "bin" / name).write_text("".join([f"#!{folder}/bin/python\n", *lines[1:]]))
        (folder / "bin" / name).chmod(0o755)
    (folder / "bin" / "ssh").write_text(f'#!/bin/sh\n[ "$1" = {HOST} ] && shift && exec "$@"\n')
    (folder / "bin" / "ssh").chmod(0o755)
    return folder / "bin"


def _site_packages() -> str:
    return str(next(Path(sys.prefix).glob("lib/python*/site-packages")))


def at_home(organisation: Organisation, *, home: Path, programs: Path) -> dict[str, str]:
    """Return the environment of a reader. Nothing is fetched from a registry: pip uses what is there.

    For pip, "0" means that nothing is isolated: it reads this variable the wrong way round.
    """
    pip = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_QUIET": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    env = {name: text for name, text in organisation.install.env.items() if name != "NEWSLETTER_ENV_FILE"}
    return {**env, **pip, "HOME": str(home), "PATH": f"{programs}:{os.environ['PATH']}"}


def run(command: str, env: dict[str, str], *, folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder or env["HOME"],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def succeed(command: str, env: dict[str, str], *, folder: Path | None = None) -> str:
    done = run(command, env, folder=folder)
    assert done.returncode == 0, f"{command}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
    return done.stdout
