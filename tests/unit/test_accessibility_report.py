"""The conformance report names every criterion, and for each claim a test, or says that there is none."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
REPORT = REPOSITORY / "docs" / "reference" / "accessibility.md"
LAST_CRITERIA = {"1.1": 1, "1.2": 5, "1.3": 5, "1.4": 13, "2.1": 4, "2.2": 2, "2.3": 1, "2.4": 7, "2.5": 4}
LAST_CRITERIA |= {"3.1": 2, "3.2": 4, "3.3": 4, "4.1": 3}
"""The last criterion at level A or AA of each guideline of WCAG 2.1."""
ONLY_AAA = {"1.3.6", "1.4.6", "1.4.7", "1.4.8", "1.4.9", "2.1.3"}
_ROW = re.compile(r"^\| (\d\.\d\.\d+) [^|]+ \| ([^|]+) \| ([^|]+) \|[^|]*\|$", re.MULTILINE)
_EVIDENCE = re.compile(r"^\| ([a-z ]+) \| (`tests/[^|]+) \|", re.MULTILINE)
_CLAIM = re.compile(r"(?:Supports|Partially supports) \(([^)]+)\)|Not applicable")


def test_the_report_has_every_criterion_once() -> None:
    every = [f"{guideline}.{number}" for guideline, last in LAST_CRITERIA.items() for number in range(1, last + 1)]
    found = [row[1] for row in _ROW.finditer(REPORT.read_text())]
    assert found == [criterion for criterion in every if criterion not in ONLY_AAA]


def test_each_claim_names_a_test_that_exists_or_says_not_tested() -> None:
    report = REPORT.read_text()
    evidence = dict(_EVIDENCE.findall(report))
    for files in evidence.values():
        assert all((REPOSITORY / file).is_file() for file in re.findall(r"`([^`]+)`", files))
    named = set()
    for row in _ROW.finditer(report):
        for cell in (row[2], row[3]):
            claim = _CLAIM.fullmatch(cell)
            assert claim, f"{row[1]}: {cell}"
            named |= set(claim[1].split(", ")) if claim[1] else set()
    assert named == {*evidence, "not tested"}
