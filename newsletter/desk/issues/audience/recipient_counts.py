"""Counts of an issue's recipients for pages that show them. A step that decides counts again."""

import time
from collections.abc import Callable

from django.utils import timezone

from newsletter.common.database.one_reading import read_once
from newsletter.common.errors import BadRule
from newsletter.issues.approval.approval_rules import (
    count_audience_for_send,
    count_recipients,
    find_manual_approval_reason,
)
from newsletter.issues.approval.approved_audience import describe_audience, hash_audience
from newsletter.issues.variants.count_recipients import count_people
from newsletter.models import Issue
from subscribers.audience.counting import AudienceCount
from subscribers.audience.kept_counts import uses_kept_counts

CACHE_SECONDS = 60.0
MIN_CACHED_COUNT = 20_000
"""From this many people on, a count takes a noticeable part of a second for each issue on Home."""
_MAX_CACHED = 100
_cache: dict[tuple[int, str, str], tuple[float, int]] = {}


def count_audience_for_page(issue: Issue) -> AudienceCount:
    """Return the audience of a send when the issue is due.

    It is empty if the segment names something that was deleted. The issue's checks explain that.
    """
    try:
        return count_audience_for_send(issue)
    except BadRule:
        return AudienceCount(candidates=0, eligible=0, excluded={})


def explain_manual_approval(issue: Issue) -> str:
    """Return why an automatic issue needs a person's approval, or "". Raises BadRule.

    An issue that needs none for everybody who may be mailed needs none for its recipients, who are part of them. Finding out
    for whom the issue has nothing takes several times as long. Home names an issue in several lists, and finds out once.
    """
    return read_once(f"manual approval of issue {issue.pk}", lambda: _explain_manual_approval(issue))


def _explain_manual_approval(issue: Issue) -> str:
    possible = _count_cached(issue, "possible", lambda: count_people(issue, now=timezone.now()).eligible)
    reason = find_manual_approval_reason(issue, people=possible)
    return find_manual_approval_reason(issue, people=count_recipients_cached(issue)) if reason else ""


def count_recipients_cached(issue: Issue) -> int:
    """Return the number of recipients. Each process counts a large audience once a minute.

    Raises BadRule if the segment names something that was deleted.
    """
    return _count_cached(issue, "recipients", lambda: count_recipients(issue))


def _count_cached(issue: Issue, whom: str, count: Callable[[], int]) -> int:
    if uses_kept_counts():  # it may be older than a minute, and other pages must not get it
        return count()
    key = (issue.pk, whom, hash_audience(describe_audience(issue)))
    counted_at, people = _cache.get(key, (0.0, 0))
    if people and time.monotonic() - counted_at < CACHE_SECONDS:
        return people
    people = count()
    _cache.pop(key, None)
    if people >= MIN_CACHED_COUNT:
        if len(_cache) >= _MAX_CACHED:
            _cache.clear()
        _cache[key] = (time.monotonic(), people)
    return people
