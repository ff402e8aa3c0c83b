"""Links between an issue and its corrections, for the pages of both."""

from dataclasses import dataclass
from typing import TypedDict

from newsletter.desk.issues.issue_page import overview_url
from newsletter.desk.shell.labels import label_issue_state
from newsletter.issues.corrections.correct_mistake import is_correctable
from newsletter.issues.corrections.corrected_issues import find_corrected_issues, find_corrections_of
from newsletter.models import Correction, Issue


@dataclass(frozen=True)
class CorrectionLink:
    """A correction of the issue, and its state in words. ``event`` is the event that it announces, "" for a mistake."""

    issue: Issue
    url: str
    event: str
    state: str


class CorrectionsContext(TypedDict):
    """The context of desk/parts/corrections.html and of the button for a correction. ``corrects`` are (issue, URL)."""

    corrections: list[CorrectionLink]
    corrects: list[tuple[Issue, str]]
    corrects_mistake: bool
    can_correct: bool


def corrections_context(issue: Issue) -> CorrectionsContext:
    correction = getattr(issue, "correction", None) if issue.kind == Issue.Kind.CORRECTION else None
    return {
        "corrections": [_make_link(one) for one in find_corrections_of(issue)],
        "corrects": [(one, overview_url(one)) for one in find_corrected_issues(correction)] if correction else [],
        "corrects_mistake": correction is not None and correction.corrects is not None,
        "can_correct": is_correctable(issue),
    }


def _make_link(correction: Correction) -> CorrectionLink:
    issue = correction.issue
    event = correction.event.title if correction.event else ""
    return CorrectionLink(issue, overview_url(issue), event, label_issue_state(issue).label)
