# ruff: noqa: E501  (tables of examples read best one a line)
"""The gazetteer: towns from free text, regions and countries by any name, distances."""

import json
import threading
import time
from pathlib import Path

import pytest

from newsletter.common.errors import UnknownPlace
from subscribers import places
from subscribers.places.areas import find_areas_named
from subscribers.places.disambiguation import describe, describe_apart
from subscribers.places.folding import fold, is_usable_alternate
from subscribers.places.postcode_search import find_named_near
from subscribers.places.postcodes import find_postcodes
from subscribers.places.regions import (
    countries,
    country_label,
    country_name,
    country_of,
    region_label,
    region_name,
    regions_of,
    resolve_country,
    resolve_region,
)
from subscribers.places.search import find_described, find_place
from subscribers.places.suggest import suggest_towns
from subscribers.places.town_names import town_label
from subscribers.places.towns import distance_km, find_towns_named, nearest_place


@pytest.mark.parametrize(
    ("text", "town", "region"),
    [
        ("Houston", "Houston", "US-TX"), ("Houston TX", "Houston", "US-TX"), ("houston texas", "Houston", "US-TX"), ("Austin, TX 78701", "Austin", "US-TX"),
        ("Brașov", "Braşov", "RO-BV"), ("Brasov, Romania", "Braşov", "RO-BV"), ("Cluj", "Cluj-Napoca", "RO-CJ"), ("Bucharest", "Bucharest", "RO-B"),
        ("Kolkata", "Kolkata", "IN-WB"), ("Calcutta", "Kolkata", "IN-WB"), ("Bangalore, India", "Bengaluru", "IN-KA"), ("Pune", "Pune", "IN-MH"),
        ("Leeds, UK", "Leeds", "GB-ENG"), ("London", "London", "GB-ENG"), ("London, GB", "London", "GB-ENG"), ("London SW1A 1AA", "London", "GB-ENG"),
        ("London, Ontario", "London", "CA-ON"), ("London, ON", "London", "CA-ON"), ("Toronto, ON M5V 2T6", "Toronto", "CA-ON"),
        ("Cambridge MA", "Cambridge", "US-MA"), ("Cambridge, UK", "Cambridge", "GB-ENG"), ("Portland, ME", "Portland", "US-ME"),
        ("St. Louis, MO", "St. Louis", "US-MO"), ("Saint Louis, Missouri", "St. Louis", "US-MO"), ("Edinburgh, Scotland", "Edinburgh", "GB-SCT"), ("Cardiff, Wales", "Cardiff", "GB-WLS"),
        ("Belfast, NI", "Belfast", "GB-NIR"), ("Washington, DC", "Washington", "US-DC"), ("Washington DC 20001", "Washington", "US-DC"),
        ("New York", "New York City", "US-NY"), ("NYC", "New York City", "US-NY"), ("New York, NY", "New York City", "US-NY"), ("The Shed, New York", "New York City", "US-NY"),
        ("Atlanta, Georgia", "Atlanta", "US-GA"), ("Tbilisi, Georgia", "Tbilisi", "GE-TB"), ("Paris", "Paris", "FR-IDF"), ("Paris, TX", "Paris", "US-TX"),
        ("München", "Munich", "DE-BY"), ("Manila", "Manila", "PH-00"), ("Cebu City", "Cebu City", "PH-07"), ("Kampala", "Kampala", "UG-C"), ("Nairobi, Kenya", "Nairobi", "KE-30"),
        ("Phnom Penh", "Phnom Penh", "KH-12"), ("Guatemala City", "Guatemala City", "GT-01"), ("Singapore", "Singapore", ""), ("Sydney NSW 2000", "Sydney", "AU-NSW"),
        ("12 High Street, Leeds LS1 4AB, UK", "Leeds", "GB-ENG"), ("The Carriageworks, Millennium Square, Leeds LS2 3AD", "Leeds", "GB-ENG"),
        ("1001 Avenida De Las Americas, Houston, TX 77010, USA", "Houston", "US-TX"), ("St Mary's Church, Oxford", "Oxford", "GB-ENG"), ("10115 Berlin", "Berlin", "DE-BE"),
        ("75001 Paris, France", "Paris", "FR-IDF"), ("Central Library Manchester, UK", "Manchester", "GB-ENG"), ("at Leeds", "Leeds", "GB-ENG"),
        ("Newcastle upon Tyne", "Newcastle upon Tyne", "GB-ENG"), ("Kansas City, Missouri", "Kansas City", "US-MO"), ("Church Hall\n5 Main St\nDallas\nTexas", "Dallas", "US-TX"),
    ],
)  # fmt: skip
def test_a_town_is_found_in_free_text(text: str, town: str, region: str) -> None:
    match = find_place(text)
    assert match.place is not None, match.reason
    assert (match.place.name, match.place.region) == (town, region)
    assert not match.ambiguous
    assert match.candidates == (match.place,)


