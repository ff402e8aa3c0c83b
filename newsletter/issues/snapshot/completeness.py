"""Resolve the content of an issue that is complete."""

from newsletter.common.database.one_reading import read_once
from newsletter.common.errors import NotReady
from newsletter.common.messages import Message
from newsletter.issues.snapshot.incomplete_parts import find_incomplete_parts
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Issue


def resolve_complete_content(issue: Issue) -> IssueContent:
    """Return the issue's content. Raise NotReady, with a line for each part that is not complete."""
    return read_once("complete content", lambda: _resolve(issue), issue)


def _resolve(issue: Issue) -> IssueContent:
    gaps = find_incomplete_parts(issue)
    if gaps:
        raise NotReady(Message.joined((gap.message for gap in gaps), between="\n"))
    return resolve_content(issue)
