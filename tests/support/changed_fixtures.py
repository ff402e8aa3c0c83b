"""Find the test files that use the fixtures of a changed plugin or `conftest.py`. No import leads from one to the other."""

import ast
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

CONFTEST = "tests/conftest.py"


class Fixture(NamedTuple):
    """``uses`` are the names of its arguments. An ``automatic`` fixture runs in every test, and so does a hook of pytest."""

    name: str
    uses: frozenset[str]
    automatic: bool


def find_users(changes: Collection[str], *, root: Path, folders: Collection[str]) -> set[str]:
    """Return the test files in these folders that use a fixture of a changed file, also through another fixture."""
    plugins = _list_plugins(root)
    found: set[str] = set()
    for path in changes:
        if not root.joinpath(path).is_file() or (path not in plugins and Path(path).name != "conftest.py"):
            continue
        near = "" if path in plugins else f"{Path(path).parent}/"
        names = _follow(_read_fixtures(root / path), plugins=plugins, root=root)
        for folder in folders:
            for file in root.joinpath(folder).rglob("test_*.py"):
                user = str(file.relative_to(root))
                if user.startswith(near) and (names is None or names & _read_words(file)):
                    found.add(user)
    return found


def _list_plugins(root: Path) -> list[str]:
    """Return the files whose fixtures every test can use: that of all tests, and those it names in `pytest_plugins`."""
    file = root / CONFTEST
    for node in ast.parse(file.read_text(encoding="utf-8")).body if file.exists() else ():
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytest_plugins":
            return [CONFTEST, *(f"{name.replace('.', '/')}.py" for name in ast.literal_eval(node.value))]
    return [CONFTEST]


def _follow(fixtures: list[Fixture], *, plugins: list[str], root: Path) -> set[str] | None:
    """Return the names of these fixtures and of those that use them, or None if every test uses one."""
    others = [fixture for path in plugins if (root / path).exists() for fixture in _read_fixtures(root / path)]
    reached: list[Fixture] = []
    left = fixtures
    while left:
        reached += left
        names = {fixture.name for fixture in reached}
        left = [fixture for fixture in others if fixture not in reached and fixture.uses & names]
    return None if any(fixture.automatic for fixture in reached) else {fixture.name for fixture in reached}


def _read_fixtures(file: Path) -> list[Fixture]:
    return list(_find_fixtures(ast.parse(file.read_text(encoding="utf-8"))))


def _find_fixtures(module: ast.Module) -> Iterator[Fixture]:
    for node in module.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        marks = [text for mark in node.decorator_list if (text := ast.unparse(mark)).startswith("pytest.fixture")]
        is_hook = node.name.startswith("pytest_")
        if marks or is_hook:
            uses = frozenset(argument.arg for argument in node.args.args)
            yield Fixture(node.name, uses, is_hook or any("autouse=True" in mark for mark in marks))


def _read_words(file: Path) -> set[str]:
    return set(re.findall(r"\w+", file.read_text(encoding="utf-8")))
