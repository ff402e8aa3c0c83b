"""Choose between towns of one name. What cannot be told apart is a question, never a guess."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from subscribers.places.distance import distance_km
from subscribers.places.regions import country_name, region_name
from subscribers.places.towns import Town, county_name

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
    """Either the town, or the towns that could be meant, best first."""

    place: Town | None
    candidates: tuple[Town, ...]


def describe(place: Town) -> str:
    """ "Springfield, Missouri, United States": a town so that nobody can mistake it."""
    parts = [place.name, region_name(place.region) if place.region else "", country_name(place.country)]
    return ", ".join(dict.fromkeys(part for part in parts if part))


def describe_closely(place: Town) -> str:
    """ "Newport, Isle of Wight, England, United Kingdom": the county too, for towns of one name in one region."""
    name, *others = describe(place).split(", ")
    county = county_name(place.county)
    return ", ".join([name, county, *others]) if county and county not in (name, *others) else describe(place)


def describe_apart(places: Iterable[Town]) -> list[str]:
    """Towns in words, each with its county where another of them would be called the same without it."""
    each = list(places)
    names = Counter(describe(place) for place in each)
    said = [describe(place) if names[describe(place)] == 1 else describe_closely(place) for place in each]
    return list(dict.fromkeys(said))


def weight(place: Town, own: bool) -> int:
    """How likely a bare name means this town: by its people, and by how many languages have a name for it."""
    return max(1, place.population) * place.fame * (_OWN_NAME_WEIGHT if own else 1)


def choose_town(found: NamedTowns, *, near: str = "", beside: Sequence[Town] = ()) -> Choice:
    """Choose one of the towns of a name, if the name, the towns named ``beside`` it, or else ``near`` tell which is meant.

    ``near`` is a region or country, such as that of a source. It decides between towns that people know equally well.
    Where the name is that of a little known town there and of a famous one elsewhere, nothing is certain.
    """
    heaviest = max((weight(place, own) for place, own in found if own), default=0)
    if any(own and place.population >= LARGE_TOWN_POPULATION for place, own in found):
        heaviest *= _FAR_HEAVIER_RATIO
    named = [(place, own) for place, own in found if own or weight(place, own) > _FAR_HEAVIER_RATIO * heaviest]
    ranked = sorted(named, key=lambda pair: -weight(*pair))
    meant = _find_equals(ranked)
    region, country = (near if "-" in near else ""), near[:2]
    here = [(place, own) for place, own in ranked if own and region and place.region == region]
    if here and (decided := [pair for pair in here if pair[0] in meant or _is_known_by_itself(pair[0])]):
        meant = _find_equals(decided)
    elif here and here[0][0].region != meant[0].region:
        meant = [*meant, *(place for place, _ in here)]
    elif country and (inland := [pair for pair in ranked if pair[0] in meant and pair[0].country == country]):
        meant = _find_equals(inland)
    if len(meant) > 1 and beside:
        supported = [
            place for place in meant if any(_distance_between(place, other) <= SAME_TOWN_RADIUS_KM for other in beside)
        ]
        if supported and all(_distance_between(supported[0], other) <= SAME_TOWN_RADIUS_KM for other in supported):
            return Choice(supported[0], (supported[0],))
    return Choice(meant[0] if len(meant) == 1 else None, tuple(meant))


def _is_known_by_itself(place: Town) -> bool:
    return place.population >= TOWN_POPULATION and place.fame >= _MIN_FAME


def _find_equals(ranked: NamedTowns) -> list[Town]:
    """The heaviest town, and every other that is not far lighter nor a part of it."""
    (best, own), *others = ranked
    heaviest = weight(best, own)
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


def _distance_between(one: Town, other: Town) -> float:
    return distance_km(one.latitude, one.longitude, other.latitude, other.longitude)
