"""The choices of people that a saved segment selects by. Other choices change nothing, so people are not asked for them."""

from collections.abc import Iterator

from django.db.models import QuerySet

from newsletter.common.errors import BadRule
from subscribers.models import Segment, Topic
from subscribers.segments.registry import read_rule
from subscribers.segments.rules import Condition, conditions


def find_selected_topics() -> QuerySet[Topic]:
    """Return the topics that a segment selects by."""
    return Topic.objects.filter(slug__in={one.value for one in _iter_conditions() if one.key == "topic"})


def selects_by_language() -> bool:
    """Return True if a segment selects by the language of people."""
    return any(one.key == "language" for one in _iter_conditions())


def _iter_conditions() -> Iterator[Condition]:
    for rule in Segment.objects.values_list("rule", flat=True):
        try:
            yield from conditions(read_rule(rule))
        except BadRule:
            continue
