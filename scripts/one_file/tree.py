"""A folder with Python, the product and all libraries, which works wherever it is put."""

import csv
import os
import re
import shutil
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

_LEFT_OUT_OF_PYTHON = shutil.ignore_patterns(
    "__pycache__", "site-packages", "dist-packages", "test", "tests", "idlelib", "tkinter", "turtle*", "lib2to3",
    "ensurepip", "config-*", "*.a", "pydoc_data",
    # Modules that the product does not use and whose libraries would come with them.
    "_tkinter.*", "readline.*", "_curses*", "nis.*", "_gdbm.*", "_dbm.*", "_test*", "ossaudiodev.*",
)  # fmt: skip
_LEFT_OUT_OF_LIBRARIES = ("*.po", "*.pyi", "*.a", "*.c", "*.h", "*.pyx", "*.pxd", "*.map")
_NOT_AT_RUN_TIME = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "wheel")
_SES_ONLY = ("ses", "sesv2", "sts", "sns")
_OF_THE_C_LIBRARY = re.compile(
    r"(ld-linux.*|lib(c|m|mvec|dl|pthread|rt|util|resolv|nss_.*|nsl|anl|thread_db)\.so.*|linux-vdso.*)"
)
_FOUND = re.compile(r"^\s*(\S+) => (/\S+) ", re.MULTILINE)


def make_tree(folder: Path, *, site_packages: Path, patchelf: Path) -> None:
    """Fill the empty ``folder``. ``site_packages`` has the product and its libraries, ``patchelf`` is the program."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    standard_library = folder / "lib" / name
    shutil.copytree(sysconfig.get_path("stdlib"), standard_library, ignore=_LEFT_OUT_OF_PYTHON)
    shutil.copytree(site_packages, standard_library / "site-packages", ignore=shutil.ignore_patterns("__pycache__"))
    _drop_what_nothing_reads(standard_library / "site-packages")
    python = folder / "bin/python3"
    python.parent.mkdir()
    shutil.copy(Path(sys.executable).resolve(), python)
    libraries = folder / "lib"
    copied = _list_libraries([python, *standard_library.rglob("*.so*")])
    for library, file in copied.items():
        shutil.copy(file, libraries / library)
    for file in (python, *libraries.glob("*.so*")):
        _run("strip", "--strip-unneeded", str(file))
    for file in list(_list_binaries(folder)):
        if copied.keys() & set(_run(str(patchelf), "--print-needed", str(file)).split()):
            _add_search_path(file, libraries=libraries, patchelf=patchelf)
    name_libraries(standard_library / "site-packages", searched=_list_searched(python))
    _compile(folder, python)
    for path in folder.rglob("*"):  # the umask of whoever builds does not count
        if not path.is_symlink():
            is_program = path.stat().st_mode & stat.S_IXUSR and ".so" not in path.suffixes
            path.chmod(0o755 if path.is_dir() or is_program else 0o644)


def find_newest_c_library(folder: Path) -> str:
    """Return the newest version of the GNU C library that a file in the folder needs."""
    found = {(0, 0)}
    for file in _list_binaries(folder):
        found |= {(int(major), int(minor)) for major, minor in re.findall(rb"GLIBC_(\d+)\.(\d+)", file.read_bytes())}
    return ".".join(map(str, max(found)))


def name_libraries(site_packages: Path, *, searched: list[Path]) -> None:
    """Let a Python that searches other folders find ``site_packages``. Debian's own Python searches dist-packages."""
    if site_packages not in searched:
        folder = searched[-1]
        folder.mkdir(parents=True)
        line = os.path.relpath(site_packages, folder)
        (folder / "newsletter.pth").write_text(f"{line}\n", encoding="utf-8")


def _list_searched(python: Path) -> list[Path]:
    """Return the folders in which this Python looks for libraries."""
    ask = "import site; print(*site.getsitepackages(), sep='\\n')"
    return [Path(line) for line in _run(str(python), "-I", "-B", "-c", ask).splitlines()]  # -B: see _compile


def _drop_what_nothing_reads(site_packages: Path) -> None:
    for pattern in _LEFT_OUT_OF_LIBRARIES:
        for file in list(site_packages.rglob(pattern)):
            file.unlink()
    for folder in [path for path in site_packages.rglob("tests") if path.is_dir()]:
        shutil.rmtree(folder)
    for name in _NOT_AT_RUN_TIME:
        for path in (site_packages / name, *site_packages.glob(f"{name}-*.dist-info")):
            shutil.rmtree(path, ignore_errors=True)
    (site_packages / "distutils-precedence.pth").unlink(missing_ok=True)  # of setuptools
    for record in site_packages.glob("*.dist-info/RECORD"):
        _forget_build_folder(record)
    services = site_packages / "botocore/data"
    for path in list(services.iterdir()):
        if path.is_dir() and path.name not in _SES_ONLY:
            shutil.rmtree(path)


def _forget_build_folder(record: Path) -> None:
    """Drop what names the folder of the build: the scripts of the environment, and where the wheel was."""
    (record.parent / "direct_url.json").unlink(missing_ok=True)
    with record.open(newline="", encoding="utf-8") as opened:
        rows = [row for row in csv.reader(opened) if not row[0].startswith("../") and "direct_url" not in row[0]]
    with record.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened, lineterminator="\n").writerows(sorted(rows))


def _list_libraries(files: list[Path]) -> dict[str, Path]:
    """Return the shared libraries of this machine that the files need, but for those of the C library, by their names."""
    found: dict[str, Path] = {}
    for file in files:
        said = subprocess.run(["ldd", str(file)], capture_output=True, text=True, check=False).stdout  # noqa: S603, S607
        for name, path in _FOUND.findall(said):
            if not _OF_THE_C_LIBRARY.fullmatch(name) and "site-packages" not in path:
                found[name] = Path(path)
    return found


def _add_search_path(file: Path, *, libraries: Path, patchelf: Path) -> None:
    """Let this program or module find our copies of the libraries, after those that its own package brings."""
    own = [path for path in _run(str(patchelf), "--print-rpath", str(file)).split(":") if path.startswith("$ORIGIN")]
    paths = [*own, f"$ORIGIN/{os.path.relpath(libraries, file.parent)}"]
    # An RPATH, unlike a RUNPATH, is also used for the libraries that this one loads.
    _run(str(patchelf), "--force-rpath", "--set-rpath", ":".join(paths), str(file))


def _compile(folder: Path, python: Path) -> None:
    """Compile everything once, so that no start writes into the folder. The files' times and the folder's place do not count."""
    # Without -B, Python keeps modules of its own while it compiles, with the time of their source in them.
    command = (str(python), "-I", "-B", "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash")
    places = ("-s", str(folder), "-p", "/")  # Python sets the real place when it imports
    subprocess.run([*command, *places, str(folder / "lib")], check=False, stdout=subprocess.DEVNULL)  # noqa: S603 - some are samples of bad code


def _list_binaries(folder: Path) -> Iterator[Path]:
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            with file.open("rb") as opened:
                if opened.read(4) == b"\x7fELF":
                    yield file


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()  # noqa: S603
