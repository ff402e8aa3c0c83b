"""How many people would get an issue, for pages that show the number. A step that decides counts again."""

import time

from newsletter.common.errors import BadRule
from newsletter.issues.approval.approval_rules import count_as_sent, count_recipients
from newsletter.issues.approval.approved_audience import describe_audience, hash_audience
from newsletter.models import Issue
from subscribers.audience.eligibility import AudienceCount

KEPT_SECONDS = 60.0
LARGE = 20_000
"""From so many people on, counting takes a noticeable part of a second for each issue that Home names."""
_MAX_KEPT = 100
_kept: dict[tuple[int, str], tuple[float, int]] = {}


def count_for_page(issue: Issue) -> AudienceCount:
    """Return the audience as a send would fix it now: nobody if its segment names something that was deleted.

    The checks of the issue say what is missing.
    """
    try:
        return count_as_sent(issue)
    except BadRule:
        return AudienceCount(candidates=0, eligible=0, excluded={})


def recall_recipients(issue: Issue) -> int:
    """Return how many people would get the issue. A large number is counted once a minute in each process.

    Raises BadRule.
    """
    key = (issue.pk, hash_audience(describe_audience(issue)))
    counted_at, people = _kept.get(key, (0.0, 0))
    if people and time.monotonic() - counted_at < KEPT_SECONDS:
        return people
    people = count_recipients(issue)
    _kept.pop(key, None)
    if people >= LARGE:
        if len(_kept) >= _MAX_KEPT:
            _kept.clear()
        _kept[key] = (time.monotonic(), people)
    return people
