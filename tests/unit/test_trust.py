"""docs/trust.md says of every requirement that names readers which tests hold it, or that it is not done."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINE = re.compile(r"^\| ([A-Z]\d+) \| ([^|]*) \| ([^|]*) ?\|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
HOW_MANY = {"U": 11, "K": 7, "A": 7, "S": 6, "D": 3, "P": 14, "V": 10}
BESIDE = ["T2", "T4", "G7", "G8", "G11", "C3"]


def read_table() -> dict[str, tuple[str, list[tuple[str, str]]]]:
    text = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")
    return {name: (promise, TEST.findall(tests)) for name, promise, tests in LINE.findall(text)}


def test_every_requirement_has_a_line_with_a_test_or_says_that_it_is_not_done() -> None:
    table = read_table()
    assert (
        list(table)
        == [f"{letter}{number}" for letter, most in HOW_MANY.items() for number in range(1, most + 1)] + BESIDE
    )
    assert [name for name, (promise, tests) in table.items() if not tests and "not done" not in promise] == []


def test_every_test_that_is_named_is_there() -> None:
    for _, tests in read_table().values():
        for path, name in tests:
            module = (ROOT / path).read_text(encoding="utf-8")
            assert re.search(rf"^def {name}\(", module, re.MULTILINE), f"{path} has no test {name}"