@pytest.mark.parametrize(
    "text",
    ["Springfield", "Richmond", "Victoria", "Washington", "San Jose", "Richmond, CA", "Kent", "Georgia", "Worcester"],
)
def test_an_ambiguous_name_is_reported_and_not_chosen(text: str) -> None:
    match = find_place(text)
    assert match.ambiguous
    assert match.place is None
    assert "could be" in match.reason


def test_an_ambiguous_name_keeps_what_is_certain_and_what_was_meant() -> None:
    match = find_place("Springfield")
    assert (match.country, match.region) == ("US", "")
    assert {describe(place) for place in match.candidates} >= {
        "Springfield, Missouri, United States",
        "Springfield, Massachusetts, United States",
    }


@pytest.mark.parametrize(
    ("text", "country", "region"),
    [
        ("Texas", "US", "US-TX"),
        ("England", "GB", "GB-ENG"),
        ("UK", "GB", ""),
        ("Mexico", "MX", ""),
        ("India", "IN", ""),
        ("Scotland, UK", "GB", "GB-SCT"),
        ("Nether Nowhere, UK", "GB", ""),
    ],
)
def test_a_country_or_region_is_not_a_town(text: str, country: str, region: str) -> None:
    match = find_place(text)
    assert match.place is None
    assert not match.ambiguous
    assert (match.country, match.region) == (country, region)
    assert match.reason


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "🎉",
        "12345",
        "Africa",
        "Europe",
        "Community Centre",
        "Town Hall",
        "online",
        "; , ;",
        "'; DROP TABLE town; --",
        "x" * 5000,
        "a," * 5000,
        "% _ *",
    ],
)
def test_text_without_a_town_finds_none(text: str) -> None:
    match = find_place(text)
    assert match.place is None
    assert match.reason
    assert match.country == ""


def test_a_given_country_or_region_limits_the_towns() -> None:
    assert find_place("Richmond", region="US-VA").region == "US-VA"
    assert find_place("London", country="CA").region == "CA-ON"
    assert find_place("London", country="United Kingdom", region="England").region == "GB-ENG"
    outside = find_place("Wolverhampton, UK", country="US")
    assert outside.place is None
    assert outside.country == "US"
    with pytest.raises(UnknownPlace):
        find_place("London", country="Nowhere")


@pytest.mark.parametrize(
    ("text", "country", "code"),
    [("TX", "US", "US-TX"), ("US-TX", "", "US-TX"), ("us tx", "", "US-TX"), ("Texas", "", "US-TX"), ("England", "", "GB-ENG"), ("ENG", "UK", "GB-ENG"), ("Scotland", "GB", "GB-SCT"),
     ("Bavaria", "", "DE-BY"), ("Bayern", "", "DE-BY"), ("GB-LDS", "", "GB-ENG"), ("Leeds", "GB", "GB-ENG"), ("Québec", "Canada", "CA-QC"), ("West Bengal", "", "IN-WB"), ("Punjab", "Pakistan", "PK-PB")],
)  # fmt: skip
def test_a_region_is_resolved_from_its_code_its_local_part_or_its_name(text: str, country: str, code: str) -> None:
    assert resolve_region(text, country=country) == code


