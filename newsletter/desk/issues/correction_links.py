"""Links between an issue and the corrections of its events, for the pages of both."""

from dataclasses import dataclass
from typing import TypedDict

from newsletter.desk.issues.issue_page import overview_url
from newsletter.desk.shell.labels import label_issue_state
from newsletter.issues.corrections.corrected_issues import find_corrected_issues, find_corrections_of
from newsletter.models import Issue


@dataclass(frozen=True)
class CorrectionLink:
    """A correction of the issue: the event that it announces, and its state in words."""

    issue: Issue
    url: str
    event: str
    state: str


class CorrectionsContext(TypedDict):
    """The context of desk/parts/corrections.html. ``corrects`` are (issue, URL)."""

    corrections: list[CorrectionLink]
    corrects: list[tuple[Issue, str]]


def corrections_context(issue: Issue) -> CorrectionsContext:
    corrections = find_corrections_of(issue)
    correction = getattr(issue, "correction", None) if issue.kind == Issue.Kind.CORRECTION else None
    return {
        "corrections": [
            CorrectionLink(one.issue, overview_url(one.issue), one.event.title, label_issue_state(one.issue).label)
            for one in corrections
        ],
        "corrects": [(one, overview_url(one)) for one in find_corrected_issues(correction)] if correction else [],
    }
