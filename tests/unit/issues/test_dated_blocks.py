"""Amounts and timetables of an earlier issue give a warning when they are reused."""

from datetime import date, timedelta

import pytest
from django.utils.translation import override

from newsletter.common.translation import translate
from newsletter.issues.checks.dated_blocks import DatedBlocks
from newsletter.issues.checks.issue_check import CheckedIssue
from newsletter.issues.snapshot.records.blocks import CustomBlock
from newsletter.rendering.lint.findings import Finding
from tests.support.content import make_content


def find_findings(kind: str, **values: str) -> list[Finding]:
    content = make_content(CustomBlock(key="dated", values={**values}, type=kind))
    issue = CheckedIssue(content=content, now=content.issue.due_at, pseudonyms={}, sources={})
    findings = list(DatedBlocks().check(issue))
    assert {finding.block for finding in findings} <= {"dated"}
    return findings


def find_messages(kind: str, **values: str) -> list[str]:
    return [str(finding.message) for finding in find_findings(kind, **values)]


def find_day(days_before: int) -> str:
    return (make_content().issue.due_at.date() - timedelta(days=days_before)).isoformat()


def in_words(days_before: int) -> str:
    return f"{date.fromisoformat(find_day(days_before)):%-d %B %Y}"


@pytest.mark.parametrize("days", [0, 1, 14])
def test_fresh_amounts_give_no_warning(days: int) -> None:
    assert find_messages("progress", headline="A boat", as_of=find_day(days)) == []


def test_old_amounts_give_a_warning_with_their_age() -> None:
    (message,) = find_messages("progress", headline="A boat", as_of=find_day(15))
    assert message.startswith(f"The amounts of “A boat” are of {in_words(15)}, 15 days before the issue goes out.")


def test_amounts_of_a_day_to_come_give_a_warning() -> None:
    (message,) = find_messages("progress", headline="A boat", as_of=find_day(-1))
    assert message.endswith(f"are dated {in_words(-1)}, after the issue goes out. Correct the date.")


def test_staff_see_the_date_in_their_language() -> None:
    (finding,) = find_findings("timetable", title="Open day", day="2020-01-24")
    with override("es"):
        assert "24 de enero de 2020" in translate(finding.message)


def test_a_timetable_of_a_past_day_gives_a_warning() -> None:
    assert find_messages("timetable", title="Open day", day=find_day(0)) == []
    (message,) = find_messages("timetable", title="Open day", day=find_day(1))
    assert message.startswith(f"The timetable “Open day” is of {in_words(1)}, which is over")


@pytest.mark.parametrize("values", [{"headline": "A boat"}, {"headline": "A boat", "as_of": ""}])
def test_a_block_without_a_date_gives_no_warning(values: dict[str, str]) -> None:
    assert find_messages("progress", **values) == find_messages("timetable", title="x") == []
    assert find_messages("statistic", figure="2020-01-01") == []
