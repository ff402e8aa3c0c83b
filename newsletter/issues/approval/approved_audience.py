"""Whom an approval is for: the list, the segment's rule with what it names, and how many more people may join later."""

import hashlib
from typing import Any

import orjson

from newsletter.common.errors import BadRule
from newsletter.issues.variants.recipient_groups import FREQUENCIES
from newsletter.models import Issue
from subscribers.segments.resolve import resolve_rule

GROWTH_DIVISOR = 10
MAX_GROWTH = 500


def describe_audience(issue: Issue) -> dict[str, Any]:
    """The audience as data, from the rows as they are now. It names rows by id and never counts people."""
    publication = issue.publication
    described: dict[str, Any] = {"list": publication.mailing_list_id}
    if issue.kind == Issue.Kind.CORRECTION:
        correction = issue.correction if hasattr(issue, "correction") else None
        return {**described, "correction": correction.pk if correction else None}
    segment = publication.segment
    described["frequencies"] = sorted(FREQUENCIES[Issue.Kind(issue.kind)])
    if segment is None:
        return {**described, "segment": None}
    try:
        rule = resolve_rule(segment.rule)
    except BadRule:
        return {**described, "segment": segment.pk, "broken": segment.rule}
    return {**described, "segment": segment.pk, "rule": rule}


def hash_audience(audience: dict[str, Any]) -> str:
    """sha256, hexadecimal, over the canonical JSON."""
    return hashlib.sha256(orjson.dumps(audience, option=orjson.OPT_SORT_KEYS)).hexdigest()


def max_people_after_growth(people: int) -> int:
    """How many people an issue may go to that was approved for so many: 10 % more, and never over 500 more.

    One more person is always fine, so that a list of five can gain a reader.
    """
    return people + min(max(people // GROWTH_DIVISOR, 1), MAX_GROWTH)
