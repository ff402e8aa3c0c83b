"""Print which distributions of an environment take how many megabytes, and what needs each: python -m scripts.installed_size

``--python PATH`` names the Python of another environment. `make wheel` prints the same of the wheel, without extras.
"""

import argparse
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement

PROGRAM = "newsletter"
LARGEST = 16
MAX_NAMES = 3
NOT_OURS = ("pip", "setuptools", "wheel")


class InstalledSize(NamedTuple):
    """One distribution: its bytes on the disk with what Python compiled, and the names of those that require it."""

    name: str
    bytes: int
    needed_by: tuple[str, ...]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="the Python of the environment (default: this one)")
    print_sizes(measure(find_site_packages(parser.parse_args(arguments).python)))


def find_site_packages(python: str) -> Path:
    """Return the folder in which that Python finds installed packages."""
    question = "import sysconfig; print(sysconfig.get_path('purelib'))"
    answer = subprocess.run(  # noqa: S603 - the environment that the caller asks about
        [python, "-c", question], check=True, capture_output=True, text=True
    )
    return Path(answer.stdout.strip())


def measure(site_packages: Path) -> list[InstalledSize]:
    """Return the distributions that the program needs there, the largest first."""
    found = {_normalise(one.metadata["Name"]): one for one in distributions(path=[str(site_packages)])}
    needed_by = _find_needed(found)
    sizes = [InstalledSize(name, _count_bytes(found[name]), tuple(sorted(by))) for name, by in needed_by.items()]
    return sorted(sizes, key=lambda size: -size.bytes)


def print_sizes(sizes: Sequence[InstalledSize]) -> None:
    """Print a table in Markdown, with one row for all distributions that are not among the largest."""
    rows = [(one.name, one.bytes, _join(one.needed_by)) for one in sizes[:LARGEST]]
    others = sizes[LARGEST:]
    rows.append((f"{len(others)} others", sum(one.bytes for one in others), ""))
    rows.append((f"all {len(sizes)}", sum(one.bytes for one in sizes), ""))
    lines = ["| distribution | MB | needed by |", "|---|---|---|"]
    lines += [f"| {name} | {size / 1e6:.1f} | {by} |" for name, size, by in rows]
    sys.stdout.write("\n".join(lines) + "\n")


def _join(names: Sequence[str]) -> str:
    """Return the names, the program first, and how many more there are."""
    ordered = sorted(names, key=lambda name: name != PROGRAM)
    more = len(ordered) - MAX_NAMES
    return ", ".join(ordered[:MAX_NAMES]) + (f" and {more} more" if more > 0 else "")


def _find_needed(found: dict[str, Distribution]) -> dict[str, set[str]]:
    """Return the program and all that it needs without extras, each with the names of those that require it."""
    needed_by: dict[str, set[str]] = defaultdict(set)
    needed_by[PROGRAM] = set()
    waiting, seen = [(PROGRAM, "")], set()
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen or name not in found:
            continue
        seen.add((name, extra))
        for requirement in _read_requirements(found[name], extra):
            other = _normalise(requirement.name)
            if other in found and other not in NOT_OURS:
                needed_by[other].add(name)
                waiting += [(other, chosen) for chosen in ("", *requirement.extras)]
    return needed_by


def _read_requirements(one: Distribution, extra: str) -> Iterable[Requirement]:
    requirements = (Requirement(line) for line in one.requires or [])
    return (each for each in requirements if each.marker is None or each.marker.evaluate({"extra": extra}))


def _count_bytes(one: Distribution) -> int:
    files = (Path(str(file.locate())) for file in one.files or [])
    return sum(file.stat().st_size for file in files if file.is_file())


def _normalise(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
