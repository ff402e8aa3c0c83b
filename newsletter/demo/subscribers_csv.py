"""The sample organisation's subscribers as a CSV: made-up people at domains that are reserved for examples.

Given names and towns come from data files; nobody in it is a real person.
"""

import csv
import random
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
_ASKS_TOPICS = "web-form"
_SOURCES = (_ASKS_TOPICS, "event", "petition", "church-group", "university")
_SOURCE_WEIGHTS = (1, 6, 6, 4, 2)
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
_CONTENT = files("newsletter.demo").joinpath("content")


def write_subscribers(file: TextIO, *, count: int, seed: int = 1) -> None:
    """Write ``count`` subscribers as CSV with a header, topics separated by ";". The same arguments give the same text.

    Of a hundred people some five have no name, four no location at all, six a country only and five no language. Only those
    who used the web form were asked for topics.
    From twenty people on, each of ``HOSTILE_NAMES`` occurs once, so that every run proves that names are only text.
    """
    names = _CONTENT.joinpath("given_names.txt").read_text(encoding="utf-8").split()
    town_lines = _CONTENT.joinpath("towns.csv").read_text(encoding="utf-8").splitlines()
    towns = list(csv.DictReader(town_lines))
    weights = [int(town["weight"]) for town in towns]
    choose = random.Random(seed)  # noqa: S311  sample data
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for number in range(1, count + 1):
        # Every town once first, so that small samples are spread too.
        town = towns[number - 1] if number <= len(towns) else choose.choices(towns, weights)[0]
        writer.writerow(_make_subscriber(choose, number=number, town=town, name=choose.choice(names)))


def _make_subscriber(choose: random.Random, *, number: int, town: dict[str, str], name: str) -> dict[str, str]:
    source = choose.choices(_SOURCES, _SOURCE_WEIGHTS)[0]
    topics = choose.sample(TOPICS, choose.choice((0, 1, 1, 2))) if source == _ASKS_TOPICS else []
    row = {
        "email": f"reader{number:05d}@{_DOMAINS[number % len(_DOMAINS)]}",
        "name": "" if choose.random() < 0.05 else name,
        "country": town["country"],
        "region": town["region"],
        "city": town["name"],
        "language": "" if choose.random() < 0.05 else choose.choice(town["languages"].split()),
        "topics": ";".join(sorted(topics)),
        "giving": choose.choices(("none", "donor", "monthly"), (60, 27, 13))[0],
        "timezone": town["timezone"],
        "source": source,
    }
    location_known = choose.random()
    if location_known < 0.04:
        row.update(country="", region="", city="", timezone="")
    elif location_known < 0.10:
        row.update(region="", city="", timezone="")
    if 10 < number <= 10 + len(HOSTILE_NAMES):
        row["name"] = HOSTILE_NAMES[number - 11]
    return row
