"""Build dist/newsletter-linux-x86_64, which runs all commands with nothing installed: python -m scripts.one_file.build

It has two parts. An archive of a whole Python with the product and the libraries that `requirements/runtime.txt` pins; and a
small launcher, which unpacks the archive at its first start and runs it. All that is needed comes from PyPI and from the Python
that runs this. The program needs zlib, and the C library of this machine's version or a newer one, so build it on an old system.
Results of the steps stay in build/one-file, so an interrupted build continues where it stopped.
"""

import hashlib
import json
import platform
import shutil
import subprocess
import sys
import tarfile
import venv
from pathlib import Path
from typing import NamedTuple

from scripts.one_file.steps import Steps, make_key, remove
from scripts.one_file.tree import find_newest_c_library, make_tree
from scripts.release import ROOT, read_version

TOOLS = ("pyinstaller>=6.22,<7", "patchelf>=0.17.2,<1", "zstandard>=0.25,<1")
LAUNCHER = Path(__file__).with_name("launcher.py")
NAME = f"newsletter-linux-{platform.machine()}"
WORK = ROOT / "build/one-file"
_EXCLUDED = [
    "ssl",
    "_ssl",
    "_hashlib",
    "multiprocessing",
    "asyncio",
    "unittest",
    "xml",
    "email",
    "http",
    "sqlite3",
    "readline",
    "curses",
]
_SPEC = """
a = Analysis([{launcher!r}], datas=[({packed!r}, '.')], excludes={excluded!r})
exe = EXE(PYZ(a.pure), a.scripts, a.binaries, a.datas, name='launcher', append_pkg=False, strip=True, upx=False)
"""


class Product(NamedTuple):
    """The folder with Python, the product and its libraries; what it was made of; and the Python that has the tools."""

    tree: Path
    key: str
    tools: Path


def main() -> int:
    steps = Steps(WORK)
    file = build(steps, out=ROOT / "dist" / NAME)
    sys.stdout.write(f"{file.relative_to(ROOT)}: {file.stat().st_size:,} bytes, sha256 {_hash(file)}\n")
    return 0


def build(steps: Steps, *, out: Path) -> Path:
    """Build the file and return it. The steps that an interrupted build finished are not done again."""
    made = build_tree(steps)
    archive = steps.keep(
        "archive.tar.zst", key=made.key, make=lambda file: _compress(made.tree, file, python=made.tools)
    )
    with steps.run("launcher"):
        launcher = _build_launcher(made.tools, work=steps.folder, archive=archive)
    _join((launcher, archive, launcher.with_suffix(".pkg")), out)
    return out


def build_tree(steps: Steps) -> Product:
    """Build the folder that the one file unpacks and that the Debian package installs."""
    python = make_key(sys.version, sys.executable)
    libraries, of_tree = ROOT / "requirements/runtime.txt", Path(make_tree.__code__.co_filename)
    product = steps.keep("product", key=make_key(python, libraries), make=_install_libraries)
    tools = steps.keep("tools", key=make_key(python, *TOOLS), make=_install_tools)
    with steps.run("wheel"):
        wheel = _build_wheel(steps.folder / "wheel")
        _pip(product / "bin/python", "--no-deps", "--force-reinstall", str(wheel))
    (site_packages,) = (product / "lib").glob("python3*/site-packages")
    key = make_key(python, libraries, wheel, of_tree)
    patchelf = tools / "bin/patchelf"
    tree = steps.keep(
        "tree", key=key, make=lambda made: make_tree(made, site_packages=site_packages, patchelf=patchelf)
    )
    sys.stdout.write(f"It needs the GNU C library {find_newest_c_library(tree)} or newer.\n")
    return Product(tree, key, tools / "bin/python")


def _install_libraries(environment: Path) -> None:
    _pip(_make_environment(environment), "--require-hashes", "-r", str(ROOT / "requirements/runtime.txt"))


def _install_tools(environment: Path) -> None:
    _pip(_make_environment(environment), *TOOLS)


def _build_wheel(folder: Path) -> Path:
    remove(folder)
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _compress(tree: Path, archive: Path, *, python: Path) -> None:
    tar = _write_tar(tree, archive.with_suffix(""))
    _run(str(python), "-c", _COMPRESS, str(tar), str(archive))
    tar.unlink()


def _join(parts: tuple[Path, ...], out: Path) -> None:
    """Write the parts one after another into a program that replaces ``out`` when it is complete."""
    out.parent.mkdir(exist_ok=True)
    part_file = out.with_suffix(".part")
    with part_file.open("wb") as joined:
        for part in parts:
            with part.open("rb") as source:
                shutil.copyfileobj(source, joined)
    part_file.chmod(0o755)
    part_file.replace(out)


_COMPRESS = (
    "import sys, zstandard; made = zstandard.ZstdCompressor(level=12, threads=-1); "
    "made.copy_stream(open(sys.argv[1], 'rb'), open(sys.argv[2], 'wb'))"
)


def _build_launcher(tools: Path, *, work: Path, archive: Path) -> Path:
    """Return PyInstaller's program, beside which its package lies. It knows where the archive begins in the joined file."""
    name = f"{read_version()}-{_hash(archive)[:16]}"
    launcher, start = work / "made/launcher", 0
    for _ in range(2):  # the archive begins where the program ends, and its size is known once it is made
        (work / "packed.json").write_text(json.dumps({"name": name, "start": start}), encoding="utf-8")
        spec = _SPEC.format(launcher=str(LAUNCHER), packed=str(work / "packed.json"), excluded=_EXCLUDED)
        (work / "launcher.spec").write_text(spec, encoding="utf-8")
        options = ("--log-level", "WARN", "--clean", "--noconfirm", "--distpath", str(launcher.parent))
        _run(str(tools), "-m", "PyInstaller", *options, "--workpath", str(work / "making"), str(work / "launcher.spec"))
        start, before = launcher.stat().st_size, start
    if start != before:
        raise RuntimeError("PyInstaller's program has another size each time, so the archive would not be found.")
    return launcher


def _write_tar(tree: Path, file: Path) -> Path:
    """Write the folder's files in order of their names, without times and owners."""

    def clean(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = 0, 0, 0, "", ""
        return entry

    with tarfile.open(file, "w", format=tarfile.GNU_FORMAT) as archive:
        for path in sorted(tree.rglob("*")):
            archive.add(path, path.relative_to(tree).as_posix(), recursive=False, filter=clean)
    return file


def _make_environment(folder: Path) -> Path:
    """Make a virtual environment and return its interpreter."""
    venv.create(folder, with_pip=True)
    return folder / "bin/python"


def _pip(python: Path, *arguments: str) -> None:
    _run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments)


def _hash(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _run(*command: str, cwd: Path | None = None, quiet: bool = False) -> str:
    out = subprocess.PIPE if quiet else None
    return (subprocess.run(command, cwd=cwd, stdout=out, text=True, check=True).stdout or "").strip()  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
