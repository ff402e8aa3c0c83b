"""Free text to a town: an address, "London, Ontario". It says when a name is ambiguous and never picks in silence."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from subscribers.places import areas
from subscribers.places.addresses import address_parts
from subscribers.places.areas import Area
from subscribers.places.distance import distance_km
from subscribers.places.regions import country_name, region_name, resolve_country, resolve_region
from subscribers.places.towns import Place, towns_named

_RIVAL = 0.2
_OWN_NAME_WEIGHT = 4
_SAME_TOWN_KM = 30
_KNOWN_TO_MANY = 100_000
_MOST_WORDS_OF_A_TOWN = 4


@dataclass(frozen=True)
class PlaceMatch:
    """What a text means. ``place`` is None when nothing or too much fits; then ``reason`` says which, for a person.

    ``country`` and ``region`` hold what is certain even without a town; ``is_area`` when the text names them and no
    more. ``candidates`` come best first.
    """

    place: Place | None = None
    ambiguous: bool = False
    candidates: tuple[Place, ...] = ()
    reason: str = ""
    country: str = ""
    region: str = ""
    is_area: bool = False


def describe(place: Place) -> str:
    """ "Springfield, Missouri, United States": a town so that nobody can mistake it."""
    parts = [place.name, region_name(place.region) if place.region else "", country_name(place.country)]
    return ", ".join(dict.fromkeys(part for part in parts if part))


@lru_cache(maxsize=4096)
def find_place(text: str, *, country: str = "", region: str = "") -> PlaceMatch:
    """The town that a text names. ``country`` and ``region`` (codes or names) admit towns inside them only.

    Raises UnknownPlace when ``country`` or ``region`` is itself not known.
    """
    within = _given_area(country, region)
    parts = address_parts(text)
    if not parts:
        return PlaceMatch(reason="No place is given." if not text.strip() else f"“{text.strip()}” names no town.")
    if len(parts) == 1:
        area = _whole_text(parts[0], [within])
        if area is not None:
            return area
    left, taken, narrowed = _narrow(parts, within)
    if len(left) == 1 and taken:
        area = _whole_text(left[0], narrowed)
        if area is not None:
            return area
    for part in [*reversed(left), *reversed(taken)]:
        found = _towns(part, narrowed)
        if found:
            return _choose(part, found)
    if narrowed != [Area()]:
        for part in reversed(left):
            found = _towns_at_an_end(part, narrowed)
            if found:
                return _choose(part, found)
    return _nothing(text, narrowed)


def _given_area(country: str, region: str) -> Area:
    if region.strip():
        code = resolve_region(region, country=country)
        return Area(country=code[:2], region=code)
    return Area(country=resolve_country(country)) if country.strip() else Area()


def _whole_text(part: str, within: list[Area]) -> PlaceMatch | None:
    """The answer when the whole text is a continent, country or region without a large town of that name in it."""
    if areas.is_continent(part):
        return PlaceMatch(reason=f"“{part}” is a continent, not a town.")
    named = areas.broadest(areas.combine(areas.areas_called(part, any_case=False), within))
    towns = _towns(part, within)
    large = [place for place, own in towns if own and place.population >= _KNOWN_TO_MANY]
    if large:
        named = [area for area in named if area.is_widely_known]
    if not named or any(
        area.holds(place) and (own or place.population >= _KNOWN_TO_MANY) for area in named for place, own in towns
    ):
        return None
    what = " or ".join(area.describe_as(part) for area in named[:3])
    if large:
        also = "; ".join(describe(place) for place in large[:3])
        return PlaceMatch(
            ambiguous=True, candidates=tuple(large), reason=f"“{part}” could be {what}, or the town {also}."
        )
    if len(named) > 1:
        return PlaceMatch(ambiguous=True, reason=f"“{part}” could be {what}.")
    return PlaceMatch(
        reason=f"“{part}” names no town, only {what}.",
        country=named[0].country,
        region=named[0].region,
        is_area=True,
    )


def _narrow(parts: list[str], within: Area) -> tuple[list[str], list[str], list[Area]]:
    """Takes countries, regions and their codes off the end: the parts left (at least one), those taken, the areas."""
    narrowed = [within]
    left, taken = list(parts), []
    while True:
        part = left[-1]
        named = areas.combine(areas.areas_called(part), narrowed)
        if named and len(left) > 1:
            taken.append(left.pop())
            narrowed = named
            continue
        if not _towns(part, narrowed):
            left[-1], narrowed = _peel(part, narrowed)
        return left, taken, narrowed


def _peel(part: str, narrowed: list[Area]) -> tuple[str, list[Area]]:
    """Takes an area off the last words of a part ("Austin TX", "Houston Texas")."""
    words = part.split()
    for count in (3, 2, 1):
        called = areas.areas_called(" ".join(words[-count:]), any_case=False)
        named = areas.combine((area for area in called if area.is_widely_known), narrowed)
        if named and len(words) > count:
            return " ".join(words[:-count]), named
    return part, narrowed


def _towns(name: str, narrowed: Iterable[Area]) -> list[tuple[Place, bool]]:
    kept = list(narrowed)
    found = [(place, own) for place, own in towns_named(name) if any(area.holds(place) for area in kept)]
    return sorted(found, key=lambda pair: -_weight(*pair))


def _towns_at_an_end(part: str, narrowed: list[Area]) -> list[tuple[Place, bool]]:
    """Towns of some size named by the last or first words of a part ("Central Library Manchester")."""
    words = part.split()
    for count in range(min(len(words) - 1, _MOST_WORDS_OF_A_TOWN), 0, -1):
        for piece in (words[-count:], words[:count]):
            found: list[tuple[Place, bool]] = [
                (place, own)
                for place, own in _towns(" ".join(piece), narrowed)
                if own and place.population >= _KNOWN_TO_MANY
            ]
            if found:
                return found
    return []


def _weight(place: Place, own: bool) -> int:
    return max(1, place.population) * (_OWN_NAME_WEIGHT if own else 1)


def _choose(part: str, found: list[tuple[Place, bool]]) -> PlaceMatch:
    best, best_own = found[0]
    heaviest = _weight(best, best_own)
    rivals = [
        place
        for place, own in found[1:]
        if _weight(place, own) > _RIVAL * heaviest
        and distance_km(best.latitude, best.longitude, place.latitude, place.longitude) > _SAME_TOWN_KM
    ]
    if not rivals:
        return PlaceMatch(place=best, candidates=(best,), country=best.country, region=best.region)
    meant = (best, *rivals)
    shown = [describe(place) for place in meant[:3]]
    more = f" (and {len(meant) - 3} more)" if len(meant) > 3 else ""
    return PlaceMatch(
        ambiguous=True,
        candidates=meant,
        reason=f"“{part}” could be {'; '.join(shown[:-1])}; or {shown[-1]}{more}. Add the state or the country.",
        country=best.country if len({place.country for place in meant}) == 1 else "",
        region=best.region if len({place.region for place in meant}) == 1 else "",
    )


def _nothing(text: str, narrowed: list[Area]) -> PlaceMatch:
    certain = narrowed[0] if len(narrowed) == 1 and narrowed[0].is_widely_known else Area()
    return PlaceMatch(
        reason="We know no town of 15,000 people or more"
        f"{f' in {certain.describe()}' if certain.country else ''} called “{text.strip()[:120]}”.",
        country=certain.country,
        region=certain.region,
    )