@pytest.mark.parametrize(
    ("text", "country", "words"),
    [
        ("ZZ", "", "not a region"),
        ("Nowhere", "US", "in United States"),
        ("Punjab", "", "several regions"),
        ("", "", "not a region"),
        ("TX", "Nowhere", "not a country"),
    ],
)
def test_a_region_that_cannot_be_resolved_is_reported(text: str, country: str, words: str) -> None:
    with pytest.raises(UnknownPlace, match=words):
        resolve_region(text, country=country)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("gb", "GB"),
        ("UK", "GB"),
        ("U.S.A.", "US"),
        ("Deutschland", "DE"),
        ("Côte d'Ivoire", "CI"),
        ("Bolivia", "BO"),
        ("PHL", "PH"),
        ("The Philippines", "PH"),
        ("Kosovo", "XK"),
    ],
)
def test_a_country_is_resolved_from_code_or_name(text: str, code: str) -> None:
    assert resolve_country(text) == code


def test_codes_have_names_and_unknown_ones_are_reported() -> None:
    assert (country_name("gb"), region_name("us-tx"), country_of("US-TX"), country_of("")) == (
        "United Kingdom",
        "Texas",
        "US",
        "",
    )
    for wrong in (lambda: country_name("ZZ"), lambda: region_name("US-ZZ"), lambda: resolve_country("Nowhere")):
        with pytest.raises(UnknownPlace):
            wrong()


def test_the_regions_of_a_country_are_its_top_level_by_name() -> None:
    assert regions_of("GB") == (
        ("GB-ENG", "England"),
        ("GB-NIR", "Northern Ireland"),
        ("GB-SCT", "Scotland"),
        ("GB-WLS", "Wales"),
    )
    assert len(regions_of("United States")) == 57


def test_the_nearest_town_of_a_point() -> None:
    leeds = nearest_place(latitude=53.8, longitude=-1.55)
    assert leeds is not None
    assert leeds.name == "Leeds"
    assert nearest_place(latitude=-40.0, longitude=-120.0) is None
    across = nearest_place(latitude=-18.14, longitude=-180.0, within_km=400)
    assert across is not None
    assert across.country == "FJ"
    assert nearest_place(latitude=90.0, longitude=180.0) is None


@pytest.mark.parametrize(
    ("latitude", "longitude", "name", "region", "zone"),
    [
        (51.5270, -0.0549, "London", "GB-ENG", "Europe/London"),  # Bethnal Green
        (51.5080, -0.1280, "London", "GB-ENG", "Europe/London"),  # Trafalgar Square
        (51.3762, -0.0982, "Croydon", "GB-ENG", "Europe/London"),
        (51.7517, -0.3415, "St Albans", "GB-ENG", "Europe/London"),
        (51.6565, -0.3903, "Watford", "GB-ENG", "Europe/London"),
        (52.2053, 0.1218, "Cambridge", "GB-ENG", "Europe/London"),
        (53.7960, -1.7594, "Bradford", "GB-ENG", "Europe/London"),
        (53.4875, -2.2901, "Salford", "GB-ENG", "Europe/London"),
        (55.9755, -3.1727, "Edinburgh", "GB-SCT", "Europe/London"),  # Leith
        (40.7580, -73.9855, "New York City", "US-NY", "America/New_York"),  # Times Square
        (40.6942, -73.9187, "New York City", "US-NY", "America/New_York"),  # Bushwick
        (40.6782, -73.9442, "Brooklyn", "US-NY", "America/New_York"),
        (40.7178, -74.0431, "Jersey City", "US-NJ", "America/New_York"),
        (38.9072, -77.0369, "Washington", "US-DC", "America/New_York"),
        (38.8816, -77.0910, "Arlington", "US-VA", "America/New_York"),
        (42.3736, -71.1097, "Cambridge", "US-MA", "America/New_York"),
        (47.6253, -122.3222, "Seattle", "US-WA", "America/Los_Angeles"),  # Capitol Hill
        (47.2529, -122.4443, "Tacoma", "US-WA", "America/Los_Angeles"),
        (37.7599, -122.4148, "San Francisco", "US-CA", "America/Los_Angeles"),  # Mission District
        (29.3013, -94.7977, "Galveston", "US-TX", "America/Chicago"),
        (43.6629, -79.3832, "Toronto", "CA-ON", "America/Toronto"),  # Bay Street Corridor
        (43.2557, -79.8711, "Hamilton", "CA-ON", "America/Toronto"),
        (45.5088, -73.5617, "Montréal", "CA-QC", "America/Toronto"),  # Ville-Marie
        (49.2827, -123.1207, "Vancouver", "CA-BC", "America/Vancouver"),
        (48.8014, 2.1301, "Versailles", "FR-IDF", "Europe/Paris"),
        (52.4986, 13.4031, "Berlin", "DE-BE", "Europe/Berlin"),  # Kreuzberg
        (19.0186, 72.8424, "Mumbai", "IN-MH", "Asia/Kolkata"),  # Dadar
        (14.5547, 121.0244, "Makati City", "PH-00", "Asia/Manila"),
    ],
)
def test_a_point_is_named_after_its_city_or_its_own_town(
    latitude: float, longitude: float, name: str, region: str, zone: str
) -> None:
    town = nearest_place(latitude=latitude, longitude=longitude)
    assert town is not None
    assert (town.name, town.region, town.zone) == (name, region, zone)


