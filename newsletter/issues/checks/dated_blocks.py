"""Find blocks whose date does not fit the day on which an issue goes out: old amounts, a past timetable. No database."""

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

from newsletter.common.messages import Message
from newsletter.issues.checks.issue_check import CheckedIssue, IssueCheck
from newsletter.issues.snapshot.records.blocks import CustomBlock
from newsletter.rendering.amounts import parse_day
from newsletter.rendering.lint.findings import Finding

MAX_AMOUNTS_AGE_DAYS = 14


class DatedBlocks(IssueCheck):
    """Amounts and timetables that were right for an earlier issue, such as the one that this one was copied from."""

    interface = 1
    only_warns = True

    def check(self, issue: CheckedIssue) -> Iterator[Finding]:
        goes_out = issue.delivered_at.astimezone(ZoneInfo(issue.content.publication.zone)).date()
        for block in issue.content.blocks:
            message = _find_problem(block, goes_out) if isinstance(block, CustomBlock) else None
            if message:
                yield Finding("warning", "dated-block", message, block=block.key)


def _find_problem(block: CustomBlock, goes_out: date) -> Message | None:
    match block.type:
        case "progress" if day := parse_day(str(block.values.get("as_of"))):
            return _find_problem_of_amounts(str(block.values.get("headline", "")), day, goes_out)
        case "timetable" if (day := parse_day(str(block.values.get("day")))) and day < goes_out:
            return Message(
                "The timetable “%(title)s” is of %(day)s, which is over when the issue goes out. Correct the date, or delete the "
                "block.",
                title=str(block.values.get("title", "")),
                day=day,
            )
        case _:
            return None


def _find_problem_of_amounts(headline: str, day: date, goes_out: date) -> Message | None:
    if day > goes_out:
        return Message(
            "The amounts of “%(headline)s” are dated %(day)s, after the issue goes out. Correct the date.",
            headline=headline,
            day=day,
        )
    if (goes_out - day).days > MAX_AMOUNTS_AGE_DAYS:
        return Message(
            "The amounts of “%(headline)s” are of %(day)s, %(age)s days before the issue goes out. Write newer amounts and their "
            "date, if there are any.",
            headline=headline,
            day=day,
            age=(goes_out - day).days,
        )
    return None
