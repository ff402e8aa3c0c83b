"""The pages on email marketing law: each thing that the program does is a tested promise, all else is a duty of somebody."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted((DOCS / "reference/law").glob("*.md"))
_PROMISE = re.compile(r"\b[A-Z]\d{1,2}\b")
_DUTIES = "## What you must do"


def list_rows(page: Path) -> list[str]:
    return [line for line in page.read_text(encoding="utf-8").splitlines() if re.match(r"\| (?!the rule)\S", line)]


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_each_rule_of_a_law_page_names_a_promise_that_is_tested(page: Path) -> None:
    promises = (DOCS / "reference/requirements.md").read_text(encoding="utf-8")
    rows = list_rows(page)
    assert len(rows) >= 7
    for row in rows:
        named = _PROMISE.findall(row.rsplit("|", 2)[1])
        assert named, row
        assert [name for name in named if not re.search(rf"^\| {name} \| (?!Not done)", promises, re.MULTILINE)] == []


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_all_else_on_a_law_page_is_a_duty_of_its_reader(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    duties = [line for line in text.split(_DUTIES)[1].splitlines() if line.startswith("- ")]
    assert len(duties) >= 4
    assert [line for line in duties if not line.startswith("- You ")] == []
    assert "This is information, not legal advice." in text


def test_the_index_leads_to_each_law_page() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES if f"reference/law/{page.name}" not in index] == []
