"""Print the test files nearest to your changes, for `make check`: python -m tests.support.nearest_tests

Changes are what differs from where the branch left `main`, committed or not. A test file is nearer if fewer imports lie
between it and a changed module. It prints as many files as run in a short time. `make test` and CI run all of them.
"""

import os
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from statistics import median

from grimp import ImportGraph, build_graph

from tests.support.file_times import ROOT, read_file_times

FOLDERS = ("tests/unit/", "tests/db/", "tests/web/", "tests/contract/")
MAIN = "main"
SECONDS = 40.0 * (os.cpu_count() or 1)
"""What the chosen files may take one after another."""
UNKNOWN_SECONDS = 3.0
"""What a file is believed to take while no file ran here."""
NAMED = 2
"""A file of data, a template or a document is as near to the tests that name it as a module two imports away."""


def list_changes(root: Path, *, main: str = MAIN) -> list[str]:
    """Return the paths of changed, new and deleted files."""
    base = _ask_git(root, "merge-base", "HEAD", main) or ["HEAD"]
    changed = _ask_git(root, "diff", "--name-only", base[0])
    return sorted({*changed, *_ask_git(root, "ls-files", "--others", "--exclude-standard")})


def _ask_git(root: Path, *arguments: str) -> list[str]:
    answer = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    return answer.stdout.splitlines() if answer.returncode == 0 else []


def measure_distances(changes: Collection[str], *, graph: ImportGraph, root: Path) -> dict[str, int]:
    """Return how many imports lie between each test file and the nearest change. Other test files are left out."""
    found: dict[str, int] = {}
    near = {module for path in changes if (module := _name_module(path)) in graph.modules}
    seen: set[str] = set()
    distance = 0
    while near:
        seen |= near
        for module in near:
            if path := _find_test_file(module):
                found.setdefault(path, distance)
        near = {importer for module in near for importer in graph.find_modules_that_directly_import(module)} - seen
        distance += 1
    names = {Path(path).name for path in changes if not path.endswith(".py")}
    for folder in FOLDERS if names else ():
        for file in root.joinpath(folder).rglob("test_*.py"):
            text = file.read_text(encoding="utf-8")
            if any(name in text for name in names):
                path = str(file.relative_to(root))
                found[path] = min(found.get(path, NAMED), NAMED)
    return found


def choose_files(distances: Mapping[str, int], *, times: Mapping[str, float], seconds: float) -> list[str]:
    """Return the nearest files that take no longer in all, and always those that changed themselves."""
    unknown = median(times.values()) if times else UNKNOWN_SECONDS
    chosen, left = [], seconds
    for path, distance in sorted(distances.items(), key=lambda item: (item[1], times.get(item[0], unknown), item[0])):
        left -= times.get(path, unknown)
        if left >= 0 or distance == 0:
            chosen.append(path)
    return chosen


def _name_module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _find_test_file(module: str) -> str:
    path = module.replace(".", "/") + ".py"
    return path if path.startswith(FOLDERS) and Path(path).name.startswith("test_") else ""


def main() -> None:
    changes = list_changes(ROOT)
    graph = build_graph("newsletter", "subscribers", "tests", cache_dir=str(ROOT / ".pytest_cache" / "imports"))
    distances = measure_distances(changes, graph=graph, root=ROOT)
    chosen = choose_files(distances, times=read_file_times(), seconds=SECONDS)
    sys.stderr.write(
        f"{len(changes)} changed files. {len(distances)} test files use them; these are the nearest {len(chosen)}. "
        "`make test` runs all.\n"
    )
    sys.stdout.write("\n".join(chosen))


if __name__ == "__main__":
    main()
