"""Print the test files nearest to your changes, for `make check`: python -m tests.support.nearest_tests

Changes are what differs from where the branch left the upstream of `main`, committed or not. Without an upstream, `main` is
meant. A test file is nearer if fewer imports lie between it and a changed module. It prints as many files as run in a short
time, or a few fixed ones if no file is near. `make test` and CI run all of them.
"""

import os
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from statistics import fmean

from grimp import ImportGraph, build_graph

from tests.support.changed_fixtures import find_users
from tests.support.file_times import ROOT, read_file_times

FOLDERS = ("tests/unit/", "tests/db/", "tests/web/", "tests/contract/")
FIXED_FILES = ("tests/unit/test_docs.py", "tests/unit/rendering/test_golden.py", "tests/db/test_schema.py")
"""What runs if no test file is near a change."""
TEMPLATES = "templates/email/"
TEMPLATE_READER = "newsletter.rendering.templates"
TEMPLATE_TESTS = "tests/unit/rendering"
"""The tests of this folder always run after a change of an email template. Few of them name the template."""
MAIN = "main"
SECONDS = 40.0 * (os.cpu_count() or 1)
"""What the chosen files may take one after another."""
UNKNOWN_SECONDS = 4.0
"""What a file is believed to take while no other file of its folder ran here."""
NAMED = 2
"""A file of data, a template or a document is as near to the tests that name it as a module two imports away."""
USES_FIXTURE = 1
"""A test file that uses a changed fixture is as near as one that imports its module."""


def list_changes(root: Path, *, main: str = MAIN) -> list[str]:
    """Return the paths of changed, new and deleted files."""
    upstream = _ask_git(root, "rev-parse", "--abbrev-ref", f"{main}@{{upstream}}") or [main]
    base = _ask_git(root, "merge-base", "HEAD", upstream[0]) or ["HEAD"]
    changed = _ask_git(root, "diff", "--name-only", base[0])
    return sorted({*changed, *_ask_git(root, "ls-files", "--others", "--exclude-standard")})


def _ask_git(root: Path, *arguments: str) -> list[str]:
    answer = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    return answer.stdout.splitlines() if answer.returncode == 0 else []


def measure_distances(changes: Collection[str], *, graph: ImportGraph, root: Path) -> dict[str, int]:
    """Return how many imports lie between each test file and the nearest change. Other test files are left out."""
    found: dict[str, int] = {}
    near = {module for path in changes if (module := _find_module(path)) in graph.modules}
    seen: set[str] = set()
    distance = 0
    while near:
        seen |= near
        for module in near:
            if path := _find_test_file(module):
                found.setdefault(path, distance)
        near = {importer for module in near for importer in graph.find_modules_that_directly_import(module)} - seen
        distance += 1
    for path in find_users(changes, root=root, folders=FOLDERS):
        found[path] = min(found.get(path, USES_FIXTURE), USES_FIXTURE)
    if any(path.startswith(TEMPLATES) for path in changes):
        found |= {str(file.relative_to(root)): 0 for file in root.joinpath(TEMPLATE_TESTS).rglob("test_*.py")}
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
    known = {folder: [took for path, took in times.items() if path.startswith(folder)] for folder in FOLDERS}
    usual = {folder: fmean(found) if found else UNKNOWN_SECONDS for folder, found in known.items()}

    def estimate(path: str) -> float:
        return times.get(path) or next(took for folder, took in usual.items() if path.startswith(folder))

    chosen, left = [], seconds
    for path, distance in sorted(distances.items(), key=lambda item: (item[1], estimate(item[0]), item[0])):
        left -= estimate(path)
        if left >= 0 or distance == 0:
            chosen.append(path)
    return chosen


def _find_module(path: str) -> str:
    """Return the module in this file, or the one that reads it if it is an email template."""
    if path.startswith(TEMPLATES):
        return TEMPLATE_READER
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _find_test_file(module: str) -> str:
    path = module.replace(".", "/") + ".py"
    return path if path.startswith(FOLDERS) and Path(path).name.startswith("test_") else ""


def choose_for(
    changes: Collection[str], distances: Mapping[str, int], *, times: Mapping[str, float]
) -> tuple[list[str], str]:
    """Return the files to run, and a sentence about them."""
    chosen = choose_files(distances, times=times, seconds=SECONDS)
    if not chosen:
        message = f"{len(changes)} changed files. No test file is near them; {len(FIXED_FILES)} fixed ones run."
        return list(FIXED_FILES), message
    uses = f"{len(distances)} test files use them; these are the nearest {len(chosen)}."
    return chosen, f"{len(changes)} changed files. {uses}"


def main() -> None:
    changes = list_changes(ROOT)
    graph = build_graph("newsletter", "subscribers", "tests", cache_dir=str(ROOT / ".pytest_cache" / "imports"))
    distances = measure_distances(changes, graph=graph, root=ROOT)
    chosen, message = choose_for(changes, distances, times=read_file_times())
    sys.stderr.write(f"{message} `make test` runs all.\n")
    sys.stdout.write("\n".join(chosen))


if __name__ == "__main__":
    main()
