"""Look up towns in the read-only file that ``scripts/build_places.py`` makes."""

import atexit
import json
import os
import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from math import asin, atan2, cos, degrees, radians, sin, sqrt
from pathlib import Path

from subscribers.places.folding import fold

_FILE = Path(__file__).with_name("places.sqlite3")
_CELLS_PER_DEGREE = 4
_REACHES = (1, 3, 12)
_CITY_CENTRE_KM = 3.0
_TOWN = 15_000
_SMALL_IS_FARTHER = 1.5
EARTH_RADIUS_KM = 6371.0088


@dataclass(frozen=True)
class Town:
    """A town. ``country`` is ISO 3166-1, ``region`` a top-level ISO 3166-2 code or "", ``zone`` an IANA name.

    ``county`` is the number of its county, 0 if unknown. ``fame`` counts the ways in which the world writes its name.
    """

    name: str
    country: str
    region: str
    latitude: float
    longitude: float
    zone: str
    population: int
    county: int = field(default=0, compare=False)
    fame: int = field(default=1, compare=False)


class _File:
    """One connection for each process, opened at the first query and guarded by a lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._owner = 0

    def query(self, sql: str, values: Iterable[object]) -> list[sqlite3.Row]:
        with self._lock:
            if self._connection is None or self._owner != os.getpid():
                uri = f"{_FILE.as_uri()}?mode=ro&immutable=1"
                self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
                self._connection.row_factory = sqlite3.Row
                self._owner = os.getpid()
            return self._connection.execute(sql, tuple(values)).fetchall()

    def close(self) -> None:
        with self._lock:
            if self._connection is not None and self._owner == os.getpid():
                self._connection.close()
            self._connection = None


town_database = _File()
atexit.register(town_database.close)


def _make_town(row: sqlite3.Row) -> Town:
    country, region = row["country"], row["region"]
    return Town(
        name=row["name"],
        country=country,
        region=f"{country}-{region}" if region else "",
        latitude=row["latitude"] / 10_000,
        longitude=row["longitude"] / 10_000,
        zone=row["zone_name"],
        population=row["population"],
        county=row["county"],
        fame=row["fame"],
    )


@lru_cache(maxsize=4096)
def find_towns_named(name: str) -> tuple[tuple[Town, bool], ...]:
    """Return each town of this name, with True if it is the full name, False if it is the beginning of it, as in Newcastle."""
    key = fold(name)
    rows = town_database.query(
        "SELECT t.*, z.name AS zone_name, n.own FROM name n JOIN town t ON t.id = n.town"
        " JOIN zone z ON z.id = t.zone WHERE n.key = ?",
        (key,),
    )
    matches = [(_make_town(row), bool(row["own"])) for row in rows]
    taken = {place.region for place, own in matches if own}
    return tuple(
        (place, own or (place.region not in taken and fold(place.name).startswith(f"{key} "))) for place, own in matches
    )


@lru_cache(maxsize=1024)
def count_people(area: str) -> int:
    """Return how many people the towns of a country or region have, given its code: "EC", "CD-EQ"."""
    country, _, region = area.partition("-")
    rows = town_database.query(
        "SELECT SUM(population) AS people FROM town WHERE country = ? AND ? IN ('', region)", (country, region)
    )
    return int(rows[0]["people"] or 0)


def find_counties_named(text: str) -> tuple[tuple[str, str, int], ...]:
    """Return (country, local part of the region, number) of the counties of this name: "Kent", "Co. Cork"."""
    return _counties().get(fold(text.replace("&", " and ")), ())


@lru_cache(maxsize=1)
def _counties() -> dict[str, tuple[tuple[str, str, int], ...]]:
    """Return all counties by name. There are a few thousand, and every part of an address is looked up."""
    found: dict[str, list[tuple[str, str, int]]] = {}
    for key, country, region, county in town_database.query("SELECT key, country, region, county FROM county", ()):
        found.setdefault(str(key), []).append((str(country), str(region), int(str(county))))
    return {key: tuple(rows) for key, rows in found.items()}


@lru_cache(maxsize=4096)
def county_name(number: int) -> str:
    """Return the name of a county by a town's county number, or ""."""
    rows = town_database.query("SELECT name FROM district WHERE id = ?", (number,)) if number else []
    return str(rows[0][0]) if rows else ""


@lru_cache(maxsize=1024)
def main_zone(*, region: str = "", country: str = "") -> str:
    """Return the IANA zone where most people of a region, else of a country, live; "" if no town of it is known."""
    land, _, part = region.partition("-")
    rows = town_database.query(
        "SELECT z.name FROM town t JOIN zone z ON z.id = t.zone WHERE t.country = ? AND (? = '' OR t.region = ?)"
        " GROUP BY z.name ORDER BY SUM(t.population) DESC LIMIT 1",
        (land or country, part, part),
    )
    return str(rows[0][0]) if rows else ""


