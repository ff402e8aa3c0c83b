"""Countries and regions that a town can lie in, and how people write them after its name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from newsletter.common.errors import UnknownPlace
from newsletter.common.messages import Message
from subscribers.places.folding import fold
from subscribers.places.regions import (
    continent_named,
    country_name,
    find_country_in_some_language,
    find_usual_country,
    names_region,
    region_name,
    regions_named,
    resolve_region,
)
from subscribers.places.towns import Town, count_people, find_counties_named, find_towns_named

_COUNTRIES_OF_BARE_CODES = ("US", "CA", "AU", "GB")
_LESS_KNOWN_CODES_OF = ("IN", "DE")
_LONGEST_CODE = 3
_SHORTEST_FOREIGN_NAME = 4
_LARGE_TOWN = 100_000
_TIMES_LARGER = 20
_REGIONS_KNOWN_BY_NAME = ("US", "CA", "AU", "GB", "IN", "IE")


@dataclass(frozen=True)
class Area:
    """A country, a region or counties of a region. The empty area is the world."""

    country: str = ""
    region: str = ""
    counties: frozenset[int] = frozenset()

    def contains(self, place: Town) -> bool:
        """Return True if the town is in it."""
        return (
            (not self.country or place.country == self.country)
            and (not self.region or place.region == self.region)
            and (not self.counties or not place.county or place.county in self.counties)
        )

    def describe(self) -> str:
        """Return the area as text: "Texas, United States"."""
        if not self.country:
            return Message("the world")
        names = [region_name(self.region)] if self.region else []
        return ", ".join([*names, country_name(self.country)])

    def describe_as(self, text: str) -> str:
        """Return the area as text, given the name used for it: "a part of England, United Kingdom" for Kent."""
        if self.region and fold(text) not in {fold(region_name(self.region)), self.region.partition("-")[2].lower()}:
            return Message("a part of %(describe)s", describe=self.describe())
        return self.describe()

    @property
    def is_widely_known(self) -> bool:
        """Return True if its bare name means it, even if a large town elsewhere has that name."""
        return not self.region or self.country in _REGIONS_KNOWN_BY_NAME


def join_descriptions(descriptions: Sequence[str]) -> str:
    """Return “Georgia”, or “Georgia or a part of Texas, United States”: each is translated by itself."""
    first, *others = descriptions
    return Message("%(first)s or %(others)s", first=first, others=join_descriptions(others)) if others else first


def is_continent(text: str) -> bool:
    """Return True if the text is the name of a continent."""
    return bool(continent_named(text))


def is_code(text: str) -> bool:
    """Return True if the text is as short as the codes of countries and regions: "NY", "U.K.". "مصر" is Egypt's name."""
    return text.isascii() and len(text.replace(".", "")) <= _LONGEST_CODE


def find_areas_named(text: str, *, any_case: bool = True) -> list[Area]:
    """Return the countries and regions that a text names. Codes count in capitals only, or in any case."""
    return list(_areas_called(text, any_case))


@lru_cache(maxsize=4096)
def _areas_called(text: str, any_case: bool) -> tuple[Area, ...]:
    found: list[Area] = []
    short = is_code(text)
    if short and not any_case and not text.isupper():
        return ()
    country = find_meant_country(text)
    if country and not find_usual_country(text):
        return (Area(country=country),)
    if country:
        found.append(Area(country=country))
    if short:
        found += [
            Area(country=here, region=code)
            for here in (*_COUNTRIES_OF_BARE_CODES, *(() if _is_alias(text) else _LESS_KNOWN_CODES_OF))
            if (code := _local(text, here))
        ]
    counties = _counties(text)
    inside = {area.region for area in counties}
    found += [
        Area(country=code[:2], region=code)
        for code in regions_named(text)
        if code not in inside or names_region(text, code)
    ]
    return tuple(dict.fromkeys([*found, *counties]))


def without_counties(areas: Iterable[Area]) -> list[Area]:
    """Return the areas without their counties, because people still write counties whose borders moved."""
    return list(dict.fromkeys(Area(country=area.country, region=area.region) for area in areas))


def drop_nested_areas(found: Iterable[Area]) -> list[Area]:
    """Return the areas without those inside another one: Mexico without the State of Mexico."""
    areas = list(found)
    countries = {area.country for area in areas if not area.region}
    return [area for area in areas if not area.region or area.country not in countries]


def intersect_areas(areas: Iterable[Area], narrowed: Iterable[Area]) -> list[Area]:
    """Return the intersections of the two sets of areas, without contradictions."""
    outer = list(narrowed)
    both: list[Area] = []
    for area in areas:
        for other in outer:
            agree = (not area.country or not other.country or area.country == other.country) and (
                not area.region or not other.region or area.region == other.region
            )
            shared = (
                area.counties & other.counties if area.counties and other.counties else area.counties | other.counties
            )
            if agree and (shared or not (area.counties and other.counties)):
                both.append(
                    Area(country=area.country or other.country, region=area.region or other.region, counties=shared)
                )
    return list(dict.fromkeys(both))


def _counties(text: str) -> list[Area]:
    found: dict[tuple[str, str], set[int]] = {}
    for country, region, county in find_counties_named(text):
        found.setdefault((country, region), set()).add(county)
    return [
        Area(country=country, region=f"{country}-{region}" if region else "", counties=frozenset(numbers))
        for (country, region), numbers in found.items()
    ]


def _is_alias(text: str) -> bool:
    """Return True if a short text is a usual name of a country, as "UK" is, and not an ISO 3166 code."""
    code = find_meant_country(text)
    return bool(code) and code != text.strip().upper()


@lru_cache(maxsize=4096)
def find_meant_country(text: str) -> str:
    """Return the code of the country that a text names: by its usual name, or by its name in another language.

    A town or region of the same name is meant instead if it is large, or has more than a twentieth of the country's people:
    "Salvador" is in Brazil, and "Équateur" is Ecuador, not a region in the Congo.
    """
    usual = find_usual_country(text)
    if usual:
        return usual
    code = find_country_in_some_language(text)
    if not code:
        return ""
    towns = [town.population for town, is_full_name in find_towns_named(text) if is_full_name]
    others = [*towns, *map(count_people, regions_named(text))]
    if find_counties_named(text) or (others and len(fold(text)) < _SHORTEST_FOREIGN_NAME):
        return ""
    is_taken = max(towns, default=0) >= _LARGE_TOWN or max(others, default=0) * _TIMES_LARGER > count_people(code)
    return "" if is_taken else code


def _local(text: str, country: str) -> str:
    """Return the top-level region with this local code, or "". Nobody writes those of its parts alone: "CON" is a word."""
    code = f"{country}-{text.replace('.', '').strip()}".upper()
    try:
        return code if resolve_region(code) == code else ""
    except UnknownPlace:
        return ""
