"""Find the segments whose rules name a list or a topic."""

from newsletter.common.errors import BadRule
from subscribers.models import Segment
from subscribers.segments.registry import read_rule
from subscribers.segments.rules import list_conditions


def find_segments_that_name(key: str, slug: str) -> list[Segment]:
    """Return the segments with the condition `{key: slug}`, such as `{"topic": "law"}`. A rule in error names nothing."""
    return [segment for segment in Segment.objects.all() if (key, slug) in _list_named(segment.rule)]


def _list_named(rule: object) -> set[tuple[str, str]]:
    try:
        return {(condition.key, condition.value) for condition in list_conditions(read_rule(rule))}
    except BadRule:
        return set()
