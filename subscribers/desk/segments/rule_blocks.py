"""The segment builder's blocks: one class per kind of condition. Each converts its value to a rule and back."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from django.conf.locale import LANG_INFO
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from wagtail import blocks

from newsletter.common.errors import BadRule, UnknownPlace
from newsletter.common.languages import normalise_language_code
from subscribers.attribute_rules import MAX_VALUE_LENGTH
from subscribers.desk.segments.rule_block_bases import (
    ChoiceConditionBlock,
    ConditionBlock,
    RegionInput,
    Rule,
    StructConditionBlock,
    TownInput,
    WidgetCharBlock,
)
from subscribers.models import Giving, MailingList, Segment, Topic
from subscribers.places.regions import countries, country_name, resolve_country, resolve_region
from subscribers.segments.attributes import attribute_keys
from subscribers.segments.registry import ConditionKind, read_rule
from subscribers.segments.rules import MAX_KM, Condition, list_conditions

_TESTS = [
    ("is", "is"),
    ("one_of", gettext_lazy("is one of")),
    ("set", gettext_lazy("has any value")),
    ("unset", gettext_lazy("has no value")),
]
Choices = list[tuple[str, str]]
_DELETED = gettext_lazy(" (deleted)")


def lists() -> Choices:
    return _add_saved("list", MailingList.objects.values_list("slug", "name"))


def topics() -> Choices:
    return _add_saved("topic", Topic.objects.values_list("slug", "name"))


def attributes() -> Choices:
    return _add_saved("attribute", ((key, key.replace("_", " ")) for key in attribute_keys()))


def languages() -> Choices:
    names = {normalise_language_code(code): info["name"] for code, info in LANG_INFO.items() if "name" in info}
    return _add_saved("language", sorted(names.items(), key=lambda pair: pair[1]), suffix="")


def country_choices() -> Choices:
    return list(countries(language=get_language() or "en"))


def choices_of(kind: ConditionKind) -> Callable[[], Choices]:
    return lambda: _add_saved(kind.key, kind.choices(), suffix="")


def _add_saved(key: str, offered: Iterable[tuple[str, str]], *, suffix: str | Promise = _DELETED) -> Choices:
    """Return the known choices and those that only saved rules name, the latter with the suffix."""
    choices = list(offered)
    codes = {code for code, _ in choices}
    rules = Segment.objects.order_by().values_list("rule", flat=True)
    values = {condition.value for rule in rules for condition in _list_conditions(rule) if condition.key == key}
    return choices + [(code, f"{code}{suffix}") for code in sorted(values - codes)]


def _list_conditions(rule: object) -> list[Condition]:
    try:
        return list_conditions(read_rule(rule))
    except BadRule:
        return []


class ListChoice(ChoiceConditionBlock):
    key = "list"
    help = gettext_lazy(
        "Everybody who signed up and has not unsubscribed. People who have not confirmed are not emailed."
    )
    choices = staticmethod(lists)

    class Meta:
        label = gettext_lazy("On a list")
        icon = "list-ul"


class TopicChoice(ChoiceConditionBlock):
    key = "topic"
    choices = staticmethod(topics)

    class Meta:
        label = gettext_lazy("Interested in a topic")
        icon = "tag"


class LanguageChoice(ChoiceConditionBlock):
    key = "language"
    help = gettext_lazy("“English” is also British English, American English and so on.")
    choices = staticmethod(languages)

    def from_rule(self, rule: Rule) -> object:
        return normalise_language_code(rule[self.key]) or rule[self.key]

    class Meta:
        label = gettext_lazy("Reads a language")
        icon = "globe"


class GivingChoice(ChoiceConditionBlock):
    key = "giving"
    choices = Giving.choices

    class Meta:
        label = gettext_lazy("Giving")
        icon = "pick"


class SourceText(ConditionBlock, blocks.CharBlock):
    def __init__(self, **kwargs: object) -> None:
        help_text = gettext_lazy(
            "As the import or the form recorded it, such as “spring fair”. Upper and lower case are the same."
        )
        super().__init__(**{"max_length": 120, "help_text": help_text, **kwargs})
        del self.field.widget.attrs["maxlength"]

    def to_rule(self, value: object) -> Rule:
        return {"source": value}

    def from_rule(self, rule: Rule) -> object:
        return rule["source"]

    class Meta:
        label = gettext_lazy("Came from")
        icon = "link"


class PlaceChoice(StructConditionBlock, blocks.StructBlock):
    country = blocks.ChoiceBlock(choices=country_choices)
    region = WidgetCharBlock(widget=RegionInput(), required=False, max_length=20)

    def to_rule(self, value: Mapping[str, Any]) -> Rule:
        return {"region": value["region"]} if value["region"] else {"country": value["country"]}

    def from_rule(self, rule: Rule) -> object:
        country, region = _split_location(rule)
        return {"country": country, "region": region}

    class Meta:
        label = gettext_lazy("In a country or region")
        icon = "globe"
        label_format = gettext_lazy("In {region} {country}")


class TownChoice(StructConditionBlock, blocks.StructBlock):
    town = WidgetCharBlock(
        widget=TownInput(), max_length=200, help_text=gettext_lazy("Type the first letters and choose.")
    )
    km = blocks.FloatBlock(label=gettext_lazy("Kilometres"), min_value=1, max_value=MAX_KM, default=50)

    def to_rule(self, value: Mapping[str, Any]) -> Rule:
        km = float(value["km"] or 0)
        return {"near": value["town"], "km": int(km) if km.is_integer() else km}

    def from_rule(self, rule: Rule) -> object:
        return {"town": rule["near"], "km": rule["km"]}

    class Meta:
        label = gettext_lazy("Near a town")
        icon = "home"
        label_format = gettext_lazy("Within {km} km of {town}")


class JoinedChoice(StructConditionBlock, blocks.StructBlock):
    when = blocks.ChoiceBlock(
        choices=[("joined_after", gettext_lazy("on or after")), ("joined_before", gettext_lazy("before"))]
    )
    day = blocks.DateBlock()

    def to_rule(self, value: Mapping[str, Any]) -> Rule:
        day = value["day"]
        return {value["when"]: day.isoformat() if isinstance(day, date) else day}

    def from_rule(self, rule: Rule) -> object:
        ((when, day),) = rule.items()
        return {"when": when, "day": day if isinstance(day, date) else date.fromisoformat(day)}

    class Meta:
        label = gettext_lazy("Joined before or after")
        icon = "date"
        label_format = gettext_lazy("Joined {when} {day}")


class AttributeChoice(StructConditionBlock, blocks.StructBlock):
    attribute = blocks.ChoiceBlock(choices=attributes, label=gettext_lazy("Extra field"))
    test = blocks.ChoiceBlock(choices=_TESTS, default="is", label=gettext_lazy("Test"))
    values = blocks.TextBlock(
        required=False,
        rows=2,
        label=gettext_lazy("Value"),
        help_text=gettext_lazy("One value per line. Upper and lower case are the same."),
    )

    def to_rule(self, value: Mapping[str, Any]) -> Rule:
        test, lines = value["test"], [line.strip() for line in (value["values"] or "").splitlines() if line.strip()]
        if test in ("set", "unset"):
            return {"attribute": value["attribute"], "is_set": test == "set"}
        return {"attribute": value["attribute"], test: lines if test == "one_of" else "\n".join(lines)}

    def from_rule(self, rule: Rule) -> object:
        if "is_set" in rule:
            return {"attribute": rule["attribute"], "test": "set" if rule["is_set"] else "unset", "values": ""}
        test = "is" if "is" in rule else "one_of"
        lines = [rule["is"]] if test == "is" else rule["one_of"]
        return {"attribute": rule["attribute"], "test": test, "values": "\n".join(lines)}

    def clean(self, value: Any) -> Any:
        test, text = value.get("test"), (value.get("values") or "").strip()
        lines = text.splitlines()
        if test in ("is", "one_of") and not text:
            raise _field_error("values", _("Enter a value, or choose “has any value”."))
        if test == "is" and len(lines) > 1:
            raise _field_error("values", _("These are several values. Choose “is one of”."))
        if any(len(line) > MAX_VALUE_LENGTH for line in lines):
            raise _field_error(
                "values", _("Use at most %(limit)s characters for each value.") % {"limit": MAX_VALUE_LENGTH}
            )
        return super().clean(value)

    class Meta:
        label = gettext_lazy("Extra field")
        icon = "tag"
        label_format = "{attribute} {test} {values}"


class KindChoice(ChoiceConditionBlock):
    """A condition that another app registered."""

    def __init__(self, kind: ConditionKind, **kwargs: object) -> None:
        self.key, self.help = kind.key, kind.help
        super().__init__(choices=choices_of(kind), label=kind.label, icon="mail", **kwargs)


class UnsupportedRuleBlock(blocks.TextBlock):
    """A part of a rule that no block can hold. The builder shows it but cannot save it."""

    def clean(self, value: object) -> object:
        raise ValidationError(_("This page cannot show this condition. Delete it and add it again."))

    def to_rule(self, value: Any) -> Rule:
        return dict(json.loads(value))

    def from_rule(self, rule: Rule) -> object:
        return json.dumps(rule, ensure_ascii=False)

    class Meta:
        label = gettext_lazy("Condition that cannot be shown")
        icon = "warning"


def _field_error(part: str, message: str) -> ValidationError:
    error: ValidationError = blocks.StructBlockValidationError(block_errors={part: ValidationError(message)})
    return error


def _split_location(rule: Rule) -> tuple[str, str]:
    """Return the country and the region code for the two fields. An unknown name stays as written."""
    written = str(rule.get("region") or rule.get("country"))
    try:
        if "country" in rule or len(written) == 2:
            return resolve_country(written), ""
        region = resolve_region(written)
    except UnknownPlace:
        return (written, "") if "country" in rule else (_find_country(written), written)
    return region.partition("-")[0], region


def _find_country(region: str) -> str:
    """Return the country code that a region code begins with, or an empty text if there is no such country."""
    code = region.partition("-")[0].upper()
    try:
        country_name(code)
    except UnknownPlace:
        return ""
    return code