def test_distances() -> None:
    assert distance_km(51.5074, -0.1278, 48.8566, 2.3522) == pytest.approx(343.6, abs=1)
    assert distance_km(0, 0, 0, 0) == 0
    assert distance_km(0, 0, 0, 180) == pytest.approx(20015, abs=1)
    assert distance_km(0, 179.9, 0, -179.9) == pytest.approx(22.2, abs=0.1)


def test_names_are_compared_without_accents_case_or_dots() -> None:
    assert fold("  Saint-Étienne ") == fold("St. Etienne") == "saint etienne"
    assert fold("Łódź") == "lodz"
    assert fold("Straße") == "strasse"
    assert not is_usable_alternate("NYC")
    assert not is_usable_alternate("Москва")
    assert not is_usable_alternate("li ci")
    assert is_usable_alternate("Calcutta")


def test_look_ups_are_quick_and_safe_from_many_threads() -> None:
    problems: list[str] = []

    def look() -> None:
        for name in ("Leeds, UK", "Houston TX", "Springfield", "Kolkata") * 25:
            find_place.cache_clear()
            if (find_place(name).place is None) != (name == "Springfield"):
                problems.append(name)

    threads = [threading.Thread(target=look) for _ in range(8)]
    started = time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("code", "language", "name"),
    [
        ("US-NY", "es", "Nueva York"),
        ("US-TX", "es", "Texas"),
        ("GB-ENG", "es-MX", "Inglaterra"),
        ("ES-CT", "es", "Cataluña"),
        ("ES-MD", "es", "Comunidad de Madrid"),
        ("DE-BY", "es", "Baviera"),
        ("IN-TN", "es", "Tamil Nadu"),
        ("US-NY", "en", "New York"),
        ("US-NY", "zz", "New York"),
        ("US-NY", "../etc", "New York"),
        ("XX-YY", "es", "XX-YY"),
        ("us-ny", "es", "Nueva York"),
    ],
)
def test_a_regions_name_is_in_the_readers_language_if_known(code: str, language: str, name: str) -> None:
    assert region_label(code, language=language) == name


@pytest.mark.parametrize(
    ("code", "language", "name"),
    [
        ("GB", "es", "Reino Unido"),
        ("us", "es-MX", "Estados Unidos"),
        ("GB", "en", "United Kingdom"),
        ("GB", "xx", "United Kingdom"),
        ("ZZZ", "es", "ZZZ"),
        ("CW", "en", "Curaçao"),
        ("RE", "en", "Réunion"),
        ("AX", "en", "Åland Islands"),
        ("RE", "es", "Reunión"),
    ],
)
def test_a_country_is_called_as_its_reader_calls_it(code: str, language: str, name: str) -> None:
    assert country_label(code, language=language) == name


def test_towns_have_the_names_that_spanish_readers_use() -> None:
    assert town_label("London", country="GB", language="es-MX") == "Londres"
    assert town_label("London", country="CA", language="es") == "London"
    assert town_label("London", country="GB", language="en") == "London"
    assert town_label("London", country="GB", language="../es") == "London"


