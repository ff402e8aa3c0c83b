"""A town or region as people type it. What could be several towns is asked back as a choice, in their own language."""

from django import forms
from django.utils.translation import gettext

from subscribers.people.locations import Location, locate

MAX_CHOICES = 6


class AmbiguousTown(forms.ValidationError):
    """The text fits several places; `choices` are the towns among them, in words that `read_town` takes as `meant`."""

    def __init__(self, message: str, *, choices: tuple[str, ...]) -> None:
        super().__init__(message)
        self.choices = choices


def read_town(text: str, *, meant: str = "") -> Location:
    """The location; empty for no text. `meant` is the town that was chosen for a text that fits several.

    Raises `AmbiguousTown` until one is chosen.
    """
    location = locate(town=text)
    if not location.ambiguous:
        return location
    choices = location.candidates[:MAX_CHOICES]
    if meant in choices:
        return locate(town=meant)
    named = {"town": text.strip(), "example": "Houston, Texas"}
    if choices:
        raise AmbiguousTown(gettext("There are several places called “%(town)s”.") % named, choices=choices)
    raise AmbiguousTown(
        gettext("There are several places called “%(town)s”. Add the state, region or country, as in “%(example)s”.")
        % named,
        choices=(),
    )


def read_known_town(text: str, *, meant: str = "") -> Location:
    """As `read_town`; a text that names no town, region or country that we know is refused as well."""
    location = read_town(text, meant=meant)
    if text.strip() and not location.town and not location.is_area:
        raise forms.ValidationError(
            gettext("“%(town)s” is not a place that we know. Try a larger town nearby, or your region.")
            % {"town": text.strip()}
        )
    return location
