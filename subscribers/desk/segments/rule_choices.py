"""The choices of the segment builder. A deleted list or topic that a saved rule still names stays a choice, marked so."""

from collections.abc import Callable, Iterable

from django.conf.locale import LANG_INFO
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy

from newsletter.common.errors import BadRule
from subscribers.models import MailingList, Segment, Topic
from subscribers.places.regions import countries
from subscribers.segments.attributes import attribute_keys
from subscribers.segments.registry import ConditionKind, read_rule
from subscribers.segments.rules import Condition, list_conditions

Choices = list[tuple[str, str]]
_DELETED = gettext_lazy(" (deleted)")


def lists() -> Choices:
    return _add_saved("list", MailingList.objects.values_list("slug", "name"))


def topics() -> Choices:
    return _add_saved("topic", Topic.objects.values_list("slug", "name"))


def attributes() -> Choices:
    return _add_saved("attribute", ((key, key.replace("_", " ")) for key in attribute_keys()))


def languages() -> Choices:
    known = {code: info["name"] for code, info in LANG_INFO.items() if "name" in info}
    return _add_saved("language", sorted(known.items(), key=lambda pair: pair[1]), suffix="")


def country_choices() -> Choices:
    return list(countries(language=get_language() or "en"))


def choices_of(kind: ConditionKind) -> Callable[[], Choices]:
    return lambda: _add_saved(kind.key, kind.choices(), suffix="")


def _add_saved(key: str, known: Iterable[tuple[str, str]], *, suffix: str | Promise = _DELETED) -> Choices:
    """Return the known choices and those that only saved rules name, the latter with the suffix."""
    choices = list(known)
    codes = {code for code, _ in choices}
    rules = Segment.objects.order_by().values_list("rule", flat=True)
    named = {condition.value for rule in rules for condition in _list_conditions(rule) if condition.key == key}
    return choices + [(code, f"{code}{suffix}") for code in sorted(named - codes)]


def _list_conditions(rule: object) -> list[Condition]:
    try:
        return list_conditions(read_rule(rule))
    except BadRule:
        return []
