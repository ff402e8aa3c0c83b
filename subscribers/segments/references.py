"""Find the list, topic, country, region or town that a condition names. What does not exist is an error.

Also find the segments whose rules name a list or a topic.
"""

from datetime import UTC, date, datetime, time
from difflib import get_close_matches
from typing import TypeVar

from newsletter.common.errors import BadRule, UnknownPlace
from newsletter.common.messages import Message
from subscribers.models import MailingList, Segment, Topic
from subscribers.places.regions import resolve_country, resolve_region
from subscribers.places.search import find_described
from subscribers.places.towns import Town
from subscribers.segments.attributes import attribute_keys
from subscribers.segments.registry import read_rule
from subscribers.segments.rules import Condition, list_conditions

_Row = TypeVar("_Row", MailingList, Topic)


def find_named_row(condition: Condition, model: type[_Row]) -> _Row:
    row: _Row | None = model.objects.filter(slug=condition.value).first()
    if row is not None:
        return row
    slugs = list(model.objects.values_list("slug", flat=True))
    raise BadRule(
        "%(where)s: there is no %(key)s “%(value)s”. %(value_2)s",
        where=condition.where,
        key=condition.key,
        value=condition.value,
        value_2=_nearest(condition.value, slugs),
    )


def find_attribute_key(condition: Condition) -> str:
    """Return the key. Raise `BadRule` for a key that nobody has, which is nearly always a typing error."""
    keys = attribute_keys()
    if condition.value in keys:
        return condition.value
    raise BadRule(
        "%(where)s: nobody has an extra field “%(value)s”. %(value_2)s",
        where=condition.where,
        value=condition.value,
        value_2=_nearest(condition.value, keys),
    )


def find_region(condition: Condition) -> tuple[str, str]:
    """Return (country, region). The region is empty if the rule names a whole country."""
    try:
        if len(condition.value) == 2:
            return resolve_country(condition.value), ""
        region = resolve_region(condition.value)
    except UnknownPlace as error:
        raise BadRule("%(where)s: %(error)s", where=condition.where, error=error) from error
    return region.partition("-")[0], region


def find_country(condition: Condition) -> str:
    try:
        return resolve_country(condition.value)
    except UnknownPlace as error:
        raise BadRule("%(where)s: %(error)s", where=condition.where, error=error) from error


def find_town(condition: Condition) -> Town:
    try:
        match = find_described(condition.value)
    except UnknownPlace as error:
        raise BadRule("%(where)s: %(error)s", where=condition.where, error=error) from error
    if match.place is None:
        unknown = Message("“%(value)s” is not a town that we know.", value=condition.value)
        raise BadRule("%(where)s: %(reason)s", where=condition.where, reason=match.reason or unknown)
    return match.place


def start_of_day(condition: Condition) -> datetime:
    """Return the first moment of the day, in UTC."""
    return datetime.combine(date.fromisoformat(condition.value), time(), UTC)


def _nearest(text: str, names: list[str]) -> str:
    near = get_close_matches(text, names, n=1, cutoff=0.5)
    return Message("Did you mean “%(near)s”?", near=near[0]) if near else Message("Create it first, or name another.")


def find_segments_that_name(key: str, slug: str) -> list[Segment]:
    """Return the segments with the condition `{key: slug}`, such as `{"topic": "law"}`. A rule in error names nothing."""
    return [segment for segment in Segment.objects.all() if (key, slug) in _list_named(segment.rule)]


def _list_named(rule: object) -> set[tuple[str, str]]:
    try:
        return {(condition.key, condition.value) for condition in list_conditions(read_rule(rule))}
    except BadRule:
        return set()
