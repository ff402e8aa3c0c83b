"""Choose between towns of one name. Towns that cannot be distinguished are returned as a question, never guessed."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from subscribers.places.regions import country_name, region_name
from subscribers.places.towns import Town, county_name, distance_km

RIVAL_WEIGHT_RATIO = 0.07
_RIVAL_POPULATION_RATIO = 0.2
_FAR_HEAVIER_RATIO = 10
SAME_TOWN_RADIUS_KM = 30
_OWN_NAME_WEIGHT = 20
TOWN_POPULATION = 15_000
LARGE_TOWN_POPULATION = 100_000
_MIN_FAME = 20

NamedTowns = Sequence[tuple[Town, bool]]


@dataclass(frozen=True)
class Choice:
    """The chosen town, or the possible towns, best first."""

    place: Town | None
    candidates: tuple[Town, ...]


def describe(place: Town) -> str:
    """Return the unmistakable name of a town: "Springfield, Missouri, United States"."""
    parts = [place.name, region_name(place.region) if place.region else "", country_name(place.country)]
    return ", ".join(dict.fromkeys(part for part in parts if part))


def describe_closely(place: Town) -> str:
    """Return the name with its county, for towns that share a name and a region."""
    name, *others = describe(place).split(", ")
    county = county_name(place.county)
    return ", ".join([name, county, *others]) if county and county not in (name, *others) else describe(place)


def describe_apart(places: Iterable[Town]) -> list[str]:
    """Return the names of towns, each with its county if another of them has the same name without it."""
    each = list(places)
    names = Counter(describe(place) for place in each)
    names_apart = [describe(place) if names[describe(place)] == 1 else describe_closely(place) for place in each]
    return list(dict.fromkeys(names_apart))


def weight(place: Town, is_full_name: bool) -> int:
    """Return how likely a bare name means this town, by population and by the number of its names in other languages."""
    return max(1, place.population) * place.fame * (_OWN_NAME_WEIGHT if is_full_name else 1)


def choose_town(towns: NamedTowns, *, near: str = "", context: Sequence[Town] = ()) -> Choice:
    """Choose one of the towns of a name, by the name, by the towns of its ``context``, or else by ``near``.

    ``near`` is a region or country, such as that of a source. It decides between equally well-known towns. If it points to
    a little-known town while a famous one is elsewhere, the choice stays open.
    """
    heaviest = max((weight(place, is_full_name) for place, is_full_name in towns if is_full_name), default=0)
    if any(is_full_name and place.population >= LARGE_TOWN_POPULATION for place, is_full_name in towns):
        heaviest *= _FAR_HEAVIER_RATIO
    in_named_area = [
        (place, is_full_name)
        for place, is_full_name in towns
        if is_full_name or weight(place, is_full_name) > _FAR_HEAVIER_RATIO * heaviest
    ]
    ranked = sorted(in_named_area, key=lambda pair: -weight(*pair))
    meant = _find_equals(ranked)
    region, country = (near if "-" in near else ""), near[:2]
    here = [
        (place, is_full_name) for place, is_full_name in ranked if is_full_name and region and place.region == region
    ]
    if here and (decided := [pair for pair in here if pair[0] in meant or _is_known_by_itself(pair[0])]):
        meant = _find_equals(decided)
    elif here and here[0][0].region != meant[0].region:
        meant = [*meant, *(place for place, _ in here)]
    elif country and (inland := [pair for pair in ranked if pair[0] in meant and pair[0].country == country]):
        meant = _find_equals(inland)
    if len(meant) > 1 and context:
        supported = [
            place for place in meant if any(_distance_between(place, other) <= SAME_TOWN_RADIUS_KM for other in context)
        ]
        if supported and all(_distance_between(supported[0], other) <= SAME_TOWN_RADIUS_KM for other in supported):
            return Choice(supported[0], (supported[0],))
    return Choice(meant[0] if len(meant) == 1 else None, tuple(meant))


def _is_known_by_itself(place: Town) -> bool:
    return place.population >= TOWN_POPULATION and place.fame >= _MIN_FAME


def _find_equals(ranked: NamedTowns) -> list[Town]:
    """Return the heaviest town, and each other one that is not much lighter and not a part of it."""
    (best, is_full_name), *others = ranked
    heaviest = weight(best, is_full_name)
    return [
        best,
        *(
            place
            for place, is_own in others
            if weight(place, is_own) > RIVAL_WEIGHT_RATIO * heaviest
            and (place.region != best.region or place.population > _RIVAL_POPULATION_RATIO * best.population)
            and _distance_between(best, place) > SAME_TOWN_RADIUS_KM
        ),
    ]


def _distance_between(first: Town, second: Town) -> float:
    return distance_km(first.latitude, first.longitude, second.latitude, second.longitude)