@pytest.mark.parametrize(
    ("language", "name"), [("de", "München"), ("fr", "Munich"), ("es", "Múnich"), ("en", "Munich"), ("pt", "Munich")]
)
def test_a_town_is_called_as_its_reader_calls_it(language: str, name: str) -> None:
    assert town_label("Munich", country="DE", language=language) == name


@pytest.mark.parametrize("language", ["de", "es", "fr"])
def test_the_gazetteer_has_each_town_with_a_name_in_a_language(language: str) -> None:
    named = json.loads((Path(places.__file__).parent / f"towns.{language}.json").read_text(encoding="utf-8"))
    for country, names in named.items():
        for name, translated in names.items():
            assert {(town.name, town.country) for town, _own in find_towns_named(name)} >= {(name, country)}, name
            found = find_place(translated, country=country).place
            assert found is not None, translated
            assert found.name == name


def test_regions_and_countries_are_listed_by_their_names_in_the_language() -> None:
    assert ("US-NY", "Nueva York") in regions_of("US", language="es")
    names = [name for _code, name in countries(language="es")]
    assert "Alemania" in names
    assert names.index("Alemania") < names.index("Andorra") < names.index("Zimbabue")


@pytest.mark.parametrize(
    ("text", "town", "region"),
    [
        ("Totnes", "Totnes", "GB-ENG"),
        ("Whitby, UK", "Whitby", "GB-ENG"),
        ("Wash. DC", "Washington", "US-DC"),
        ("Philadelphia, Penn.", "Philadelphia", "US-PA"),
        ("Halifax, W. Yorks", "Halifax", "GB-ENG"),
        ("Washington, Tyne & Wear", "Washington", "GB-ENG"),
        ("Newport, Isle of Wight", "Newport", "GB-ENG"),
        ("Ashford, Kent", "Ashford", "GB-ENG"),
        ("Cobh, Co. Cork", "Cobh", "IE-M"),
        ("Frankfurt (Oder)", "Frankfurt (Oder)", "DE-BB"),
        ("Quebec City", "Québec", "CA-QC"),
        ("Downtown Houston", "Houston", "US-TX"),
        ("Mumbai, MH", "Mumbai", "IN-MH"),
        ("Garden Grove, CA", "Garden Grove", "US-CA"),
        ("SW1A 1AA", "London", "GB-ENG"),
        ("YO22", "Whitby", "GB-ENG"),
    ],
)
def test_towns_of_a_thousand_people_are_found_however_they_are_written(text: str, town: str, region: str) -> None:
    match = find_place(text)
    assert match.place is not None, match.reason
    assert (match.place.name, match.place.region) == (town, region)


@pytest.mark.parametrize(
    ("text", "spot"),
    [
        ("Ashford, Kent", (51.1, 0.9)),
        ("Ashford, Surrey", (51.4, -0.5)),
        ("Newport, Isle of Wight", (50.7, -1.3)),
        ("Newport, Shropshire", (52.8, -2.4)),
        ("Richmond, North Yorkshire", (54.4, -1.7)),
    ],
)
def test_a_county_distinguishes_towns_of_one_name(text: str, spot: tuple[float, float]) -> None:
    place = find_place(text).place
    assert place is not None
    assert (place.latitude, place.longitude) == pytest.approx(spot, abs=0.15)


def test_a_town_far_from_the_county_that_is_named_is_not_taken() -> None:
    assert find_place("Whitby, Cornwall").place is None


@pytest.mark.parametrize(
    "text",
    [
        "12 London Road",
        "Lavender Hill",
        "The Village",
        "Hotel Victoria",
        "Liberty, 12 Main Street",
        "Library, Park Street",
    ],
)
def test_streets_and_venues_named_like_towns_are_not_towns(text: str) -> None:
    assert find_place(text, near="GB-ENG").place is None


