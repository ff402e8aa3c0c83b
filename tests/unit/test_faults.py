"""docs/faults.md says of every fault F1 to F24 which tests prove that it is survived."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINE = re.compile(r"^\| (F\d+) \|.*\| ([^|]*) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def read_table() -> dict[str, list[tuple[str, str]]]:
    text = (ROOT / "docs" / "faults.md").read_text()
    return {fault: TEST.findall(cell) for fault, cell in LINE.findall(text)}


def test_every_fault_has_a_line_with_a_test() -> None:
    table = read_table()
    assert list(table) == [f"F{number}" for number in range(1, 25)]
    assert [fault for fault, tests in table.items() if not tests] == []


def test_every_test_that_is_named_is_there_and_says_which_fault_it_is_about() -> None:
    for fault, tests in read_table().items():
        named = False
        for path, name in tests:
            module = (ROOT / path).read_text()
            assert re.search(rf"^def {name}\(", module, re.MULTILINE), f"{path} has no test {name}"
            named = named or f"_{fault.lower()}_" in name or re.search(rf"\b{fault}\b", module) is not None
        assert named, f"no test of {fault} names it"
