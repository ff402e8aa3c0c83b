"""A rule in words, for the people who use it."""

from collections.abc import Callable

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from newsletter.common.errors import BadRule
from subscribers.models import MailingList, Topic
from subscribers.places.regions import say_country, say_region
from subscribers.segments.named import attribute_of, country_of, named_row, region_of, town_of
from subscribers.segments.registry import find_kind, read_rule
from subscribers.segments.rules import Condition, Group

_JOINS = {"all": gettext_lazy("and"), "any": gettext_lazy("or"), "none": gettext_lazy("or")}
_GIVING = {
    "none": gettext_lazy("has not given"),
    "donor": gettext_lazy("has given"),
    "monthly": gettext_lazy("gives monthly"),
}


def explain_rule(rule: object) -> str:
    """The rule in words, such as "on the list Weekly and within 80 km of London, GB". Raises `BadRule`."""
    tree = read_rule(rule)
    if isinstance(tree, Group) and not tree.parts:
        return _("everyone")
    return _explain(tree)


def say_condition(condition: Condition) -> str:
    """One condition in words. Raises `BadRule` for what is not there."""
    kind = find_kind(condition.key)
    if kind is None:
        return _WORDS[condition.key](condition)
    try:
        return kind.say(condition.value)
    except BadRule as error:
        raise BadRule("%(where)s: %(error)s", where=condition.where, error=error) from error


def _explain(node: Condition | Group) -> str:
    if isinstance(node, Condition):
        return say_condition(node)
    parts = [_bracketed(part) for part in node.parts]
    joined = f" {_JOINS[node.kind]} ".join(parts)
    if node.kind == "none":
        return _("not %(joined)s") % {"joined": joined if len(parts) == 1 else f"({joined})"}
    return joined


def _bracketed(part: Condition | Group) -> str:
    compound = isinstance(part, Group) and part.kind != "none" and len(part.parts) > 1
    return f"({_explain(part)})" if compound else _explain(part)


def _say_region(condition: Condition) -> str:
    country, region = region_of(condition)
    language = get_language() or "en"
    named = say_country(country, language=language)
    return _("in %(place)s") % {"place": f"{say_region(region, language=language)}, {named}" if region else named}


def _say_near(condition: Condition) -> str:
    town = town_of(condition)
    return _("within %(km)s km of %(town)s") % {"km": f"{condition.km:g}", "town": f"{town.name}, {town.country}"}


def _say_attribute(condition: Condition) -> str:
    key = attribute_of(condition).replace("_", " ")
    if condition.values is None:
        return _("has any %(key)s") % {"key": key}
    if not condition.values:
        return _("has no %(key)s") % {"key": key}
    values = f" {_('or')} ".join(f"“{value}”" for value in condition.values)
    return _("%(key)s is %(values)s") % {"key": key, "values": values}


_WORDS: dict[str, Callable[[Condition], str]] = {
    "list": lambda condition: _("on the list %(name)s") % {"name": named_row(condition, MailingList).name},
    "topic": lambda condition: _("interested in %(name)s") % {"name": named_row(condition, Topic).name},
    "region": _say_region,
    "country": lambda condition: (
        _("in %(place)s") % {"place": say_country(country_of(condition), language=get_language() or "en")}
    ),
    "near": _say_near,
    "language": lambda condition: _("reads %(language)s") % {"language": condition.value},
    "giving": lambda condition: str(_GIVING[condition.value]),
    "source": lambda condition: _("came from “%(source)s”") % {"source": condition.value},
    "joined_after": lambda condition: _("joined on or after %(day)s") % {"day": condition.value},
    "joined_before": lambda condition: _("joined before %(day)s") % {"day": condition.value},
    "attribute": _say_attribute,
}
