"""Read free text as a town. An ambiguous name is reported, never guessed."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from newsletter.common.messages import Message, Quantity
from subscribers.places import areas
from subscribers.places.areas import Area
from subscribers.places.disambiguation import LARGE_TOWN_POPULATION, TOWN_POPULATION, describe
from subscribers.places.name_search import find_by_name, is_street, is_venue_only
from subscribers.places.narrowing import NarrowedAddress, narrow_address
from subscribers.places.postcode_search import (
    address_parts,
    area_of,
    choose_postcode,
    join_brackets,
    match_postcode,
    match_postcode_alone,
)
from subscribers.places.postcodes import find_postcodes
from subscribers.places.regions import resolve_country, resolve_region
from subscribers.places.towns import PlaceMatch, Town, find_towns_named, is_area_near, is_county_near

_OLD_BORDER_KM = 25.0
_NEAR_COUNTRY_KM = 80.0
_MAX_LENGTH = 2_000
"""A postcode after this is not looked for: each costs a query."""
MAX_TOWN_LENGTH = 200
"""The limit of a text that says where a person lives, in forms, the API and imports."""


@lru_cache(maxsize=4096)
def find_place(text: str, *, country: str = "", region: str = "", near: str = "") -> PlaceMatch:
    """Return the town that a text names. ``country`` and ``region`` (codes or names) admit only towns inside them.

    ``near``, a code such as "GB-ENG" or "GB", admits all towns and decides between equal ones.

    Raises:
        UnknownPlace: ``country`` or ``region`` is not known.
    """
    within = _given_area(country, region)
    text = join_brackets(text[:_MAX_LENGTH])
    parts = address_parts(text)
    codes = find_postcodes(text)
    if not parts:
        return match_postcode_alone(text, codes, within)
    if len(parts) == 1 and not codes:
        area = _match_area(parts[0], (within,))
        if area is not None:
            return area
    narrowed = narrow_address(parts, within)
    anchor = choose_postcode(codes, narrowed, text, near[:2])
    if isinstance(anchor, PlaceMatch):
        return anchor
    if anchor is not None:
        narrowed = replace(narrowed, areas=tuple(areas.intersect_areas([area_of(anchor)], narrowed.areas)))
        if anchor.latitude is not None and anchor.longitude is not None:
            return match_postcode(anchor, (anchor.latitude, anchor.longitude), narrowed)
    if len(narrowed.left) == 1 and narrowed.area_parts:
        area = _match_area(narrowed.left[0], narrowed.areas)
        if area is not None:
            return area
    match = find_by_name(narrowed, near)
    if match is None and any(area.counties for area in narrowed.areas):
        match = _keep_near_county(
            find_by_name(replace(narrowed, areas=tuple(areas.without_counties(narrowed.areas))), near), narrowed
        )
    return match or _ask_about_town_outside(narrowed) or _make_unknown_match(text, narrowed, near)


def explain_long_town(text: str) -> Message:
    """Return why a text that says where a person lives is not used."""
    return Message(
        "The town has %(length)s characters. The limit is %(limit)s. It was left out.",
        length=Quantity(len(text)),
        limit=Quantity(MAX_TOWN_LENGTH),
    )


def find_described(text: str) -> PlaceMatch:
    """Return what `find_place` does, for a stored name that `describe` made with an older list of towns.

    Of several towns with that name now, the largest is meant, because the others were not listed then. A region whose
    borders changed since is ignored.
    """
    match = find_place(text)
    so_called = [place for place in match.candidates if describe(place) == text.strip()]
    if match.ambiguous and so_called:
        return replace(match, place=max(so_called, key=lambda place: place.population), ambiguous=False)
    name, *rest = text.split(", ")
    is_outside = bool(match.region) and not any(place.region == match.region for place in match.candidates)
    if match.place is None and (is_outside or not match.ambiguous) and len(rest) > 1:
        wider = find_place(f"{name}, {rest[-1]}")
        return wider if wider.place is not None else match
    return match


def _keep_near_county(match: PlaceMatch | None, narrowed: NarrowedAddress) -> PlaceMatch | None:
    """Keep a town just outside the county in the address, because borders moved. Drop one far from it."""
    if match is None or match.place is None:
        return match
    counties = frozenset().union(*(area.counties for area in narrowed.areas))
    return match if is_county_near(counties, match.place, within_km=_OLD_BORDER_KM) else None


def _given_area(country: str, region: str) -> Area:
    if region.strip():
        code = resolve_region(region, country=country)
        return Area(country=code[:2], region=code)
    return Area(country=resolve_country(country)) if country.strip() else Area()


def _match_area(part: str, within: Sequence[Area]) -> PlaceMatch | None:
    """Return the match if the whole text is a continent, country or region without a large town of that name in it."""
    if areas.is_continent(part):
        return PlaceMatch(reason=Message("“%(part)s” is a continent, not a town.", part=part))
    areas_named = areas.drop_nested_areas(areas.intersect_areas(areas.find_areas_named(part, any_case=False), within))
    towns = [
        (place, is_full_name)
        for place, is_full_name in find_towns_named(part)
        if any(area.contains(place) for area in within)
    ]
    large = [place for place, is_full_name in towns if is_full_name and place.population >= LARGE_TOWN_POPULATION]
    if any(is_full_name for _, is_full_name in towns):
        areas_named = [area for area in areas_named if area.is_widely_known]
    if not areas_named or any(
        area.contains(place) and (is_full_name or place.population >= LARGE_TOWN_POPULATION)
        for area in areas_named
        for place, is_full_name in towns
    ):
        return None
    what = areas.join_descriptions([area.describe_as(part) for area in areas_named[:3]])
    if large:
        also = "; ".join(describe(place) for place in large[:3])
        return PlaceMatch(
            ambiguous=True,
            candidates=tuple(large),
            reason=Message("“%(part)s” could be %(what)s, or the town %(also)s.", part=part, what=what, also=also),
        )
    if len(areas_named) > 1:
        return PlaceMatch(ambiguous=True, reason=Message("“%(part)s” could be %(what)s.", part=part, what=what))
    return PlaceMatch(
        reason=Message("“%(part)s” names no town, only %(what)s.", part=part, what=what),
        country=areas_named[0].country,
        region=areas_named[0].region,
        is_area=True,
    )


def _ask_about_town_outside(narrowed: NarrowedAddress) -> PlaceMatch | None:
    """Ask about a town just outside the area in the address, as in “Belfast, Ireland” and “Cardiff, England”."""
    if not narrowed.has_country:
        return None
    for part in reversed(narrowed.left):
        if is_street(part) or is_venue_only(part):
            continue
        candidates = [
            place
            for place, is_full_name in find_towns_named(part)
            if is_full_name and place.population >= TOWN_POPULATION
        ]
        meant = sorted(
            (place for place in candidates if any(_may_seem_in(place, area) for area in narrowed.areas)),
            key=lambda place: -place.population,
        )
        if meant:
            only = narrowed.areas[0] if len(narrowed.areas) == 1 else Area()
            reason = Message(
                "“%(part)s” is not in %(area)s, but there is %(places)s. Check the country or region.",
                part=part,
                area=areas.join_descriptions([area.describe() for area in narrowed.areas[:3]]),
                places="; ".join(describe(place) for place in meant[:3]),
            )
            return PlaceMatch(
                ambiguous=True, candidates=tuple(meant), reason=reason, country=only.country, region=only.region
            )
    return None


def _may_seem_in(place: Town, area: Area) -> bool:
    """Return True if people may think that a town is in an area: near its country, or large and in another region of it."""
    if area.contains(place):
        return False
    if area.region and place.country == area.country and place.population >= LARGE_TOWN_POPULATION:
        return True
    return is_area_near(
        area.country, region=area.region, latitude=place.latitude, longitude=place.longitude, within_km=_NEAR_COUNTRY_KM
    )


def _make_unknown_match(text: str, narrowed: NarrowedAddress, near: str) -> PlaceMatch:
    """Return the match without a town. The area is certain unless it ends a venue's name far from the source."""
    only = narrowed.areas[0] if len(narrowed.areas) == 1 and narrowed.areas[0].is_widely_known else Area()
    certain = Area(country=only.country, region=only.region)
    step = narrowed.steps[-1] if narrowed.steps else None
    doubtful = bool(step and step.peeled and certain.region and near and near[:2] != certain.country)
    excerpt = text.strip()[:120]
    reason = Message("We know no town of 1,000 people or more called “%(text)s”.", text=excerpt)
    if certain.country:
        reason = Message(
            "We know no town of 1,000 people or more in %(area)s called “%(text)s”.",
            area=certain.describe(),
            text=excerpt,
        )
    return PlaceMatch(
        ambiguous=doubtful,
        reason=reason,
        country="" if doubtful else certain.country,
        region="" if doubtful else certain.region,
    )
