"""A town as people type it, with an answer that they understand in their own language."""

from django import forms
from django.utils.translation import gettext

from subscribers.locations import Location, locate


def read_town(text: str) -> Location:
    """The location; empty for no text. Raises a `ValidationError` for what could be several places, or none."""
    location = locate(town=text)
    if location.ambiguous:
        raise forms.ValidationError(
            gettext(
                "There are several places called “%(town)s”. Add the state, region or country, as in “%(example)s”."
            )
            % {"town": text.strip(), "example": "Houston, Texas"}
        )
    return location


def read_known_town(text: str) -> Location:
    """As `read_town`; a text that names no place we know is refused as well."""
    location = read_town(text)
    if text.strip() and (location.note or not location.known):
        raise forms.ValidationError(
            gettext("“%(town)s” is not a town that we know. Try a larger place nearby.") % {"town": text.strip()}
        )
    return location
