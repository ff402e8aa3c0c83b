"""The words for a subscriber's location, on the pages of staff and readers."""

import pytest
from django.utils import translation

from subscribers.models import SubscriberLocation
from subscribers.web.form_fields import AmbiguousTown, read_known_town, read_town


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"town": "Madrid", "region": "ES-MD", "country": "ES"}, "Madrid, Spain"),
        ({"town": "Houston", "region": "US-TX", "country": "US"}, "Houston, Texas, United States"),
        ({"town": "Luxembourg", "country": "LU"}, "Luxembourg"),
    ],
)
def test_a_location_names_nothing_twice(facts: dict[str, str], words: str) -> None:
    with translation.override("en"):
        assert str(SubscriberLocation(**facts)) == words


@pytest.mark.parametrize(
    ("language", "town", "country", "region", "words"),
    [
        ("fr", "Mila", "DZ", "DZ-43", "Mila, Algérie"),
        ("es", "Mila", "DZ", "DZ-43", "Mila, Argelia"),
        ("fr", "Loja", "EC", "EC-L", "Loja, Équateur"),
        ("en", "Mila", "DZ", "DZ-43", "Mila, Algeria"),
        ("de", "Madrid", "ES", "ES-MD", "Madrid, Spanien"),
        ("de", "Köln", "DE", "DE-NW", "Köln, Deutschland"),
        ("fr", "Munich", "DE", "DE-BY", "Munich, Allemagne"),
        ("de", "Munich", "DE", "DE-BY", "München, Deutschland"),
        ("ar", "Berlin", "DE", "DE-BE", "Berlin, ألمانيا"),
        ("uk", "Cairo", "EG", "EG-C", "Cairo, Єгипет"),
        ("hi", "Leeds", "GB", "GB-ENG", "Leeds, यूनाइटेड किंगडम"),
        ("ro", "Springfield", "US", "US-IL", "Springfield, Illinois, Statele Unite ale Americii"),
        ("pt", "York", "US", "US-PA", "York, Pennsylvania, Estados Unidos"),
        ("es", "Köln", "DE", "DE-NW", "Colonia, Renania del Norte-Westfalia, Alemania"),
        ("en", "Köln", "DE", "DE-NW", "Köln, North Rhine-Westphalia, Germany"),
    ],
)
def test_a_location_shown_on_a_page_is_found_again_in_its_language(
    language: str, town: str, country: str, region: str, words: str
) -> None:
    with translation.override(language):
        assert str(SubscriberLocation(town=town, country=country, region=region)) == words
        found = read_known_town(words)
    assert (found.town, found.country, found.region) == (town, country, region)


def test_a_town_is_not_looked_for_outside_the_country_that_is_named() -> None:
    with translation.override("fr"):
        found = read_town("Springfield, Algérie", meant="")
    assert (found.town, found.country) == ("", "DZ")


@pytest.mark.parametrize(
    ("language", "text"), [("es", "Belfast, Irlanda"), ("en", "Belfast, Ireland"), ("en", "Cardiff, England")]
)
def test_a_town_beside_the_country_that_is_named_is_asked_about(language: str, text: str) -> None:
    with translation.override(language):
        with pytest.raises(AmbiguousTown) as asked:
            read_town(text, meant="")
        chosen = read_known_town(text, meant=asked.value.choices[0].value)
    assert (chosen.town, chosen.country) == (text.partition(",")[0], "GB")
    assert chosen.region in ("GB-NIR", "GB-WLS")


def test_the_towns_to_choose_from_are_named_in_the_readers_language() -> None:
    for language, labels in (
        ("es", ["York, Inglaterra, Reino Unido", "York, Pensilvania, Estados Unidos"]),
        ("en", ["York, England, United Kingdom", "York, Pennsylvania, United States"]),
    ):
        with translation.override(language), pytest.raises(AmbiguousTown) as asked:
            read_town("York", meant="")
        assert [choice.label for choice in asked.value.choices] == labels
        assert asked.value.choices[0].value == "York, England, United Kingdom"


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_state_with_the_name_of_a_country_is_still_found(language: str) -> None:
    with translation.override(language):
        found = read_known_town("Atlanta, Georgia")
    assert (found.town, found.region) == ("Atlanta", "US-GA")