def find_towns_starting(text: str, *, limit: int) -> list[Town]:
    """Return towns with a name that begins with this text: own names first, then by population."""
    start = fold(text)
    rows = town_database.query(
        "SELECT t.*, z.name AS zone_name"
        " FROM (SELECT town, MAX(own) AS own FROM name WHERE key >= ? AND key < ? GROUP BY town) n"
        " JOIN town t ON t.id = n.town JOIN zone z ON z.id = t.zone"
        " ORDER BY n.own DESC, t.population DESC LIMIT ?",
        (start, start + "\U0010ffff", limit),
    )
    return [_make_town(row) for row in rows] if start else []


def nearest_place(*, latitude: float, longitude: float, within_km: float = 100.0) -> Town | None:
    """Return the town that people would name for a point, or None if none is within ``within_km`` (about three degrees).

    The nearest centre gives the country, region and zone. Small places count as half as far again, because they are often
    quarters of a larger one. Among the towns that share these, the most important one is named: a city in its own quarters,
    a separate town near a city.
    """
    for reach in _REACHES:
        near: list[tuple[float, Town]] = []
        for place in _around(latitude, longitude, reach):
            away = distance_km(latitude, longitude, place.latitude, place.longitude)
            if away <= within_km:
                near.append((away, place))
        if near:
            _, nearest = min(
                near, key=lambda pair: pair[0] * (1.0 if pair[1].population >= _TOWN else _SMALL_IS_FARTHER)
            )
            area = (nearest.country, nearest.region, nearest.zone)
            alike = [pair for pair in near if (pair[1].country, pair[1].region, pair[1].zone) == area]
            return max(alike, key=lambda pair: _attraction(*pair))[1]
    return None


def is_area_near(country: str, *, region: str = "", latitude: float, longitude: float, within_km: float) -> bool:
    """Return True if a town of the country, or of its region, is within a distance (up to about 80 km) of a point."""
    return any(
        place.country == country
        and region in ("", place.region)
        and distance_km(latitude, longitude, place.latitude, place.longitude) <= within_km
        for place in _around(latitude, longitude, _REACHES[1])
    )


def is_county_near(counties: frozenset[int], place: Town, *, within_km: float) -> bool:
    """Return True if a town of these counties is within a distance (up to about 80 km) of a town."""
    return any(
        other.county in counties
        and distance_km(place.latitude, place.longitude, other.latitude, other.longitude) <= within_km
        for other in _around(place.latitude, place.longitude, _REACHES[1])
    )


def _attraction(away_km: float, place: Town) -> float:
    """Return the pull of a town, falling with the third power so that a city does not name the towns around it."""
    return place.population / (away_km + _CITY_CENTRE_KM) ** 3


def _around(latitude: float, longitude: float, reach: int) -> list[Town]:
    """Return the towns in the quarter-degree cells up to ``reach`` cells away, also across the date line."""
    rows, columns = 180 * _CELLS_PER_DEGREE, 360 * _CELLS_PER_DEGREE
    south, west = int((latitude + 90) * _CELLS_PER_DEGREE), int((longitude + 180) * _CELLS_PER_DEGREE)
    cells = {
        (row * columns) + (column % columns)
        for row in range(max(0, south - reach), min(rows, south + reach) + 1)
        for column in range(west - reach, west + reach + 1)
    }
    found = town_database.query(
        "SELECT t.*, z.name AS zone_name FROM cell c JOIN town t ON t.id BETWEEN c.first AND c.last"
        " JOIN zone z ON z.id = t.zone WHERE c.cell IN (SELECT value FROM json_each(?))",
        [json.dumps(sorted(cells))],
    )
    return [_make_town(row) for row in found]


@dataclass(frozen=True)
class PlaceMatch:
    """The meaning of a text. If ``place`` is None, nothing or too much matches, and ``reason`` says which.

    ``country`` and ``region`` are certain even without a town; ``is_area`` means that the text names only them.
    ``candidates`` come best first. ``point`` is the centre of the postcode's district, if a table has it.
    """

    place: Town | None = None
    ambiguous: bool = False
    candidates: tuple[Town, ...] = ()
    reason: str = ""
    country: str = ""
    region: str = ""
    is_area: bool = False
    point: tuple[float, float] | None = None


def distance_km(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Return the great-circle distance in kilometres between two points in degrees (haversine, within 0.5 %)."""
    north, east = radians(lat2 - lat1), radians(lon2 - lon1)
    chord = sin(north / 2) ** 2 + cos(radians(lat1)) * cos(radians(lat2)) * sin(east / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(chord)))


def compass_point(lat1: float, lon1: float, lat2: float, lon2: float) -> str:
    """Return the direction of the second point, seen from the first: "N", "NE", …"""
    east, start, end = radians(lon2 - lon1), radians(lat1), radians(lat2)
    bearing = degrees(atan2(sin(east) * cos(end), cos(start) * sin(end) - sin(start) * cos(end) * cos(east)))
    return ("N", "NE", "E", "SE", "S", "SW", "W", "NW")[round(bearing / 45) % 8]