@pytest.mark.parametrize(
    "text",
    [
        "Shirley, England, United Kingdom",
        "Saint Ives, England, United Kingdom",
        "Winsen, Lower Saxony, Germany",
        "Rāmpur, Uttar Pradesh, India",
        "Gibraltar",
        "Elk Grove, California, United States",
        "Hải Dương, Haiphong, Vietnam",
    ],
)
def test_a_town_that_was_kept_in_words_before_the_list_grew_is_still_found(text: str) -> None:
    match = find_described(text)
    assert match.place is not None
    assert match.place.population > 15_000
    assert match.place.name == text.partition(",")[0]


def test_towns_of_one_name_and_region_are_offered_with_their_counties() -> None:
    names = describe_apart(find_place("Shirley, England").candidates)
    assert names == ["Shirley, Solihull, England, United Kingdom", "Shirley, Greater London, England, United Kingdom"]
    for name in names:
        assert find_place(name).place is not None


@pytest.mark.parametrize(("typed", "suggested"), [("Totn", "Totnes, England, United Kingdom"), ("Whitb", "Whitby, England, United Kingdom"), ("newport, shrop", "Newport, Telford and Wrekin, England, United Kingdom")])  # fmt: skip
def test_small_towns_are_suggested_while_they_are_typed(typed: str, suggested: str) -> None:
    if "," in typed:
        assert suggested in suggest_towns("Newport, England", limit=20)
    else:
        assert suggested in suggest_towns(typed)


def test_every_suggestion_means_one_town() -> None:
    for typed in ("newp", "ashf", "spring", "san j", "frank"):
        for suggestion in suggest_towns(typed, limit=20):
            assert find_place(suggestion).place is not None, suggestion


@pytest.mark.parametrize(
    ("text", "country", "region", "has_point"),
    [
        ("Leeds LS1 4AB", "GB", "GB-ENG", True),
        ("leeds ls14ab", "GB", "GB-ENG", True),
        ("Edinburgh EH1 1EW", "GB", "GB-SCT", True),
        ("Belfast BT1 5GS", "GB", "GB-NIR", False),
        ("Toronto M5V 2T6", "CA", "CA-ON", False),
        ("Galway H91 TK33", "IE", "", False),
        ("Austin, TX 78701-1234", "US", "US-TX", True),
        ("San Juan 00901", "PR", "", True),
    ],
)
def test_a_postcode_gives_country_region_and_point(text: str, country: str, region: str, has_point: bool) -> None:
    code = find_postcodes(text)[0]
    assert (code.country, code.region, code.latitude is not None) == (country, region, has_point)


@pytest.mark.parametrize(
    "text", ["ZZ9 9ZZ", "Room 12", "2026", "+44 20 7946 0000", "00000", "D2 D2", "a" * 3000, "LS1 4AB" * 0]
)
def test_other_text_is_not_a_postcode(text: str) -> None:
    assert [code for code in find_postcodes(text) if code.certain] == []


@pytest.mark.parametrize(
    ("text", "town", "region", "named"),
    [
        ("Belfast, Irlanda", "Belfast", "GB-NIR", "IE"),
        ("Grand Central Hotel, Belfast, Ireland", "Belfast", "GB-NIR", "IE"),
        ("Cardiff, England", "Cardiff", "GB-WLS", "GB"),
        ("Edinburgh, England", "Edinburgh", "GB-SCT", "GB"),
        ("Strasbourg, Alemania", "Strasbourg", "FR-GES", "DE"),
    ],
)
def test_a_town_just_outside_the_named_area_is_asked_about(text: str, town: str, region: str, named: str) -> None:
    match = find_place(text)
    assert (match.place, match.ambiguous, match.country) == (None, True, named)
    assert (match.candidates[0].name, match.candidates[0].region) == (town, region)
    assert f"“{town}” is not in " in match.reason


@pytest.mark.parametrize("text", ["Springfield, Algérie", "Paris, Ireland", "Church Hall, Ireland"])
def test_a_town_far_from_the_named_country_is_not_asked_about(text: str) -> None:
    match = find_place(text)
    assert (match.place, match.ambiguous, match.candidates) == (None, False, ())
    assert match.country in ("DZ", "IE")


