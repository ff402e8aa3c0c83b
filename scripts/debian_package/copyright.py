"""Who wrote what the Debian package contains, and under which licence."""

import re
import subprocess
from importlib.metadata import Distribution, distributions
from pathlib import Path

from scripts.licences import name_licences
from scripts.release import ROOT

DOCUMENTS = Path("/usr/share/doc")
_LICENCE_FILE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS)", re.IGNORECASE)
_OF_PYTHON = re.compile(r"libpython.*")
_HEAD = """Newsletter, with Python and the libraries that it needs.

{own}

The package contains these programs of others, unchanged. Each file named here has the whole licence.

Python ({python})
"""


def describe_licences(tree: Path, *, program: str) -> str:
    """Return the text of the file `copyright`. ``program`` is the folder in which the tree is installed."""
    (site_packages,) = tree.glob("lib/python3*/site-packages")
    (python,) = site_packages.parent.glob("LICENSE.txt")
    text = _HEAD.format(
        own=(ROOT / "LICENSE").read_text(encoding="utf-8").strip(), python=_place(python, tree, program)
    )
    for found in sorted(distributions(path=[str(site_packages)]), key=lambda found: found.name.lower()):
        if found.name != "newsletter":
            text += _describe(found, site_packages=site_packages, tree=tree, program=program)
    for name in find_library_licences(tree):
        text += f"\n{name} (/usr/share/doc/newsletter/libraries/{name})\n"
    return text


def find_library_licences(tree: Path) -> dict[str, Path]:
    """Return the licence of each shared library that was copied from this system, by its name. Raise FileNotFoundError."""
    found = {}
    for library in sorted(path for path in (tree / "lib").glob("*.so*") if not _OF_PYTHON.fullmatch(path.name)):
        licence = DOCUMENTS / _find_package(library.name) / "copyright"
        if not licence.is_file():
            raise FileNotFoundError(
                f"{licence} is missing, so the package cannot say under which licence {library.name} is."
            )
        found[library.name] = licence
    return found


def _find_package(library: str) -> str:
    said = subprocess.run(["dpkg-query", "--search", f"*/{library}"], capture_output=True, text=True, check=True).stdout  # noqa: S603, S607
    return said.partition(":")[0].partition(",")[0]


def _describe(found: Distribution, *, site_packages: Path, tree: Path, program: str) -> str:
    licences = ", ".join(name_licences(found)) or "see its files"
    files = [
        _place(site_packages / str(file), tree, program)
        for file in found.files or ()
        if ".dist-info" in file.parts[0] and _LICENCE_FILE.match(file.name) and (site_packages / str(file)).is_file()
    ]
    return f"\n{found.name} {found.version}: {licences}\n" + "".join(f"  {file}\n" for file in sorted(files))


def _place(file: Path, tree: Path, program: str) -> str:
    return f"/{program}/{file.relative_to(tree).as_posix()}"
