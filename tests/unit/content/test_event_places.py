"""Events are located by coordinates, text, or their source's region, or are online. Uncertain locations get a note."""

from datetime import UTC, datetime
from typing import Any

import pytest

from newsletter.content.parsing.entries import EventEntry
from newsletter.content.parsing.event_locations import EventLocation, is_online_text, locate_event


def locate(place: str = "", *, region: str = "", country: str = "", **fields: Any) -> EventLocation:
    entry = EventEntry("1", "Talk", datetime(2026, 12, 1, 19, tzinfo=UTC), place=place, **fields)
    return locate_event(entry, default_region=region, default_country=country)


def test_coordinates_come_first_and_give_the_nearest_town() -> None:
    found = locate("The Old School", latitude=29.76, longitude=-95.36)
    assert (found.latitude, found.longitude) == (29.76, -95.36)
    assert (found.town, found.region, found.country, found.zone, found.note) == (
        "Houston",
        "US-TX",
        "US",
        "America/Chicago",
        "",
    )


@pytest.mark.parametrize(
    ("words", "latitude", "longitude", "country"),
    [
        ("Leeds, UK", 29.76, -95.36, ""),
        ("London, UK", -0.12, 51.5, ""),  # latitude and longitude the wrong way round
        ("City Hall, Chicago, IL", 40.71, -74.0, "US"),
        ("Somewhere in France", 52.52, 13.4, ""),
        ("Manchester M2 5PD", 53.8, -1.55, "GB"),
    ],
)
def test_coordinates_that_contradict_the_text_need_an_answer(
    words: str, latitude: float, longitude: float, country: str
) -> None:
    found = locate(words, region="GB-ENG", latitude=latitude, longitude=longitude)
    assert (found.latitude, found.longitude, found.country) == (None, None, country)
    assert "coordinates" in found.note
    assert found.candidates or "No town" in found.note


def test_coordinates_just_over_a_border_do_not_contradict() -> None:
    assert locate("Derry Road, Lifford, Ireland", latitude=54.83, longitude=-7.46).note == ""


def test_coordinates_of_zero_are_ignored() -> None:
    assert locate("Leeds, UK", latitude=0.0, longitude=0.0).town == "Leeds"
    assert locate("Leeds, UK", latitude=95.0, longitude=0.0).town == "Leeds"


def test_coordinates_far_from_any_town_are_kept_with_a_note() -> None:
    found = locate(latitude=-40.0, longitude=-120.0)
    assert (found.latitude, found.town) == (-40.0, "")
    assert "No town" in found.note


def test_an_address_is_located_by_its_town() -> None:
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
def test_a_name_is_read_near_its_source_if_that_makes_sense(
    place: str, region: str, country: str, town: str, where: str
) -> None:
    found = locate(place, region=region, country=country)
    assert (found.town, found.region) == (town, where)


def test_an_ambiguous_name_has_no_point_and_lists_its_meanings() -> None:
    found = locate("Springfield")
    assert (found.latitude, found.region, found.country) == (None, "", "US")
    assert "Springfield, Missouri" in found.note
    assert "Add the state" in found.note


def test_a_sources_region_never_overrides_the_text() -> None:
    found = locate("Springfield", region="GB-ENG")
    assert (found.latitude, found.region, found.country) == (None, "", "US")
    assert {place.region for place in found.candidates} >= {"US-MO", "US-MA", "US-IL"}


def test_a_town_of_a_thousand_people_is_known() -> None:
    assert locate("Village Hall, Ulverston", region="England", country="GB").town == "Ulverston"
    assert locate("Civic Hall, Totnes", region="GB-ENG").town == "Totnes"


def test_an_unknown_village_gets_the_region_of_its_source() -> None:
    found = locate("Village Hall, Nether Nowhere", region="England", country="GB")
    assert (found.region, found.country, found.latitude) == ("GB-ENG", "GB", None)
    assert "1,000" in found.note


@pytest.mark.parametrize(
    ("words", "region"),
    [
        ("New York, NY, USA", "US-NY"),
        ("Washington DC", "US-DC"),
        ("Boston MA", "US-MA"),
        ("Durham NC", "US-NC"),
        ("London Ontario", "CA-ON"),
        ("Main Street Station, Richmond, VA", "US-VA"),
        ("Linn Park, Birmingham, AL 35203, United States", "US-AL"),
        ("Toronto M5V 2T6", "CA-ON"),
    ],
)
def test_an_events_text_wins_over_the_region_of_its_source(words: str, region: str) -> None:
    assert locate(words, region="GB-ENG").region == region


