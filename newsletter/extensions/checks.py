"""The interface of a check of an issue: the group ``newsletter.checks``."""

from newsletter.common.messages import Message
from newsletter.issues.checks.issue_check import CheckedIssue, IssueCheck
from newsletter.issues.checks.texts import TextPart, list_texts
from newsletter.issues.snapshot.content_links import find_web_links
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.rendering.lint.findings import Finding

__all__ = [
    "CheckedIssue",
    "Finding",
    "IssueCheck",
    "IssueContent",
    "Message",
    "TextPart",
    "find_web_links",
    "list_texts",
]