@pytest.mark.parametrize(
    ("text", "town", "country"),
    [
        ("Leeds, Reino Unido", "Leeds", "GB"),
        ("Mila, Algérie", "Mila", "DZ"),
        ("Lyon, Frankreich", "Lyon", "FR"),
        ("Madrid, Espanha", "Madrid", "ES"),
        ("Kyiv, Україна", "Kyiv", "UA"),
        ("Atlanta, Georgia", "Atlanta", "US"),
    ],
)
def test_a_town_is_found_with_its_country_in_another_language(text: str, town: str, country: str) -> None:
    match = find_place(text)
    assert match.place is not None, match.reason
    assert (match.place.name, match.place.country) == (town, country)


def test_a_town_named_like_a_country_in_another_language_stays_a_town() -> None:
    assert find_place("Alhambra, Granada").candidates[0].country == "ES"
    assert resolve_country("Granada") == "GD"


@pytest.mark.parametrize(
    ("text", "code"), [("Irlanda", "IE"), ("Reino Unido", "GB"), ("Níger", "NE"), ("Türkei", "TR")]
)
def test_a_country_is_known_by_its_name_in_the_languages_of_mails(text: str, code: str) -> None:
    assert resolve_country(text) == code


@pytest.mark.parametrize("text", ["CON", "con", "LND", "KEN", "DEV"])
def test_the_code_of_a_part_of_a_region_names_nothing(text: str) -> None:
    assert not [area for area in find_areas_named(text) if area.region == "GB-ENG" and not area.counties]


@pytest.mark.parametrize(("text", "region"), [("ENG", "GB-ENG"), ("NSW", "AU-NSW"), ("TX", "US-TX"), ("QC", "CA-QC")])
def test_the_code_of_a_top_level_region_names_it(text: str, region: str) -> None:
    assert region in [area.region for area in find_areas_named(text)]


MEGABYTE = 1_000_000
HOSTILE = {
    "letters": "a" * MEGABYTE,
    "brackets": "a (b) " * (MEGABYTE // 6),
    "open brackets": "a (" * (MEGABYTE // 3),
    "spaces": "a" + " " * MEGABYTE + "(b)",
    "names before brackets": "".join(f"Town{number} (Oder) " for number in range(MEGABYTE // 16)),
    "ZIP codes": "".join(f"{number:05} " for number in range(100_000)),
    "postcodes": "".join(f"LS{number % 100} {number % 10}AB " for number in range(MEGABYTE // 9)),
    "commas": "a," * (MEGABYTE // 2),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_of_a_megabyte_costs_little_time(name: str) -> None:
    text = HOSTILE[name]
    find_place("Leeds")
    started = time.process_time()
    find_place(text)
    find_named_near(text, latitude=51.5, longitude=-0.1, within_km=30)
    assert time.process_time() - started < 0.25


@pytest.mark.parametrize(
    ("text", "country", "region"),
    [
        ("Équateur", "EC", ""), ("Liban", "LB", ""), ("Siria", "SY", ""), ("Jordania", "JO", ""), ("Inde", "IN", ""),
        ("Argentine", "AR", ""), ("Tailandia", "TH", ""), ("Luxemburg", "LU", ""), ("La Réunion", "RE", ""), ("Polen", "PL", ""),
        ("Salvador", "BR", "BR-BA"), ("Granada", "", ""), ("Guadalupe", "MX", ""), ("San Martín", "AR", "AR-M"), ("Columbia", "US", ""),
        ("Franca", "BR", "BR-SP"),
    ],
)  # fmt: skip
def test_a_countrys_foreign_name_means_it_unless_a_large_place_has_it(text: str, country: str, region: str) -> None:
    match = find_place(text)
    assert (match.country, match.region) == (country, region)


@pytest.mark.parametrize(
    ("text", "town", "country"),
    [("Quito, Équateur", "Quito", "EC"), ("Beyrouth, Liban", "Beirut", "LB"), ("Damasco, Siria", "Damascus", "SY"), ("Salvador, Brasil", "Salvador", "BR")],
)  # fmt: skip
def test_a_town_beside_a_countrys_foreign_name_is_in_that_country(text: str, town: str, country: str) -> None:
    place = find_place(text).place
    assert place is not None
    assert (place.name, place.country) == (town, country)
