"""Define the interface of a check of an issue's content, and run all installed checks.

A check only reads. One that fails is a warning itself, and the others run.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from newsletter.common.extension_registry import Extension, Registry
from newsletter.common.messages import Message
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.rendering.lint.findings import Finding

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CheckedIssue:
    """The parts of an issue that a check may read. ``delivered_at`` is when the first people get the issue, aware like ``now``.

    ``pseudonyms`` are the (name, note) pairs of the issue's stories and ``sources`` the stories' texts at their sources,
    both by the id of the story.
    """

    content: IssueContent
    now: datetime
    pseudonyms: Mapping[int, list[list[str]]]
    sources: Mapping[int, str]

    @property
    def delivered_at(self) -> datetime:
        return max(self.content.issue.due_at, self.now)


class IssueCheck(Extension, ABC):
    """A check of an issue's content. An error refuses the approval; staff must mark a warning as reviewed.

    A check that ``only_warns`` does not run again at the approval, and its errors are warnings.
    """

    only_warns: ClassVar[bool] = False

    @abstractmethod
    def check(self, issue: CheckedIssue) -> Iterable[Finding]:
        """Return what is wrong. ``Finding.block`` is the key of the block that staff must change."""


_ORDER = ("events_and_names", "other_languages", "source_names", "dated_blocks", "dead_links")
CHECKS = Registry("newsletter.checks", IssueCheck, order=_ORDER)  # type: ignore[type-abstract]


def run_checks(issue: CheckedIssue) -> list[Finding]:
    """Return the findings of every check, in the order of the checks."""
    return [finding for name, check in CHECKS.items() for finding in _run(name, check, issue)]


def find_errors(issue: CheckedIssue) -> Iterator[Finding]:
    """Yield the errors, which refuse the approval."""
    for name, check in CHECKS.items():
        if not check.only_warns:
            yield from (finding for finding in _run(name, check, issue) if finding.level == "error")


def _run(name: str, check: IssueCheck, issue: CheckedIssue) -> list[Finding]:
    try:
        findings = list(check.check(issue))
    except Exception as error:
        log.warning("The check %s failed.", name, exc_info=True)
        message = Message(
            "The check “%(name)s” failed with %(kind)s, so it found nothing. Read the issue for what it looks for, and tell "
            "whoever runs the server.",
            name=name,
            kind=type(error).__name__,
        )
        return [Finding("warning", "check-failed", message)]
    if check.only_warns:
        return [replace(finding, level="warning") for finding in findings]
    return findings
