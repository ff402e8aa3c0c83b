"""Form fields for regions: people type and read names, rows hold codes."""

import re

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from newsletter.common.errors import UnknownPlace
from newsletter.common.translation import translate
from subscribers.desk.editing.lines_field import LinesField
from subscribers.places.areas import find_meant_country
from subscribers.places.regions import country_label, find_country_in_some_language, region_label, resolve_region

_CODE = re.compile(r"[A-Za-z]{2}-[A-Za-z0-9]{1,3}")
_IN_BRACKETS = re.compile(r"\(([A-Za-z]{2}(?:-[A-Za-z0-9]{1,3})?)\)$")


class RegionsField(LinesField):
    """A list of country and region codes such as ["US", "US-TX"], typed one per line as codes or names."""

    widget = forms.Textarea(attrs={"rows": 2})

    def __init__(self) -> None:
        super().__init__(
            required=False,
            label=gettext_lazy("Do not show in"),
            help_text=gettext_lazy(
                "Countries or regions, one per line, such as “Texas, US” or “Kenya”. People there, or whose location we"
                " do not know, get the issue without this story. The public archive leaves it out too."
            ),
        )

    def write_lines(self, value: list[str]) -> list[str]:
        return [label_region_code(code) for code in value]

    def read_lines(self, lines: list[str]) -> list[str]:
        return sorted({_parse_region(line) for line in lines})


class RegionField(forms.CharField):
    """The code of one region, typed as a name or a code."""

    def __init__(self) -> None:
        super().__init__(
            required=False,
            label=gettext_lazy("Region"),
            help_text=gettext_lazy(
                "Where its events without a location are, such as “England” or “Texas, US”. Leave it empty if they"
                " can be anywhere."
            ),
        )

    def prepare_value(self, value: object) -> str:
        text = str(value or "")
        return label_region_code(text) if _CODE.fullmatch(text) else text

    def to_python(self, value: object) -> str:
        typed = str(value or "").strip()
        code = _parse_region(typed) if typed else ""
        if code and "-" not in code:
            raise ValidationError(
                _("“%(name)s” is a country. Write a region of it, such as “Texas, US”.") % {"name": typed}
            )
        return code

    def has_changed(self, initial: object, data: object) -> bool:
        try:
            return (initial or "") != self.to_python(data)
        except ValidationError:
            return True


def label_region_code(code: str) -> str:
    """Return a name that a form reads as this code, such as “Texas” or “Punjab, India”; with the code if no name does."""
    language = get_language() or "en"
    names = [name for code_language in (language, "en") for name in _list_names(code, language=code_language)]
    readable = (name for name in names if _reads_as(name, code))
    return next(readable, code if names[0] == code else f"{names[0]} ({code})")


def _list_names(code: str, *, language: str) -> list[str]:
    country = country_label(code.partition("-")[0], language=language)
    if "-" not in code:
        return [country]
    region = region_label(code, language=language)
    return [region, f"{region}, {country}"]


def _reads_as(name: str, code: str) -> bool:
    try:
        return _parse_region(name) == code
    except ValidationError:
        return False


def _parse_region(line: str) -> str:
    """Return the code of a country or region. Raise ValidationError if no region has this name."""
    if inside := _IN_BRACKETS.search(line):
        line = inside[1]
    if country := find_meant_country(line):
        return country
    name, _comma, country = line.rpartition(",")
    try:
        return resolve_region(name.strip() or line, country=country if name else "")
    except UnknownPlace as error:
        if country := find_country_in_some_language(line):
            return country
        raise ValidationError(translate(error)) from error
