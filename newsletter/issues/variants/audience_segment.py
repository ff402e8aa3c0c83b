"""The segment that an issue goes to: that of its publication, narrowed by its own if it has one."""

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
