"""A rule in words, for the people who use it."""

from collections.abc import Callable

from subscribers.errors import BadRule
from subscribers.models import MailingList, Topic
from subscribers.places import country_name, region_name
from subscribers.segments.named import attribute_of, country_of, named_row, region_of, town_of
from subscribers.segments.registry import find_kind, read_rule
from subscribers.segments.rules import Condition, Group

_JOINS = {"all": " and ", "any": " or ", "none": " or "}
_GIVING = {"none": "has not given", "donor": "has given", "monthly": "gives monthly"}


def explain_rule(rule: object) -> str:
    """The rule in words, such as "on the list Weekly and within 80 km of London, GB". Raises `BadRule`."""
    tree = read_rule(rule)
    if isinstance(tree, Group) and not tree.parts:
        return "everyone"
    return _explain(tree)


def say_condition(condition: Condition) -> str:
    """One condition in words. Raises `BadRule` for what is not there."""
    kind = find_kind(condition.key)
    if kind is None:
        return _WORDS[condition.key](condition)
    try:
        return kind.say(condition.value)
    except BadRule as error:
        raise BadRule(f"{condition.where}: {error}") from error


def _explain(node: Condition | Group) -> str:
    if isinstance(node, Condition):
        return say_condition(node)
    parts = [_bracketed(part) for part in node.parts]
    joined = _JOINS[node.kind].join(parts)
    if node.kind == "none":
        return f"not {joined}" if len(parts) == 1 else f"not ({joined})"
    return joined


def _bracketed(part: Condition | Group) -> str:
    compound = isinstance(part, Group) and part.kind != "none" and len(part.parts) > 1
    return f"({_explain(part)})" if compound else _explain(part)


def _say_region(condition: Condition) -> str:
    country, region = region_of(condition)
    return f"in {region_name(region)}, {country}" if region else f"in {country_name(country)}"


def _say_near(condition: Condition) -> str:
    town = town_of(condition)
    return f"within {condition.km:g} km of {town.name}, {town.country}"


def _say_attribute(condition: Condition) -> str:
    key = attribute_of(condition).replace("_", " ")
    if condition.values is None:
        return f"has any {key}"
    if not condition.values:
        return f"has no {key}"
    return f"{key} is {' or '.join(f'“{value}”' for value in condition.values)}"


_WORDS: dict[str, Callable[[Condition], str]] = {
    "list": lambda condition: f"on the list {named_row(condition, MailingList).name}",
    "topic": lambda condition: f"interested in {named_row(condition, Topic).name}",
    "region": _say_region,
    "country": lambda condition: f"in {country_name(country_of(condition))}",
    "near": _say_near,
    "language": lambda condition: f"reads {condition.value}",
    "giving": lambda condition: _GIVING[condition.value],
    "source": lambda condition: f"came from “{condition.value}”",
    "joined_after": lambda condition: f"joined on or after {condition.value}",
    "joined_before": lambda condition: f"joined before {condition.value}",
    "attribute": _say_attribute,
}
