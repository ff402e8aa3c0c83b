"""Every import is declared with an upper bound: a new major version must be tried first."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
ALWAYS: list[str] = PROJECT["dependencies"]
DATA_ONLY = {"tzdata"}
OWN = {"newsletter", "subscribers", "benchmarks", "tests", "scripts"}
TYPES_ONLY = {"_typeshed"}
"""What type checkers bring and no program imports."""
ELSEWHERE = {ROOT / "tests/integration/wagtail_site.py", ROOT / "scripts/one_file/launcher.py"}
"""Programs that run in an environment of their own, which `tests/integration/install.py` or `scripts/one_file/build.py` makes."""
_PARTS = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?(?P<bounds>.*)")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def names(requirements: list[str]) -> set[str]:
    found = (_PARTS.fullmatch(one) for one in requirements)
    return {normal(one["name"]) for one in found if one}


def imported(*folders: str) -> set[str]:
    """The distributions whose modules the code of these folders imports."""
    modules = frozenset[str]().union(*map(modules_in, folders))
    distributions = packages_distributions()
    return {
        normal(distributions.get(module, [module])[0])
        for module in modules - OWN - TYPES_ONLY - sys.stdlib_module_names
    }


@cache
def modules_in(folder: str) -> frozenset[str]:
    """The modules that the code of a folder imports. Reading the product's whole code takes seconds of a processor."""
    files = set((ROOT / folder).rglob("*.py")) - ELSEWHERE
    return frozenset(module for file in files for module in modules_of(file))


def modules_of(file: Path) -> Iterator[str]:
    for node in list_statements(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def list_statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield all statements. Walking through their expressions too takes several times as long."""
    left: list[ast.AST] = [tree]
    while left:
        for node in ast.iter_child_nodes(left.pop()):
            if isinstance(node, ast.stmt | ast.excepthandler | ast.match_case):
                yield node
                left.append(node)


def test_imports_inside_of_any_statement_are_found(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(
        "import a\ndef f():\n  try:\n    import b\n  except E:\n    import c\n  else:\n    import d\n"
        "  finally:\n    import e\nclass G:\n  async def g(self):\n    async with h:\n      from i.j import k\n"
        "match l:\n  case 1:\n    import m\nif n:\n  pass\nelse:\n  while o:\n    import p\n"
    )
    assert set(modules_of(file)) == {*"abcdeimp"}


def test_imports_of_the_product_are_declared() -> None:
    optional = names(EXTRAS["assistant"] + EXTRAS["scale"] + EXTRAS["ses"])
    for_types = names(EXTRAS["dev"]) & {"django-stubs-ext"}
    assert imported("newsletter", "subscribers") - names(ALWAYS) <= optional | for_types
    assert optional <= imported("newsletter", "subscribers") | {"boto3"}, "botocore comes with boto3, as people know it"


def test_imports_of_the_tests_are_declared() -> None:
    assert imported("tests") <= names(ALWAYS + EXTRAS["dev"])


def test_imports_of_the_scripts_are_declared() -> None:
    assert imported("scripts") <= names([*ALWAYS, *EXTRAS["dev"], *EXTRAS["places"]])


@pytest.mark.parametrize("requirement", sorted({*ALWAYS, *(one for extra in EXTRAS.values() for one in extra)}))
def test_every_dependency_has_a_lower_and_an_upper_bound(requirement: str) -> None:
    found = _PARTS.fullmatch(requirement)
    assert found
    if normal(found["name"]) in DATA_ONLY:
        return
    assert re.fullmatch(r"==[\d.]+|>=[\d.]+,<[\d.]+", found["bounds"]), (
        f"{requirement} may become a version never tried"
    )


def test_the_extras_that_tests_need_have_the_bounds_of_the_products_own() -> None:
    for one in EXTRAS["assistant"] + EXTRAS["scale"] + EXTRAS["ses"]:
        assert one in EXTRAS["dev"]


def test_the_packages_that_the_product_is_made_of_are_kept() -> None:
    made_of = {"mjml-python", "jinja2", "premailer", "requests", "apscheduler"}
    assert made_of <= names(ALWAYS)
    assert "pytest" in names(EXTRAS["dev"])


def test_the_installed_versions_are_within_the_bounds() -> None:
    for one in ALWAYS + EXTRAS["dev"]:
        found = _PARTS.fullmatch(one)
        assert found
        cap = re.search(r"<([\d.]+)", found["bounds"])
        assert not cap or as_numbers(version(found["name"])) < as_numbers(cap[1]), one


def as_numbers(text: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", text)]
