"""The segment that an issue goes to: that of its publication, narrowed by its own if it has one."""

from collections.abc import Sequence
from typing import TypedDict

from newsletter.models import Issue
from subscribers.models import Segment


def find_audience_segment(issue: Issue) -> Segment | None:
    """Return the segment, an unsaved one if two are combined, or None for the whole list."""
    both = list_audience_segments(issue)
    if len(both) < 2:
        return both[0] if both else None
    return Segment(
        name=" + ".join(segment.name for segment in both), rule={"all": [one.rule for one in both if one.rule]}
    )


def list_audience_segments(issue: Issue) -> list[Segment]:
    """Return the segments whose rules all recipients match: that of the publication, then that of the issue."""
    return [segment for segment in (issue.publication.segment, issue.segment) if segment is not None]


class NamedAudience(TypedDict):
    """The slugs and the names of a list and of the segments that narrow it."""

    list: str
    list_name: str
    segments: Sequence[str]
    segment_names: Sequence[str]


def name_audience(issue: Issue) -> NamedAudience:
    """Return who the issue is for, as plain data for the receipt."""
    segments = [] if issue.kind == Issue.Kind.CORRECTION else list_audience_segments(issue)
    mailing_list = issue.publication.mailing_list
    return {
        "list": mailing_list.slug,
        "list_name": mailing_list.name,
        "segments": [segment.slug for segment in segments],
        "segment_names": [segment.name for segment in segments],
    }
