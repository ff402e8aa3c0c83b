"""The sample organisation's subscribers: a CSV of made-up people at domains that are reserved for examples.

Given names only, from a data file; nobody in it is a real person.
"""

import csv
import random
from dataclasses import dataclass
from importlib.resources import files
from typing import TextIO

COLUMNS = ("email", "name", "country", "region", "city", "language", "topics", "giving", "timezone", "source")
TOPICS = (
    "fair-wages",
    "land-rights",
    "access-to-courts",
    "safe-migration",
    "legal-clinics",
    "policing",
    "survivor-leadership",
)

_DOMAINS = ("example.org", "example.com", "example.net")
_SOURCES = ("web-form", "event", "petition", "church-group", "university")


@dataclass(frozen=True)
class _Town:
    name: str
    country: str
    region: str
    timezone: str
    weight: int
    languages: tuple[str, ...] = ("en",)


_LONDON, _CHICAGO, _NEW_YORK, _LOS_ANGELES, _TORONTO, _BERLIN = (
    "Europe/London",
    "America/Chicago",
    "America/New_York",
    "America/Los_Angeles",
    "America/Toronto",
    "Europe/Berlin",
)
_TOWNS = (
    _Town("London", "GB", "GB-ENG", _LONDON, 26),
    _Town("Croydon", "GB", "GB-ENG", _LONDON, 6),
    _Town("Watford", "GB", "GB-ENG", _LONDON, 4),
    _Town("St Albans", "GB", "GB-ENG", _LONDON, 4),
    _Town("Cambridge", "GB", "GB-ENG", _LONDON, 5),
    _Town("Manchester", "GB", "GB-ENG", _LONDON, 9),
    _Town("Stockport", "GB", "GB-ENG", _LONDON, 3),
    _Town("Leeds", "GB", "GB-ENG", _LONDON, 5),
    _Town("Birmingham", "GB", "GB-ENG", _LONDON, 6),
    _Town("Plymouth", "GB", "GB-ENG", _LONDON, 3),
    _Town("Edinburgh", "GB", "GB-SCT", _LONDON, 7),
    _Town("Glasgow", "GB", "GB-SCT", _LONDON, 5),
    _Town("Inverness", "GB", "GB-SCT", _LONDON, 2),
    _Town("Cardiff", "GB", "GB-WLS", _LONDON, 4),
    _Town("Swansea", "GB", "GB-WLS", _LONDON, 2),
    _Town("Belfast", "GB", "GB-NIR", _LONDON, 3),
    _Town("Houston", "US", "US-TX", _CHICAGO, 12, ("en", "en", "es")),
    _Town("Galveston", "US", "US-TX", _CHICAGO, 2),
    _Town("Dallas", "US", "US-TX", _CHICAGO, 6, ("en", "en", "es")),
    _Town("Austin", "US", "US-TX", _CHICAGO, 4),
    _Town("El Paso", "US", "US-TX", "America/Denver", 2, ("en", "es")),
    _Town("Washington", "US", "US-DC", _NEW_YORK, 6),
    _Town("Arlington", "US", "US-VA", _NEW_YORK, 3),
    _Town("New York City", "US", "US-NY", _NEW_YORK, 8, ("en", "en", "es")),
    _Town("Buffalo", "US", "US-NY", _NEW_YORK, 2),
    _Town("Seattle", "US", "US-WA", _LOS_ANGELES, 4),
    _Town("Los Angeles", "US", "US-CA", _LOS_ANGELES, 5, ("en", "en", "es")),
    _Town("San Francisco", "US", "US-CA", _LOS_ANGELES, 4),
    _Town("Springfield", "US", "US-IL", _CHICAGO, 2),
    _Town("Springfield", "US", "US-MO", _CHICAGO, 2),
    _Town("Honolulu", "US", "US-HI", "Pacific/Honolulu", 1),
    _Town("Toronto", "CA", "CA-ON", _TORONTO, 7),
    _Town("Hamilton", "CA", "CA-ON", _TORONTO, 2),
    _Town("Ottawa", "CA", "CA-ON", _TORONTO, 2),
    _Town("Vancouver", "CA", "CA-BC", "America/Vancouver", 4),
    _Town("Montréal", "CA", "CA-QC", _TORONTO, 4, ("fr", "fr", "en")),
    _Town("Berlin", "DE", "DE-BE", _BERLIN, 5, ("de", "de", "en")),
    _Town("Hamburg", "DE", "DE-HH", _BERLIN, 3, ("de",)),
    _Town("Munich", "DE", "DE-BY", _BERLIN, 2, ("de",)),
    _Town("Dublin", "IE", "IE-L", "Europe/Dublin", 4),
    _Town("Cork", "IE", "IE-M", "Europe/Dublin", 2),
)
HOSTILE_NAMES = (
    '"><b>Bold</b>',
    "{{ 7*7 }}",
    "%recipient.name%",
    "<script>alert(1)</script>",
    "🌻 Sunny 🌻",
    "مريم",
    "=1+1",
    "O'Neil & Ünal",
    "*|FNAME|*",
    "A" * 300,
)


def write_people(file: TextIO, *, count: int, seed: int = 7) -> None:
    """Write ``count`` subscribers as CSV with a header, topics separated by ";". The same arguments give the same text.

    Of a hundred people some five have no name, four no place at all, six a country only and five no language.
    From twenty people on, each of ``HOSTILE_NAMES`` occurs once, so that every run proves that names are only text.
    """
    names = files("newsletter.demo").joinpath("content", "given_names.txt").read_text(encoding="utf-8").split()
    choose = random.Random(seed)  # noqa: S311  sample data
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    writer.writeheader()
    weights = [town.weight for town in _TOWNS]
    for number in range(1, count + 1):
        town = _pick_town(choose, number=number, weights=weights)
        writer.writerow(_make_person(choose, number=number, town=town, name=choose.choice(names)))


def _pick_town(choose: random.Random, *, number: int, weights: list[int]) -> _Town:
    """Every town once first, so that small samples are spread too."""
    if number <= len(_TOWNS):
        return _TOWNS[number - 1]
    return choose.choices(_TOWNS, weights)[0]


def _make_person(choose: random.Random, *, number: int, town: _Town, name: str) -> dict[str, str]:
    person = {
        "email": f"reader{number:05d}@{_DOMAINS[number % len(_DOMAINS)]}",
        "name": "" if choose.random() < 0.05 else name,
        "country": town.country,
        "region": town.region,
        "city": town.name,
        "language": "" if choose.random() < 0.05 else choose.choice(town.languages),
        "topics": ";".join(sorted(choose.sample(TOPICS, choose.choice((0, 0, 1, 2, 3))))),
        "giving": choose.choices(("none", "donor", "monthly"), (60, 27, 13))[0],
        "timezone": town.timezone,
        "source": choose.choice(_SOURCES),
    }
    place_known = choose.random()
    if place_known < 0.04:
        person.update(country="", region="", city="", timezone="")
    elif place_known < 0.10:
        person.update(region="", city="", timezone="")
    if 10 < number <= 10 + len(HOSTILE_NAMES):
        person["name"] = HOSTILE_NAMES[number - 11]
    return person
