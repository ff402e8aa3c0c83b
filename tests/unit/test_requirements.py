"""Every requirement of docs/reference/requirements.md has a test that is marked with its id, and no mark has an unknown id."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import TypeGuard

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs/reference/requirements.md"
_ROW = re.compile(r"^\| ([A-Z]\d+) \| (.+) \|$", re.MULTILINE)


@cache
def list_marks() -> set[str]:
    marks = set()
    for source in [text for file in TESTS.rglob("*.py") if "mark.requirement(" in (text := file.read_text("utf-8"))]:
        for node in ast.walk(ast.parse(source)):
            if _is_mark(node):
                marks |= {str(argument.value) for argument in node.args if isinstance(argument, ast.Constant)}
    return marks


def _is_mark(node: ast.AST) -> TypeGuard[ast.Call]:
    """Compare the name first: writing each function as text again takes long."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "requirement"
        and ast.unparse(node.func) == "pytest.mark.requirement"
    )


def test_every_requirement_has_a_test_or_says_that_it_is_not_done() -> None:
    rows = _ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert len({name for name, _ in rows}) == len(rows) > 100
    assert [name for name, promise in rows if not promise.startswith("Not done") and name not in list_marks()] == []


def test_every_mark_names_a_requirement_of_the_page() -> None:
    assert list_marks() <= {name for name, _ in _ROW.findall(PAGE.read_text(encoding="utf-8"))}
