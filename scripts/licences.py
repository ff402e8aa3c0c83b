"""Write docs/reference/licences.md, and fail if a library has a licence that nobody allowed: python -m scripts.licences

The libraries are those of `requirements/runtime.txt`; their licences are what the installed packages say of themselves.
"""

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements/runtime.txt"
PAGE = ROOT / "docs/reference/licences.md"
# A program under the MIT licence may be given away together with these. Libraries under the LGPL or MPL stay replaceable.
ALLOWED = (
    r"MIT(-0|-CMU)?( License)?",
    r"(The )?(0|[A-Za-z])?BSD([- ]?[0-9]-Clause)?( License|-like)?",
    r"The BSD 2-Clause License",
    r"Apache([- ](License |Software License)?2\.0| Software License)?",
    r"ISC( License \(ISCL\))?",
    r"MPL-(1\.1|2\.0)|Mozilla Public License (1\.1|2\.0) \(MPL (1\.1|2\.0)\)",
    r"LGPL-[0-9.]+-(only|or-later)",
    r"GNU Lesser General Public License v[23]( or later)? \(LGPLv[23]\+?\)",
    r"PSF-2\.0|PSFL|Python Software Foundation License|CNRI-Python",
    r"(The )?Unlicense( \(Unlicense\))?",
    r"W3C License",
)
IN_A_FILE = {"imapclient": ["BSD-3-Clause"]}
"""What a library says only in a file of its package, which somebody read."""
HEAD = """# Licences of the libraries

The program is under the [MIT licence](../../LICENSE). It needs these libraries, in the versions of `requirements/runtime.txt`.
Some contain parts under further licences, as their own files say. Several names in a row are a choice.
`python -m scripts.licences` writes this page, and fails if a library has a licence that is not allowed there.

| library | licence |
|---|---|
"""
_PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==", re.MULTILINE)


def main() -> int:
    found = {name: licences for name in read_names() if (licences := read_licences(name)) is not None}
    rows = "".join(f"| {name} | {', '.join(licences) or 'unknown'} |\n" for name, licences in found.items())
    PAGE.write_text(HEAD + rows, encoding="utf-8")
    refused = [
        f"{name}: {', '.join(licences) or 'unknown'}" for name, licences in found.items() if not is_allowed(licences)
    ]
    if refused:
        sys.stderr.write(
            "Licences that nobody allowed. Remove the library, or allow the licence: " + "; ".join(refused) + "\n"
        )
    return int(bool(refused))


def read_names() -> list[str]:
    """Return the libraries that the program is installed with, on any machine."""
    return _PINNED.findall(LOCK.read_text(encoding="utf-8"))


def read_licences(name: str) -> list[str] | None:
    """Return what a library says of its licence, or None if it is not for this machine. Several are alternatives."""
    try:
        return name_licences(distribution(name))
    except PackageNotFoundError:
        return None


def name_licences(library: Distribution) -> list[str]:
    """Return what an installed library says of its licence. Several are alternatives."""
    said = library.metadata
    if expression := said.get("License-Expression"):
        return [expression]
    classifiers = [
        line.rpartition(" :: ")[2] for line in said.get_all("Classifier") or [] if line.startswith("License")
    ]
    line = (said.get("License") or "").strip().partition("\n")[0]
    named = classifiers if any(map(_is_known, classifiers)) or not line else [*classifiers, line]
    return list(dict.fromkeys(named or IN_A_FILE.get(library.name.lower(), [])))


def is_allowed(licences: list[str]) -> bool:
    """Return True if one of the alternatives is allowed, with all that it combines."""
    return any(
        all(_is_known(part) for part in re.split(r" AND ", alternative))
        for licence in licences
        for alternative in _alternatives(licence)
    )


def _alternatives(licence: str) -> list[str]:
    """Return the alternatives of an expression. One in parentheses after AND is replaced by its first allowed name."""
    inner = re.search(r"\(([^()]*)\)", licence)
    if inner and " AND " in licence and " OR " in inner[1]:
        return [licence.replace(inner[0], one) for one in inner[1].split(" OR ")]
    return re.split(r" OR ", licence)


def _is_known(licence: str) -> bool:
    return any(re.fullmatch(pattern, licence.strip()) for pattern in ALLOWED)


if __name__ == "__main__":
    sys.exit(main())
