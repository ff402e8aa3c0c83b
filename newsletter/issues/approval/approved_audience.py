"""The audience that an approval is for: list, segment rule, and how much it may grow before a new approval is needed."""

import hashlib

import orjson

from newsletter.common.errors import BadRule
from newsletter.issues.variants.audience_rules import FREQUENCIES
from newsletter.models import Issue
from subscribers.models import Segment
from subscribers.segments.resolve import resolve_rule

GROWTH_DIVISOR = 10
MIN_GROWTH, MAX_GROWTH = 20, 500
Audience = dict[str, object]
"""A list with a segment rule, or a correction; plain JSON data."""


def describe_audience(issue: Issue) -> Audience:
    """Return the current audience as data. It names rows by id and never counts people."""
    publication = issue.publication
    described: Audience = {"list": publication.mailing_list_id}
    if not issue.is_charitable:
        described["charitable"] = False
    if issue.kind == Issue.Kind.CORRECTION:
        correction = issue.correction if hasattr(issue, "correction") else None
        return {**described, "correction": correction.pk if correction else None}
    if issue.is_welcome:
        return {**described, "welcome": issue.number, **_describe_segment(publication.segment)}
    if issue.completes_id is not None:
        return {**described, "completes": issue.completes_id}
    described["frequencies"] = sorted(FREQUENCIES[Issue.Kind(issue.kind)])
    if issue.segment is not None:
        described["narrowed"] = _describe_segment(issue.segment)
    return {**described, **_describe_segment(publication.segment)}


def _describe_segment(segment: Segment | None) -> Audience:
    if segment is None:
        return {"segment": None}
    try:
        rule = resolve_rule(segment.rule)
    except BadRule:
        return {"segment": segment.pk, "broken": segment.rule}
    return {"segment": segment.pk, "rule": rule}


def hash_audience(audience: Audience) -> str:
    """Return the sha256, hexadecimal, of the canonical JSON."""
    return hashlib.sha256(orjson.dumps(audience, option=orjson.OPT_SORT_KEYS)).hexdigest()


def max_people_after_growth(people: int) -> int:
    """Return how many people may get an issue that was approved for ``people``: 10 % more, at least 20 and at most 500 more.

    A small list often grows by more than 10 % in the days before an issue is sent.
    """
    return people + min(max(people // GROWTH_DIVISOR, MIN_GROWTH), MAX_GROWTH)


def max_people_just_seen(people: int) -> int:
    """Return how many people may get an issue if a person just read that it is for ``people``: 10 % more, at most 500 more.

    One more is always allowed, because somebody may join in this moment.
    """
    return people + min(max(people // GROWTH_DIVISOR, 1), MAX_GROWTH)
