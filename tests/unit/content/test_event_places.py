"""Where an event is: coordinates, words, the source's region, online; what is not certain is said."""

from datetime import UTC, datetime
from typing import Any

import pytest

from newsletter.content.entries import EventEntry
from newsletter.content.places import Located, is_online_text, locate_event


def locate(place: str = "", *, region: str = "", country: str = "", **fields: Any) -> Located:
    entry = EventEntry("1", "Talk", datetime(2026, 12, 1, 19, tzinfo=UTC), place=place, **fields)
    return locate_event(entry, default_region=region, default_country=country)


def test_coordinates_come_first_and_name_the_nearest_town() -> None:
    found = locate("Leeds, UK", latitude=29.76, longitude=-95.36)
    assert (found.latitude, found.longitude) == (29.76, -95.36)
    assert (found.town, found.region, found.country, found.zone, found.note) == (
        "Houston",
        "US-TX",
        "US",
        "America/Chicago",
        "",
    )


def test_coordinates_of_nowhere_are_not_believed() -> None:
    assert locate("Leeds, UK", latitude=0.0, longitude=0.0).town == "Leeds"
    assert locate("Leeds, UK", latitude=95.0, longitude=0.0).town == "Leeds"


def test_coordinates_far_from_any_town_are_kept_with_a_note() -> None:
    found = locate(latitude=-40.0, longitude=-120.0)
    assert (found.latitude, found.town) == (-40.0, "")
    assert "No town" in found.note


def test_an_address_is_found_by_its_town() -> None:
    found = locate("12 High Street, Leeds LS1 4AB, UK")
    assert (found.town, found.region, found.zone) == ("Leeds", "GB-ENG", "Europe/London")


@pytest.mark.parametrize(
    ("place", "region", "country", "town", "where"),
    [
        ("Springfield", "US-MO", "", "Springfield", "US-MO"),
        ("Richmond", "US-VA", "", "Richmond", "US-VA"),
        ("Birmingham", "", "US", "Birmingham", "US-AL"),
        ("Worcester", "GB-ENG", "", "Worcester", "GB-ENG"),
        ("Leeds, UK", "US-TX", "", "Leeds", "GB-ENG"),
        ("Houston", "", "GB", "Houston", "US-TX"),
    ],
)
def test_a_name_is_read_as_near_its_source_as_it_makes_sense(
    place: str, region: str, country: str, town: str, where: str
) -> None:
    found = locate(place, region=region, country=country)
    assert (found.town, found.region) == (town, where)


def test_an_ambiguous_name_loses_its_point_and_says_what_was_meant() -> None:
    found = locate("Springfield")
    assert (found.latitude, found.region, found.country) == (None, "", "US")
    assert "Springfield, Missouri" in found.note
    assert "Add the state" in found.note


def test_an_ambiguous_name_falls_back_to_the_region_of_its_source() -> None:
    found = locate("Springfield", region="GB-ENG")
    assert (found.latitude, found.region) == (None, "GB-ENG")
    assert "England" in found.note


def test_a_town_too_small_to_be_known_gets_the_region_of_its_source() -> None:
    found = locate("Village Hall, Ulverston", region="England", country="GB")
    assert (found.region, found.country, found.latitude) == ("GB-ENG", "GB", None)
    assert "15,000" in found.note


def test_a_place_that_is_a_whole_region_is_that_region() -> None:
    found = locate("Texas", region="GB-ENG")
    assert (found.region, found.country, found.latitude) == ("US-TX", "US", None)


@pytest.mark.parametrize(
    "words",
    [
        "Zoom",
        "Online",
        "online (Zoom)",
        "https://zoom.us/j/1?pwd=London",
        "Virtual event",
        "Webinar",
        "Join us via Teams",
        "En línea",
        "Live stream",
    ],
)
def test_words_that_mean_no_place_are_online(words: str) -> None:
    assert is_online_text(words)
    assert locate(words, region="US-TX") == Located(online=True)


@pytest.mark.parametrize("words", ["Leeds", "The Zoomery", "Lineham Hall", ""])
def test_other_words_are_not_online(words: str) -> None:
    assert not is_online_text(words)


@pytest.mark.parametrize("words", ["Online, and at Leeds, UK", "Leeds, UK and online", "Leeds, UK (also on Zoom)"])
def test_an_event_both_online_and_somewhere_is_both(words: str) -> None:
    found = locate(words, online=True)
    assert (found.online, found.town) == (True, "Leeds")


def test_an_event_marked_online_without_words_is_online() -> None:
    assert locate(online=True, region="US-TX") == Located(online=True)


def test_an_event_without_a_place_says_so() -> None:
    assert locate().note == "The event names no place."
    assert locate(region="US-TX").region == "US-TX"
    assert locate(country="US").country == "US"


def test_a_source_with_a_region_that_is_none_is_read_without_it() -> None:
    assert locate("Leeds", region="nonsense", country="nowhere").town == "Leeds"
    assert locate("Community Center", region="nonsense").region == ""


@pytest.mark.parametrize(
    ("words", "latitude", "longitude", "town", "region", "zone"),
    [
        ("Old Royal Naval College, Greenwich", 51.4826, 0.0077, "Greenwich", "GB-ENG", "Europe/London"),
        ("Old Royal Naval College, London SE10 9NN", 51.4826, 0.0077, "London", "GB-ENG", "Europe/London"),
        ("Public Library, Brooklyn, NY", 40.7178, -73.9439, "Brooklyn", "US-NY", "America/New_York"),
        ("Town Hall, Springfield", 39.80, -89.65, "Springfield", "US-IL", "America/Chicago"),
        ("City Hall, Hoboken, NJ", 40.7378, -74.0300, "Hoboken", "US-NJ", "America/New_York"),
        ("Leeds, UK", 29.76, -95.36, "Houston", "US-TX", "America/Chicago"),
        ("The community centre", 51.5270, -0.0549, "London", "GB-ENG", "Europe/London"),
        ("Also on Zoom: https://example.org/", 47.6253, -122.3222, "Seattle", "US-WA", "America/Los_Angeles"),
    ],
)
def test_the_town_that_the_words_name_wins_where_the_point_lies_there(
    words: str, latitude: float, longitude: float, town: str, region: str, zone: str
) -> None:
    found = locate(words, latitude=latitude, longitude=longitude)
    assert (found.latitude, found.longitude) == (latitude, longitude)
    assert (found.town, found.region, found.zone, found.note) == (town, region, zone, "")
