"""Form fields of people's pages: rows chosen by id, and towns as people type them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import cast

from django import forms
from django.db.models import Model, QuerySet
from django.utils.formats import number_format
from django.utils.translation import get_language, gettext

from subscribers.addresses.normalise import MAX_LENGTH
from subscribers.models import Topic
from subscribers.people.location_labels import label_town
from subscribers.people.locations import Location, locate
from subscribers.places.regions import find_country_in_language, regions_named
from subscribers.places.search import MAX_TOWN_LENGTH

MAX_CHOICES = 6
_MAX_DIGITS = 18


class ChosenRowsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # not subscriptable when it runs
    """Reject an id that is too long for the database, with the usual “invalid choice” error."""

    def clean(self, value: Iterable[object] | None) -> "QuerySet[Model]":
        given = [str(pk) for pk in value or ()]
        wrong = next((pk for pk in given if len(pk) > _MAX_DIGITS), "")
        if wrong:
            raise forms.ValidationError(self.error_messages["invalid_choice"], params={"value": wrong[:_MAX_DIGITS]})
        return super().clean(given)


class RemainingRowsField(ChosenRowsField):
    """Leave out rows that staff deleted since the page was opened. Nobody could choose them again."""

    def clean(self, value: Iterable[object] | None) -> "QuerySet[Model]":
        given = [str(pk) for pk in value or ()]
        numbers = [pk for pk in given if pk.isascii() and pk.isdecimal() and len(pk) <= _MAX_DIGITS]
        rows = cast("QuerySet[Model]", self.queryset).filter(pk__in=numbers)
        remaining = set(map(str, rows.values_list("pk", flat=True)))
        return super().clean([pk for pk in given if pk not in numbers or pk in remaining])


def explain_length(text: str, *, limit: int) -> str:
    """Return the error of a text that has more than ``limit`` characters."""
    return gettext("Your text has %(length)s characters. The limit is %(limit)s. Please shorten it.") % {
        "length": number_format(len(text), force_grouping=True),
        "limit": number_format(limit, force_grouping=True),
    }


def check_length(text: str, *, limit: int) -> str:
    """Return a typed text. Raise ValidationError if it has more than ``limit`` characters."""
    if len(text) > limit:
        raise forms.ValidationError(explain_length(text, limit=limit))
    return text


def explain_bad_address(typed: str) -> str:
    """Return the error of a text that is no valid email address."""
    if not typed.strip():
        return gettext("Please write your email address.")
    if len(typed.strip()) > MAX_LENGTH:
        return explain_length(typed.strip(), limit=MAX_LENGTH)
    return gettext("This is not an email address that we can send to. It looks like name@example.org.")


@dataclass(frozen=True)
class NamedTopic:
    """A topic as a form shows it."""

    pk: int
    name: str
    chosen: bool


def name_topics(topics: Iterable[Topic], *, chosen: Collection[int]) -> list[NamedTopic]:
    """Return the topics under their names in the current language, by name."""
    language = get_language() or "en"
    choices = [NamedTopic(topic.pk, topic.name_in(language), topic.pk in chosen) for topic in topics]
    return sorted(choices, key=lambda topic: topic.name.casefold())


@dataclass(frozen=True)
class TownChoice:
    """A town that a text could mean. `read_town` gets the `value` as `meant`; the `label` is in the current language."""

    value: str
    label: str


class AmbiguousTown(forms.ValidationError):
    """The text fits several places: `choices`, if they are few."""

    def __init__(self, message: str, *, choices: tuple[str, ...]) -> None:
        super().__init__(message)
        self.choices = tuple(TownChoice(choice, label_town(choice)) for choice in choices)


def read_town(text: str, *, meant: str) -> Location:
    """Return the location of a text, empty for no text. `meant` is the chosen town.

    Raises:
        AmbiguousTown: The text fits several places and none of them was chosen.
        ValidationError: The text is too long.
    """
    location = _locate_in_language(check_length(text, limit=MAX_TOWN_LENGTH))
    if not location.ambiguous:
        return location
    choices = location.candidates[:MAX_CHOICES]
    if meant in choices:
        return locate(town=meant)
    values = {"town": text.strip(), "example": "Houston, Texas"}
    if len(choices) == 1:
        raise AmbiguousTown(
            gettext(
                "Is this the town that you mean by “%(town)s”? If not, write a larger town nearby, or only your country."
            )
            % values,
            choices=choices,
        )
    if choices:
        raise AmbiguousTown(gettext("There are several towns called “%(town)s”.") % values, choices=choices)
    raise AmbiguousTown(
        gettext("There are several towns called “%(town)s”. Add the state, region or country, as in “%(example)s”.")
        % values,
        choices=(),
    )


def _locate_in_language(text: str) -> Location:
    """Return the location of a text whose last part may be a country in the current language, such as “Mila, Algérie”.

    A region of that name goes first if it has the town: “Atlanta, Georgia” in Spanish too.
    """
    town, _, last = text.rpartition(",")
    country = find_country_in_language(last, language=get_language() or "en") if town.strip() else ""
    if not country or regions_named(last):
        location = locate(town=text)
        if location.town or location.ambiguous or not country:
            return location
    return locate(country=country, town=town)


def read_known_town(text: str, *, meant: str = "") -> Location:
    """Return the location as `read_town` does, but refuse a text that names no known town, region or country."""
    location = read_town(text, meant=meant)
    if is_unknown_town(text, location):
        raise forms.ValidationError(explain_unknown_town(text))
    return location


def is_unknown_town(text: str, location: Location) -> bool:
    """Return True if a text names no known town, region or country, though it may end with one."""
    return bool(text.strip()) and not location.town and not location.is_area


def explain_unknown_town(text: str) -> str:
    """Return the hint for a text that names no known town, region or country."""
    return gettext("We do not know a town called “%(town)s”. Try a larger town nearby, or your region.") % {
        "town": text.strip()
    }
