"""The entry points of all installed packages, read once. Nothing is imported.

In a checkout, our own are those of ``pyproject.toml``, because an installation of before does not know later ones.
"""

import tomllib
from functools import lru_cache
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from pathlib import Path
from typing import cast

OWN_PACKAGE = "newsletter"
_PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def list_entry_points(group: str) -> list[tuple[str, EntryPoint]]:
    """Return the package and the entry point of each extension of a group: our own first, the others by package."""
    pairs = [(entry.dist.name if entry.dist is not None else "", entry) for entry in _read().select(group=group)]
    foreign = sorted((pair for pair in pairs if pair[0] != OWN_PACKAGE), key=lambda pair: (pair[0], pair[1].name))
    checkout = _read_checkout(_PYPROJECT)
    if checkout is None:
        ours = [pair for pair in pairs if pair[0] == OWN_PACKAGE]
    else:
        ours = [(OWN_PACKAGE, entry) for entry in checkout.select(group=group)]
    return [*sorted(ours, key=lambda pair: pair[1].name), *foreign]


@lru_cache(maxsize=1)
def _read() -> EntryPoints:
    # Python 3.11 returns another class, which has the same ``select``.
    return cast(EntryPoints, entry_points())


@lru_cache(maxsize=1)
def _read_checkout(pyproject: Path) -> EntryPoints | None:
    """Return the entry points that a checkout declares, or None if this is no checkout."""
    if not pyproject.is_file():
        return None
    project = tomllib.loads(pyproject.read_text(encoding="utf-8")).get("project", {})
    if project.get("name") != OWN_PACKAGE:
        return None
    declared = project.get("entry-points", {})
    return EntryPoints(
        EntryPoint(name=name, value=value, group=group)
        for group, entries in declared.items()
        for name, value in entries.items()
    )
