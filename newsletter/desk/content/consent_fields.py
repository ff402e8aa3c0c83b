"""Form fields that protect the person in a story: the channels of their consent, and excluded regions."""

import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language, gettext_lazy

from newsletter.common.errors import UnknownPlace
from newsletter.common.translation import translate
from newsletter.models.content import Channel
from subscribers.places.regions import country_label, region_label, resolve_country, resolve_region

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

_CODE = re.compile(r"[A-Za-z]{2}-[A-Za-z0-9]{1,3}")
_IN_BRACKETS = re.compile(r"\(([A-Za-z]{2}(?:-[A-Za-z0-9]{1,3})?)\)$")


SHOWN_CHANNELS = (Channel.EMAIL, Channel.ARCHIVE)
"""The channels that the product has. Consent to others is kept and not shown, because nothing reads it."""


class ChannelsField(forms.MultipleChoiceField):
    """The channels in which the person agreed to appear."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, *, label: "_StrPromise") -> None:
        super().__init__(
            choices=[(channel.value, channel.label) for channel in SHOWN_CHANNELS], required=False, label=label
        )

    def has_changed(self, initial: Any, data: Any) -> bool:
        return sorted(set(initial or []) & set(SHOWN_CHANNELS)) != sorted(data or [])


class RegionsField(forms.Field):
    """A list of country and region codes such as ["US", "US-TX"], typed one per line as codes or names."""

    widget = forms.Textarea(attrs={"rows": 2})

    def __init__(self) -> None:
        super().__init__(
            required=False,
            label=gettext_lazy("Do not show in"),
            help_text=gettext_lazy(
                "Countries or regions, one per line: “US-TX”, “Texas, US” or “Kenya”. People there, or whose location we"
                " do not know, get the issue without this story. The public archive leaves it out too."
            ),
        )

    def prepare_value(self, value: Any) -> str:
        return value if isinstance(value, str) else "\n".join(map(label_region_code, value or []))

    def to_python(self, value: Any) -> list[str]:
        if not isinstance(value, str):
            return list(value or [])
        return sorted({_parse_region(line.strip()) for line in value.splitlines() if line.strip()})

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return sorted(initial or []) != self.to_python(data or "")
        except ValidationError:
            return True


def label_region_code(code: str) -> str:
    """Return “Texas (US-TX)”, or the code alone if it is unknown."""
    language = get_language() or "en"
    name = region_label(code, language=language) if "-" in code else country_label(code, language=language)
    return code if name == code else f"{name} ({code})"


def _parse_region(line: str) -> str:
    """Return the code of a country or region. Raise ValidationError if there is none of this name."""
    if inside := _IN_BRACKETS.search(line):
        line = inside[1]
    try:
        return resolve_region(line) if _CODE.fullmatch(line) else resolve_country(line)
    except UnknownPlace:
        name, _comma, country = line.rpartition(",")
    try:
        return resolve_region(name.strip() or line, country=country if name else "")
    except UnknownPlace as error:
        raise ValidationError(translate(error)) from error
