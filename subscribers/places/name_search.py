"""Find the town that the words of an address name, or the question which of several it is."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from newsletter.common.messages import Message
from subscribers.places import areas
from subscribers.places.areas import Area, is_code
from subscribers.places.disambiguation import (
    LARGE_TOWN_POPULATION,
    TOWN_POPULATION,
    NamedTowns,
    choose_town,
    describe,
    describe_apart,
)
from subscribers.places.folding import fold
from subscribers.places.narrowing import NarrowedAddress, Step
from subscribers.places.regions import names_region, region_name
from subscribers.places.towns import PlaceMatch, Town, find_towns_named

MAX_TOWN_WORDS = 4
_DISTINCTIVE_WORDS = 3
_MIN_FAME = 20
_WORDS: dict[str, list[str]] = json.loads(Path(__file__).with_name("venue_words.json").read_text(encoding="utf-8"))
_VENUES, _STREETS = frozenset(_WORDS["venues"]), frozenset(_WORDS["streets"])


def find_by_name(narrowed: NarrowedAddress, near: str) -> PlaceMatch | None:
    """Return the town that the last matching part names. An area's name may also be that of a town."""
    for number, part in reversed(list(enumerate(narrowed.left))):
        is_first_of_many = number == 0 and len(narrowed.left) > 1
        towns = _towns(
            part, narrowed, near, smallest=LARGE_TOWN_POPULATION if is_first_of_many and not narrowed.has_country else 0
        )
        if towns:
            return _choose(part, towns, near, _find_context(part, narrowed), has_country=narrowed.has_country)
    for step in reversed(narrowed.steps):
        meant = _area_as_town(step, narrowed, near)
        if meant is not None:
            return meant
    for part in reversed(narrowed.left):
        towns = _towns_in_a_part(part, narrowed, near)
        if towns:
            return _choose(part, towns, near, ())
    return None


def _area_as_town(step: Step, narrowed: NarrowedAddress, near: str) -> PlaceMatch | None:
    """Return the town named like an area.

    Cork is in Cork, and Victoria in British Columbia unless a town of the address is in Australia.
    """
    part = step.part
    called = areas.find_areas_named(part)
    if is_code(part) or any(not area.region for area in called):
        return None
    wider = NarrowedAddress((part,), (), step.before)
    towns = _towns(part, wider, near)
    if not towns or (wider.has_country and _names_a_town_outside(narrowed, step)):
        return None
    matching = [area for area in called if area.is_widely_known and names_region(part, area.region)]
    matching += [
        area
        for area in called
        if area.counties and not any(area.contains(place) for place, is_full_name in towns if is_full_name)
    ]
    if any(area.contains(place) for area in matching for place, _ in towns):
        towns = [pair for pair in towns if any(area.contains(pair[0]) for area in matching)]
    elif matching:
        return _area_or_town(part, matching[0], towns, near)
    return _choose(part, towns, near, (), has_country=wider.has_country)


def _names_a_town_outside(narrowed: NarrowedAddress, step: Step) -> bool:
    """Return True if a part before an area names a town of its country, so that the area is not the town itself."""
    wider = NarrowedAddress(narrowed.left, (), step.before)
    return any(
        is_full_name and place.population >= TOWN_POPULATION and wider.contains(place)
        for part in narrowed.left
        for place, is_full_name in find_towns_named(part)
    )


def _area_or_town(part: str, area: Area, towns: NamedTowns, near: str) -> PlaceMatch | None:
    """Return the meaning of "Victoria" after an unknown place: the region, or a town elsewhere."""
    large = [
        (place, is_full_name)
        for place, is_full_name in towns
        if is_full_name and place.population >= LARGE_TOWN_POPULATION
    ]
    exactly = [
        pair for pair in large if pair[0].name.casefold() == part.casefold() != region_name(area.region).casefold()
    ]
    if exactly or (near and near[:2] != area.country and any(_is_in(place, near[:2]) for place, _ in large)):
        return _choose(part, exactly or towns, near, ())
    if large and near != area.region:
        what, also = area.describe(), describe(large[0][0])
        return PlaceMatch(
            ambiguous=True,
            candidates=tuple(place for place, _ in large),
            reason=Message("“%(part)s” could be %(what)s, or the town %(also)s.", part=part, what=what, also=also),
        )
    return None


def _towns(part: str, narrowed: NarrowedAddress, near: str, smallest: int = 0) -> NamedTowns:
    """Return the towns that a whole part names: "Leeds", "Downtown Houston"."""
    if not narrowed.has_country and (is_street(part) or is_venue_only(part)):
        return []
    towns = [(place, is_full_name) for place, is_full_name in find_towns_named(part) if narrowed.contains(place)]
    if not towns:
        towns = [
            (place, is_full_name)
            for name, only_large in without_qualifiers(part)
            for place, is_full_name in find_towns_named(name)
            if narrowed.contains(place) and (place.population >= LARGE_TOWN_POPULATION or not only_large)
        ]
    return [pair for pair in towns if pair[0].population >= smallest or _is_in(pair[0], near)]


