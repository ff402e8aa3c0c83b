"""What the segment builder's blocks are made of: fields that suggest, and conditions that know their part of a rule."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse_lazy
from django.utils.functional import Promise
from wagtail import blocks

from newsletter.common.errors import BadRule
from newsletter.common.translation import translate
from subscribers.segments.compile import check_rule

Rule = dict[str, Any]


class RegionInput(forms.TextInput):
    """A region's code, chosen from those of the country beside it."""

    def __init__(self) -> None:
        super().__init__(
            {"data-controller": "nl-region", "data-nl-region-url-value": reverse_lazy("subscribers_regions")}
        )

    class Media:
        js = ("subscribers/places.js",)


class TownInput(forms.TextInput):
    """A town's name, completed while it is typed."""

    def __init__(self) -> None:
        where = reverse_lazy("subscribers_towns")
        super().__init__({"data-controller": "nl-town", "data-nl-town-url-value": where, "autocomplete": "off"})

    class Media:
        js = ("subscribers/places.js",)


class WidgetCharBlock(blocks.CharBlock):
    """A line of text that is written by a widget of its own."""

    def __init__(self, *, widget: forms.Widget, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.field.widget = widget


class ConditionBlock:
    """Mixed into a block: its value is one condition, which is checked as the rule will be, and the fault is shown on it."""

    def to_rule(self, value: Any) -> Rule:
        """Each condition says its own. An abstract base is not possible: Wagtail's blocks have a metaclass already."""
        raise NotImplementedError

    def from_rule(self, rule: Rule) -> Any:
        """The way back of `to_rule`; each condition's own, and not abstract for the same reason."""
        raise NotImplementedError

    def clean(self, value: Any) -> Any:
        clean = super().clean(value)  # type: ignore[misc]
        try:
            check_rule(self.to_rule(clean))
        except BadRule as error:
            raise self.refusal(translate(error).partition(": ")[2]) from error
        return clean

    def refusal(self, message: str) -> ValidationError:
        return ValidationError(message)


class StructConditionBlock(ConditionBlock):
    def refusal(self, message: str) -> ValidationError:
        fault: ValidationError = blocks.StructBlockValidationError(non_block_errors=forms.utils.ErrorList([message]))
        return fault


class ChoiceConditionBlock(ConditionBlock, blocks.ChoiceBlock):
    """A condition that names one of the things on offer."""

    key = ""
    help: str | Promise = ""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"help_text": self.help, **kwargs})
        self.field.widget.attrs["aria-label"] = self.meta.label or ""

    def to_rule(self, value: Any) -> Rule:
        return {self.key: value}

    def from_rule(self, rule: Rule) -> Any:
        return rule[self.key]
