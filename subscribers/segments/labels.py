"""The text of a rule, for the people who use it, and why one person is in a segment or not."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from newsletter.common.errors import BadRule
from newsletter.common.translation import exact_language_label
from subscribers.models import Giving, MailingList, Subscriber, Topic
from subscribers.places.regions import country_label, region_label
from subscribers.places.town_names import town_label
from subscribers.segments.compile import compile_condition
from subscribers.segments.membership import for_few_people
from subscribers.segments.references import find_attribute_key, find_country, find_named_row, find_region, find_town
from subscribers.segments.registry import find_kind, read_rule
from subscribers.segments.rules import Condition, Group

_CONNECTIVES = {"all": gettext_lazy("and"), "any": gettext_lazy("or"), "none": gettext_lazy("or")}
_GROUP_LABELS = {
    "all": gettext_lazy("all of these"),
    "any": gettext_lazy("at least one of these"),
    "none": gettext_lazy("none of these"),
}


def describe_rule(rule: object) -> str:
    """Return the rule as text, such as "on the list Weekly and within 80 km of London, GB". Raises `BadRule`."""
    tree = read_rule(rule)
    if isinstance(tree, Group) and not tree.parts:
        return _("everyone")
    return _describe(tree)


def describe_condition(condition: Condition) -> str:
    """Return one condition as text. Raises `BadRule` if the named row does not exist."""
    kind = find_kind(condition.key)
    if kind is None:
        return _DESCRIBERS[condition.key](condition)
    try:
        return kind.describe(condition.value)
    except BadRule as error:
        raise BadRule("%(where)s: %(error)s", where=condition.where, error=error) from error


def _describe(node: Condition | Group) -> str:
    if isinstance(node, Condition):
        return describe_condition(node)
    parts = [_bracketed(part) for part in node.parts]
    joined = f" {_CONNECTIVES[node.kind]} ".join(parts)
    if node.kind == "none":
        return _("not %(joined)s") % {"joined": joined if len(parts) == 1 else f"({joined})"}
    return joined


def _bracketed(part: Condition | Group) -> str:
    compound = isinstance(part, Group) and part.kind != "none" and len(part.parts) > 1
    return f"({_describe(part)})" if compound else _describe(part)


def _describe_region(condition: Condition) -> str:
    country, region = find_region(condition)
    language = get_language() or "en"
    country_name = country_label(country, language=language)
    return _("in %(place)s") % {
        "place": f"{region_label(region, language=language)}, {country_name}" if region else country_name
    }


def _describe_near(condition: Condition) -> str:
    town = find_town(condition)
    name = town_label(town.name, country=town.country, language=get_language() or "en")
    return _("within %(km)s km of %(town)s") % {"km": f"{condition.km:g}", "town": f"{name}, {town.country}"}


def _day_label(text: str) -> str:
    day = parse_date(text)
    return date_format(day, _("j M Y")) if day else text


def _describe_attribute(condition: Condition) -> str:
    key = find_attribute_key(condition).replace("_", " ")
    if condition.values is None:
        return _("has any %(key)s") % {"key": key}
    if not condition.values:
        return _("has no %(key)s") % {"key": key}
    between = _("or")
    values = f" {between} ".join(f"“{value}”" for value in condition.values)
    return _("%(key)s is %(values)s") % {"key": key, "values": values}


_DESCRIBERS: dict[str, Callable[[Condition], str]] = {
    "list": lambda condition: _("on the list %(name)s") % {"name": find_named_row(condition, MailingList).name},
    "topic": lambda condition: _("interested in %(name)s") % {"name": find_named_row(condition, Topic).name},
    "region": _describe_region,
    "country": lambda condition: (
        _("in %(place)s") % {"place": country_label(find_country(condition), language=get_language() or "en")}
    ),
    "near": _describe_near,
    "language": lambda condition: _("reads %(language)s") % {"language": exact_language_label(condition.value)},
    "giving": lambda condition: str(Giving(condition.value).label),
    "source": lambda condition: _("came from “%(source)s”") % {"source": condition.value},
    "joined_after": lambda condition: _("joined on or after %(day)s") % {"day": _day_label(condition.value)},
    "joined_before": lambda condition: _("joined before %(day)s") % {"day": _day_label(condition.value)},
    "attribute": _describe_attribute,
}


@dataclass(frozen=True)
class RuleExplanation:
    """One part of a rule as text, and True if it matches the person. A group has nested parts."""

    text: str
    holds: bool
    parts: tuple["RuleExplanation", ...] = ()


def explain_membership(rule: object, *, person: Subscriber) -> RuleExplanation:
    """Return the explanation of a rule for one person. Raises `BadRule`."""
    with for_few_people():
        return _explain(read_rule(rule), person=person)


def _explain(node: Condition | Group, *, person: Subscriber) -> RuleExplanation:
    if isinstance(node, Condition):
        holds = Subscriber.objects.filter(compile_condition(node), pk=person.pk).exists()
        return RuleExplanation(describe_condition(node), holds)
    if not node.parts:
        return RuleExplanation(_("everyone"), True)
    parts = tuple(_explain(part, person=person) for part in node.parts)
    held = [part.holds for part in parts]
    holds = all(held) if node.kind == "all" else any(held) if node.kind == "any" else not any(held)
    return RuleExplanation(str(_GROUP_LABELS[node.kind]), holds, parts)
