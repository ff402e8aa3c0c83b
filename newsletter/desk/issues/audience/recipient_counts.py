"""Counts of an issue's recipients for pages that show them. A step that decides counts again."""

import time

from newsletter.common.errors import BadRule
from newsletter.issues.approval.approval_rules import count_audience_for_send, count_recipients
from newsletter.issues.approval.approved_audience import describe_audience, hash_audience
from newsletter.models import Issue
from subscribers.audience.counting import AudienceCount

CACHE_SECONDS = 60.0
MIN_CACHED_COUNT = 20_000
"""From this many people on, a count takes a noticeable part of a second for each issue on Home."""
_MAX_CACHED = 100
_cache: dict[tuple[int, str], tuple[float, int]] = {}


def count_audience_for_page(issue: Issue, *, at_once: bool = False) -> AudienceCount:
    """Return the audience of a send when the issue is due, or ``at_once``.

    It is empty if the segment names something that was deleted. The issue's checks explain that.
    """
    try:
        return count_audience_for_send(issue, at_once=at_once)
    except BadRule:
        return AudienceCount(candidates=0, eligible=0, excluded={})


def count_recipients_cached(issue: Issue) -> int:
    """Return the number of recipients. Each process counts a large audience once a minute.

    Raises BadRule if the segment names something that was deleted.
    """
    key = (issue.pk, hash_audience(describe_audience(issue)))
    counted_at, people = _cache.get(key, (0.0, 0))
    if people and time.monotonic() - counted_at < CACHE_SECONDS:
        return people
    people = count_recipients(issue)
    _cache.pop(key, None)
    if people >= MIN_CACHED_COUNT:
        if len(_cache) >= _MAX_CACHED:
            _cache.clear()
        _cache[key] = (time.monotonic(), people)
    return people