def _towns_in_a_part(part: str, narrowed: NarrowedAddress, near: str) -> NamedTowns:
    """Return the towns that a part names with a venue: "Central Library Manchester", "Leeds Town Hall", "Hay-on-Wye Castle".

    Only if the words or the source name the country: cafés are called Paris everywhere.
    """
    if is_street(part):
        return []
    words = part.split()
    pieces = [" ".join(words[-count:]) for count in range(min(len(words) - 1, MAX_TOWN_WORDS), 0, -1)]
    for piece in [*pieces, *filter(None, [civic_owner(part)])]:
        towns = [
            (place, is_full_name)
            for place, is_full_name in find_towns_named(piece)
            if is_full_name and place.population >= LARGE_TOWN_POPULATION and _is_likely(place, narrowed, near)
        ]
        if towns:
            return towns
    for count in range(len(words) - 1, 0, -1):
        piece = " ".join(words[:count])
        if len(fold(piece).split()) >= _DISTINCTIVE_WORDS:
            towns = [
                (place, is_full_name)
                for place, is_full_name in find_towns_named(piece)
                if is_full_name and _is_likely(place, narrowed, near)
            ]
            if towns:
                return towns
    return []


def _is_likely(place: Town, narrowed: NarrowedAddress, near: str) -> bool:
    return narrowed.contains(place) and (narrowed.has_country or _is_in(place, near[:2]))


def _is_in(place: Town, near: str) -> bool:
    return bool(near) and near in (place.region, place.country)


def _find_context(part: str, narrowed: NarrowedAddress) -> list[Town]:
    """Return the towns that the other parts name: Jesmond shows which Newcastle is meant."""
    others = [other for other in narrowed.left if other != part and not is_venue_only(other) and not is_street(other)]
    return [place for other in others for place, _ in find_towns_named(other)]


def _choose(
    part: str, towns: NamedTowns, near: str, context: Sequence[Town], *, has_country: bool = True
) -> PlaceMatch:
    choice = choose_town(towns, near=near, context=context)
    is_full_name = dict(towns).get(choice.place, True) if choice.place else True
    if choice.place is not None and not has_country and _is_doubtful(choice.place, is_full_name, near):
        return PlaceMatch(
            ambiguous=True,
            candidates=choice.candidates,
            reason=Message(
                "“%(part)s” could be %(place)s, but nothing else says so. Add the state or the country.",
                part=part,
                place=describe(choice.place),
            ),
        )
    if choice.place is not None:
        place = choice.place
        return PlaceMatch(place=place, candidates=(place,), country=place.country, region=place.region)
    meant = choice.candidates
    labels = describe_apart(meant[:3])
    more = Message(" (and %(meant)s more)", meant=len(meant) - 3) if len(meant) > 3 else ""
    reason = Message(
        "“%(part)s” could be %(shown)s; or %(shown_2)s%(more)s. Add the state or the country.",
        part=part,
        shown="; ".join(labels[:-1]),
        shown_2=labels[-1],
        more=more,
    )
    if len(labels) == 1:
        reason = Message("Several places are called “%(shown)s”. Name a larger town nearby.", shown=labels[0])
    return PlaceMatch(
        ambiguous=True,
        candidates=meant,
        reason=reason,
        country=meant[0].country if len({place.country for place in meant}) == 1 else "",
        region=meant[0].region if len({place.region for place in meant}) == 1 else "",
    )


def _is_doubtful(place: Town, is_full_name: bool, near: str) -> bool:
    """Return True if a town named without its country is too little known to be meant far from the source."""
    if near and place.country == near[:2]:
        return False
    if place.population >= LARGE_TOWN_POPULATION:
        return False
    return bool(near) or not (is_full_name or place.fame >= _MIN_FAME)


def is_venue_only(part: str) -> bool:
    """Return True if all words of a part are words of venues: "The Old Library"."""
    return all(word in _VENUES for word in fold(part).split())


def is_street(part: str) -> bool:
    """Return True if a part of several words ends as a street does: "London Road"."""
    words = fold(part).split()
    return len(words) > 1 and words[-1] in _STREETS


def without_qualifiers(part: str) -> Iterator[tuple[str, bool]]:
    """Yield the names in "Downtown Houston" or "Quebec City", and True if only a large town can be meant."""
    name = fold(part)
    for word in _WORDS["before"]:
        if name.startswith(word):
            yield name.removeprefix(word), False
    for word in _WORDS["after"]:
        if name.endswith(word):
            yield name.removesuffix(word), False
    for word in _WORDS["sides"]:
        if name.startswith(word):
            yield name.removeprefix(word), True


def civic_owner(part: str) -> str:
    """Return the owner's name in "Leeds Town Hall" and the like, or ""."""
    name = fold(part)
    return next((name.removesuffix(word).strip() for word in _WORDS["civic"] if name.endswith(f" {word}")), "")