@pytest.mark.parametrize(
    ("words", "source", "region"),
    [
        ("Durham", "GB-ENG", "GB-ENG"),
        ("Durham", "US-NC", "US-NC"),
        ("Whitby", "GB-ENG", "GB-ENG"),
        ("Whitby", "CA-ON", "CA-ON"),
        ("Newcastle", "GB-ENG", "GB-ENG"),
        ("Newcastle", "AU-NSW", "AU-NSW"),
        ("Perth", "GB-SCT", "GB-SCT"),
        ("Athens", "US-GA", "US-GA"),
    ],
)
def test_a_sources_region_decides_between_equal_matches(words: str, source: str, region: str) -> None:
    found = locate(words, region=source)
    assert (found.region, found.note) == (region, "")


@pytest.mark.parametrize(
    ("words", "source"), [("Durham", ""), ("Whitby", ""), ("Boston", "GB-ENG"), ("Houston", "GB-SCT")]
)
def test_a_name_that_may_be_here_or_far_away_needs_an_answer(words: str, source: str) -> None:
    found = locate(words, region=source)
    assert (found.latitude, found.region, found.country) == (None, "", "")
    assert len(found.candidates) > 1


@pytest.mark.parametrize(
    ("words", "town", "latitude", "longitude"),
    [
        ("Church Hall, Hawes DL8 3NT", "Hawes", 54.3, -2.0),
        ("Springfield 65801, USA", "Springfield", 37.2, -93.3),
        ("Elland Road, LS11 0ES", "Leeds", 53.8, -1.6),
        ("York Hall, Old Ford Road, E2 9PJ", "London", 51.5, -0.1),
    ],
)
def test_a_postcode_gives_the_centre_of_its_district(words: str, town: str, latitude: float, longitude: float) -> None:
    found = locate(words)
    assert found.latitude == pytest.approx(latitude, abs=0.2)
    assert found.longitude == pytest.approx(longitude, abs=0.3)


@pytest.mark.parametrize(
    "words", ["Manchester Town Hall, Manchester LS1 4AB", "Springfield, IL 65801", "Boston, USA, SW1A 1AA"]
)
def test_a_postcode_that_contradicts_the_text_needs_an_answer(words: str) -> None:
    found = locate(words)
    assert found.latitude is None
    assert "postcode" in found.note
    assert found.candidates


def test_the_name_of_a_region_is_that_region() -> None:
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
def test_text_that_names_no_location_is_online(words: str) -> None:
    assert is_online_text(words)
    assert locate(words, region="US-TX") == EventLocation(online=True)


@pytest.mark.parametrize("words", ["Leeds", "The Zoomery", "Lineham Hall", ""])
def test_other_text_is_not_online(words: str) -> None:
    assert not is_online_text(words)


@pytest.mark.parametrize("words", ["Online, and at Leeds, UK", "Leeds, UK and online", "Leeds, UK (also on Zoom)"])
def test_an_event_both_online_and_somewhere_is_both(words: str) -> None:
    found = locate(words, online=True)
    assert (found.online, found.town) == (True, "Leeds")


def test_an_event_marked_online_without_text_is_online() -> None:
    assert locate(online=True, region="US-TX") == EventLocation(online=True)


def test_an_event_without_a_location_has_a_note() -> None:
    assert locate().note == "The event names no place."
    assert locate(region="US-TX").region == "US-TX"
    assert locate(country="US").country == "US"


def test_an_unknown_region_of_a_source_is_ignored() -> None:
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
        ("The community centre", 51.5270, -0.0549, "London", "GB-ENG", "Europe/London"),
        ("Also on Zoom: https://example.org/", 47.6253, -122.3222, "Seattle", "US-WA", "America/Los_Angeles"),
    ],
)
def test_a_named_town_wins_if_the_point_is_in_it(
    words: str, latitude: float, longitude: float, town: str, region: str, zone: str
) -> None:
    found = locate(words, latitude=latitude, longitude=longitude)
    assert (found.latitude, found.longitude) == (latitude, longitude)
    assert (found.town, found.region, found.zone, found.note) == (town, region, zone, "")


@pytest.mark.parametrize(
    ("words", "town"),
    [
        ("The Boston Tea Party, 156 Cheltenham Road, Bristol BS6 5RL", "Bristol"),
        ("Hope Church, Hope Street, Wrexham LL11 1BG", "Wrexham"),
        ("Central Library Manchester M2 5PD", "Manchester"),
    ],
)
def test_a_postcode_with_a_town_ignores_venue_and_street(words: str, town: str) -> None:
    assert locate(words, region="GB-ENG").town == town


def test_washington_after_an_unknown_place_needs_an_answer() -> None:
    located = locate("Lincoln Memorial, Washington", region="GB-ENG")
    assert (located.region, located.latitude) == ("", None)
    assert "US-DC" in {place.region for place in located.candidates}
