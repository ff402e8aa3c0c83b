"""Base classes of the segment builder's blocks: inputs with suggestions, and blocks that hold one condition of a rule."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from wagtail import blocks

from newsletter.common.errors import BadRule
from newsletter.common.translation import translate
from subscribers.segments.compile import check_rule

Rule = dict[str, Any]


class RegionInput(forms.TextInput):
    """A region code, with suggestions from the country in the field next to it."""

    def __init__(self) -> None:
        super().__init__(
            {
                "data-controller": "nl-region",
                "data-nl-region-url-value": reverse_lazy("subscribers_regions"),
                "data-nl-region-whole-value": gettext_lazy("The whole country"),
                "data-nl-region-unchosen-value": gettext_lazy("Choose the country first"),
                "data-nl-region-gone-value": gettext_lazy("no longer there"),
            }
        )

    class Media:
        js = ("subscribers/places.js",)


class TownInput(forms.TextInput):
    """A town name, with suggestions while somebody types."""

    def __init__(self) -> None:
        url = reverse_lazy("subscribers_towns")
        super().__init__({"data-controller": "nl-town", "data-nl-town-url-value": url, "autocomplete": "off"})

    class Media:
        js = ("subscribers/places.js",)


class WidgetCharBlock(blocks.CharBlock):
    """A line of text with a special widget."""

    def __init__(self, *, widget: forms.Widget, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.field.widget = widget


class ConditionBlock:
    """A mixin for blocks that hold one condition. It checks the condition and shows an error on the block.

    Its methods cannot be abstract, because Wagtail's blocks have a metaclass already.
    """

    def to_rule(self, value: Any) -> Rule:
        """Return the condition as a rule."""
        raise NotImplementedError

    def from_rule(self, rule: Rule) -> object:
        """Return the block's value for a rule that `to_rule` can make."""
        raise NotImplementedError

    def clean(self, value: object) -> object:
        clean = super().clean(value)  # type: ignore[misc]
        try:
            check_rule(self.to_rule(clean))
        except BadRule as error:
            raise self.make_error(translate(error).partition(": ")[2]) from error
        return clean

    def make_error(self, message: str) -> ValidationError:
        return ValidationError(message)


class StructConditionBlock(ConditionBlock):
    def make_error(self, message: str) -> ValidationError:
        error: ValidationError = blocks.StructBlockValidationError(non_block_errors=forms.utils.ErrorList([message]))
        return error


class ChoiceConditionBlock(ConditionBlock, blocks.ChoiceBlock):
    """A condition that is one of several choices."""

    key = ""
    help: str | Promise = ""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**{"help_text": self.help, **kwargs})
        self.field.widget.attrs["aria-label"] = self.meta.label or ""

    def to_rule(self, value: object) -> Rule:
        return {self.key: value}

    def from_rule(self, rule: Rule) -> object:
        return rule[self.key]
