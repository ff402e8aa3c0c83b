"""Build the wheel and the source archive, and check what is in them. `tests/packaging/check.py` installs and runs them."""

import hashlib
import os
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("newsletter", "subscribers")
TEMPLATES, TEMPLATES_IN_WHEEL = "templates", "newsletter/_templates"
EPOCH = "1577836800"  # 2020-01-01: the archives' times, whenever they are built
NOT_AT_RUN_TIME = {".po", ".pyc"}


def build(target: str, *, source: Path, out: Path) -> Path:
    """Build a "wheel" or an "sdist" of the project in ``source``, and return its file. Raises RuntimeError."""
    out.mkdir(parents=True, exist_ok=True)
    before = set(out.iterdir())
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(out)],
        cwd=source,
        env={**os.environ, "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", EPOCH)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode:
        raise RuntimeError(f"The {target} could not be built: {done.stderr}")
    (made,) = set(out.iterdir()) - before
    return made


def unpack(sdist: Path, *, to: Path) -> Path:
    """Unpack a source archive and return the folder of the project."""
    with tarfile.open(sdist) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # an argument would need Python 3.11.4
        archive.extractall(to)
    (project,) = to.iterdir()
    return project


def list_needed_files() -> set[str]:
    """Return every file that the program may read, as named in the wheel."""
    needed = set()
    for package in PACKAGES:
        needed |= {path.relative_to(ROOT).as_posix() for path in (ROOT / package).rglob("*") if _is_needed(path)}
    for path in (ROOT / TEMPLATES).rglob("*"):
        if _is_needed(path):
            needed.add(f"{TEMPLATES_IN_WHEEL}/{path.relative_to(ROOT / TEMPLATES).as_posix()}")
    return needed


def list_wheel_files(wheel: Path) -> set[str]:
    """Return the files of a wheel, without those that describe it."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def read_requirements(wheel: Path) -> tuple[list[str], set[str]]:
    """Return what is installed with the wheel if no extra is asked for, and the names of its extras."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    required = metadata.get_all("Requires-Dist") or []
    return [one for one in required if "extra ==" not in one], set(metadata.get_all("Provides-Extra") or [])


def hash_file(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _is_needed(path: Path) -> bool:
    return path.is_file() and path.suffix not in NOT_AT_RUN_TIME and not path.name.startswith(".")
