"""What the segment builder offers to choose from. What saved rules name and is gone stays on offer, marked as gone."""

from collections.abc import Callable, Iterable

from django.conf.locale import LANG_INFO
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy

from newsletter.common.errors import BadRule
from subscribers.models import MailingList, Segment, Topic
from subscribers.places.regions import countries
from subscribers.segments.attributes import attribute_keys
from subscribers.segments.registry import ConditionKind, read_rule
from subscribers.segments.rules import Condition, conditions

Choices = list[tuple[str, str]]
_GONE = gettext_lazy(" (no longer there)")


def lists() -> Choices:
    return _with_gone("list", MailingList.objects.values_list("slug", "name"))


def topics() -> Choices:
    return _with_gone("topic", Topic.objects.values_list("slug", "name"))


def attributes() -> Choices:
    return _with_gone("attribute", ((key, key.replace("_", " ")) for key in attribute_keys()))


def languages() -> Choices:
    known = {code: f"{info['name']} ({code})" for code, info in LANG_INFO.items() if "name" in info}
    return _with_gone("language", sorted(known.items(), key=lambda pair: pair[1]), gone="")


def country_choices() -> Choices:
    return list(countries(language=get_language() or "en"))


def choices_of(kind: ConditionKind) -> Callable[[], Choices]:
    return lambda: _with_gone(kind.key, kind.choices(), gone="")


def _with_gone(key: str, known: Iterable[tuple[str, str]], *, gone: str | Promise = _GONE) -> Choices:
    offered = list(known)
    codes = {code for code, _ in offered}
    named = {condition.value for rule in _saved_rules() for condition in _conditions(rule) if condition.key == key}
    return offered + [(code, f"{code}{gone}") for code in sorted(named - codes)]


def _saved_rules() -> list[object]:
    return list(Segment.objects.order_by().values_list("rule", flat=True))


def _conditions(rule: object) -> list[Condition]:
    try:
        return conditions(read_rule(rule))
    except BadRule:
        return []
