"""Write ``places.sqlite3`` for `build_places`: towns, their names and counties, postcodes."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable
from math import cos, radians
from pathlib import Path
from typing import Any

from scripts.county_names import COUNTIES, SHORT
from scripts.place_codes import Row, county_keys
from scripts.place_names import EXTRA_TOWN_NAMES
from subscribers.places.folding import fold, is_usable_alternate

SCHEMA = """
PRAGMA page_size = 4096;
PRAGMA journal_mode = OFF;
CREATE TABLE zone (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE town (id INTEGER PRIMARY KEY, name TEXT NOT NULL, country TEXT NOT NULL, region TEXT NOT NULL,
    county INTEGER NOT NULL, latitude INTEGER NOT NULL, longitude INTEGER NOT NULL, population INTEGER NOT NULL,
    fame INTEGER NOT NULL, zone INTEGER NOT NULL);
CREATE TABLE cell (cell INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL);
CREATE TABLE name (key TEXT NOT NULL, town INTEGER NOT NULL, own INTEGER NOT NULL, PRIMARY KEY (key, town)) WITHOUT ROWID;
CREATE TABLE district (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE county (key TEXT NOT NULL, country TEXT NOT NULL, region TEXT NOT NULL, county INTEGER NOT NULL,
    PRIMARY KEY (key, country, region, county)) WITHOUT ROWID;
CREATE TABLE postcode (country TEXT NOT NULL, code TEXT NOT NULL, region TEXT NOT NULL, latitude INTEGER NOT NULL,
    longitude INTEGER NOT NULL, PRIMARY KEY (country, code)) WITHOUT ROWID;
"""
CELLS_PER_DEGREE = 4
FULLY_NAMED = frozenset({"GB", "IE"})
NAMED_FROM = 15_000
COUNTIES_OF = frozenset({"GB", "IE", "US"})

Town = dict[str, Any]


def cell_of(town: Town) -> int:
    """Return the number of the quarter-degree cell in which a town lies."""
    row = int((town["latitude"] + 90) * CELLS_PER_DEGREE)
    return row * 360 * CELLS_PER_DEGREE + int((town["longitude"] + 180) * CELLS_PER_DEGREE)


def make_region_finder(towns: list[Town], regions: dict[tuple[str, str], str]) -> Callable[[float, float], str]:
    """Return a function that tells the region of the town nearest to a point."""
    cells: dict[int, list[Town]] = defaultdict(list)
    for town in towns:
        cells[cell_of(town)].append(town)

    def region_at(latitude: float, longitude: float) -> str:
        middle = cell_of({"latitude": latitude, "longitude": longitude})
        wide = 360 * CELLS_PER_DEGREE
        near = [town for row in range(-2, 3) for column in range(-2, 3) for town in cells[middle + row * wide + column]]
        if not near:
            return ""
        scale = cos(radians(latitude))
        best = min(near, key=lambda t: (t["latitude"] - latitude) ** 2 + ((t["longitude"] - longitude) * scale) ** 2)
        return regions.get((best["countrycode"], best["admin1code"]), "")

    return region_at


def build_tables(
    path: Path,
    *,
    towns: list[Town],
    regions: dict[tuple[str, str], str],
    counties: dict[int, str],
    postcodes: Iterable[Row],
    banned: set[str],
) -> None:
    """Write the file again. `banned` are folded names of countries and continents, which name no town."""
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    connection.executescript(SCHEMA)
    zones = {name: number for number, name in enumerate(sorted({town["timezone"] for town in towns}), 1)}
    connection.executemany("INSERT INTO zone VALUES (?, ?)", [(number, name) for name, number in zones.items()])
    numbers: dict[tuple[str, str, str], int] = {}
    cells: dict[int, list[int]] = {}
    for number, town in enumerate(sorted(towns, key=lambda town: (cell_of(town), town["geonameid"])), 1):
        cells.setdefault(cell_of(town), [number, number])[1] = number
        region = regions.get((town["countrycode"], town["admin1code"]), "").partition("-")[2]
        county = 0
        if town["countrycode"] in COUNTIES_OF and (name := counties.get(town["geonameid"])):
            county = numbers.setdefault((town["countrycode"], region, name), len(numbers) + 1)
        connection.execute(
            "INSERT INTO town VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                number,
                town["name"],
                town["countrycode"],
                region,
                county,
                round(town["latitude"] * 10_000),
                round(town["longitude"] * 10_000),
                town["population"],
                1 + sum(1 for name in town["alternatenames"] if name),
                zones[town["timezone"]],
            ),
        )
        connection.executemany(
            "INSERT INTO name VALUES (?, ?, ?)",
            [(key, number, own) for key, own in town_keys(town, banned).items() if key],
        )
    connection.executemany("INSERT INTO cell VALUES (?, ?, ?)", [(cell, *ends) for cell, ends in cells.items()])
    connection.executemany(
        "INSERT INTO district VALUES (?, ?)", [(number, name) for (_, _, name), number in numbers.items()]
    )
    connection.executemany("INSERT OR IGNORE INTO county VALUES (?, ?, ?, ?)", county_rows(numbers))
    connection.executemany(
        "INSERT OR IGNORE INTO postcode VALUES (?, ?, ?, ?, ?)",
        [
            (country, code, region.partition("-")[2], round(latitude * 10_000), round(longitude * 10_000))
            for country, code, region, latitude, longitude in postcodes
        ],
    )
    connection.commit()
    connection.execute("VACUUM")
    connection.close()


def town_keys(town: Town, banned: set[str]) -> dict[str, int]:
    """Return the folded names of a town, each with 1 if it is its own, else 0.

    Small towns outside Great Britain and Ireland have no alternates: people seldom write them, and they make most of the file.
    """
    keys = {fold(town["name"]): 1}
    if town["population"] >= NAMED_FROM or town["countrycode"] in FULLY_NAMED:
        for alternate in town["alternatenames"]:
            if is_usable_alternate(alternate):
                key = fold(alternate)
                if len(key) >= 4 and key not in banned:
                    keys.setdefault(key, 0)
    return keys | {fold(name): 1 for name in EXTRA_TOWN_NAMES.get(town["geonameid"], [])}


def county_rows(numbers: dict[tuple[str, str, str], int]) -> list[tuple[str, str, str, int]]:
    """Return (key, country, region, county) for each form in which people write a county.

    In the United States only forms with "County" count: bare names are those of a thousand towns and presidents.
    """
    rows = [
        (key, country, region, number)
        for (country, region, name), number in numbers.items()
        for key in county_keys(name)
        if country != "US" or key.endswith(" county")
    ]
    for country, table in COUNTIES.items():
        short = SHORT.get(country, {})
        for county, districts in table.items():
            members = {*districts, county, county.removeprefix("County ")}
            spellings = county_keys(county) | {fold(text) for text, long in short.items() if long == county}
            rows += [
                (key, country, region, number)
                for (where, region, name), number in numbers.items()
                if where == country and (name in members or county_keys(name) & county_keys(county))
                for key in spellings
            ]
        rows += [
            (fold(text), country, region, number)
            for text, long in short.items()
            for (where, region, name), number in numbers.items()
            if where == country and name == long
        ]
    return rows
