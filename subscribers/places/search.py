"""Free text to a town: an address, "London, Ontario". It says when a name is ambiguous and never picks in silence."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from subscribers.places import areas
from subscribers.places.addresses import address_parts
from subscribers.places.areas import Area, is_code
from subscribers.places.choosing import SAME_TOWN_KM, choose, describe, weight
from subscribers.places.distance import distance_km
from subscribers.places.names import fold
from subscribers.places.narrowing import Narrowed, Step, narrow
from subscribers.places.postcodes import Postcode, find_postcodes
from subscribers.places.regions import names_region, region_name, resolve_country, resolve_region
from subscribers.places.towns import Place, is_county_near, nearest_place, towns_named
from subscribers.places.venue_words import civic_owner, is_street, is_venue_only, without_qualifiers

__all__ = ["PlaceMatch", "describe", "find_place"]

_KNOWN_TO_MANY = 100_000
_KNOWN = 15_000
_MOST_WORDS_OF_A_TOWN = 4
_DISTINCTIVE_WORDS = 3
_FAMOUS = 20
_POST_TOWN_KM = {"GB": 40.0}
_ELSEWHERE_KM = 60.0
_OLD_BORDER_KM = 25.0
_BRACKETED = re.compile(r"([^\W\d][\w .'-]*?)\s*\(([^()]{1,40})\)")


@dataclass(frozen=True)
class PlaceMatch:
    """What a text means. ``place`` is None when nothing or too much fits; then ``reason`` says which, for a person.

    ``country`` and ``region`` hold what is certain even without a town; ``is_area`` when the text names them and no
    more. ``candidates`` come best first. ``point`` is the middle of the postcode's district, where a table has it.
    """

    place: Place | None = None
    ambiguous: bool = False
    candidates: tuple[Place, ...] = ()
    reason: str = ""
    country: str = ""
    region: str = ""
    is_area: bool = False
    point: tuple[float, float] | None = None


@lru_cache(maxsize=4096)
def find_place(text: str, *, country: str = "", region: str = "", near: str = "") -> PlaceMatch:
    """The town that a text names. ``country`` and ``region`` (codes or names) admit towns inside them only.

    ``near``, a code such as "GB-ENG" or "GB", admits all towns, and decides between equals.
    Raises UnknownPlace when ``country`` or ``region`` is itself not known.
    """
    within = _given_area(country, region)
    text = _BRACKETED.sub(_keep_brackets, text)
    parts = address_parts(text)
    codes = find_postcodes(text)
    if not parts:
        return _by_postcode_alone(text, codes, within)
    if len(parts) == 1 and not codes:
        area = _whole_text(parts[0], (within,))
        if area is not None:
            return area
    narrowed = narrow(parts, within)
    anchor = _anchor(codes, narrowed, text, near[:2])
    if isinstance(anchor, PlaceMatch):
        return anchor
    if anchor is not None:
        narrowed = replace(narrowed, areas=tuple(areas.combine([_area_of(anchor)], narrowed.areas)))
        if anchor.latitude is not None and anchor.longitude is not None:
            return _at_postcode(anchor, (anchor.latitude, anchor.longitude), narrowed)
    if len(narrowed.left) == 1 and narrowed.taken:
        area = _whole_text(narrowed.left[0], narrowed.areas)
        if area is not None:
            return area
    found = _by_name(narrowed, near)
    if found is None and any(area.counties for area in narrowed.areas):
        found = _beside_county(
            _by_name(replace(narrowed, areas=tuple(areas.without_counties(narrowed.areas))), near), narrowed
        )
    return found or _nothing(text, narrowed, near)


def _beside_county(match: PlaceMatch | None, narrowed: Narrowed) -> PlaceMatch | None:
    """The town just outside the county that the address names, for borders have moved; one far from it is not meant."""
    if match is None or match.place is None:
        return match
    counties = frozenset().union(*(area.counties for area in narrowed.areas))
    return match if is_county_near(counties, match.place, within_km=_OLD_BORDER_KM) else None


def _keep_brackets(match: re.Match[str]) -> str:
    """ "Frankfurt (Oder)" is one name, "Montréal (Québec)" are two."""
    joined = f"{match[1]} {match[2]}"
    return joined if towns_named(joined) else match[0]


def _given_area(country: str, region: str) -> Area:
    if region.strip():
        code = resolve_region(region, country=country)
        return Area(country=code[:2], region=code)
    return Area(country=resolve_country(country)) if country.strip() else Area()


def _area_of(code: Postcode) -> Area:
    return Area(country=code.country, region=code.region)


def _by_postcode_alone(text: str, codes: Sequence[Postcode], within: Area) -> PlaceMatch:
    """A text of a postcode and no words is the town there; an outward code or ZIP code needs its country beside it."""
    for code in codes:
        alone = code.country == "GB" and code.text == text.strip()
        if areas.combine([_area_of(code)], [within]) and (code.certain or within.country or alone):
            if code.latitude is not None and code.longitude is not None:
                return _at_postcode(code, (code.latitude, code.longitude), Narrowed((), (), (within,)))
            area = _area_of(code)
            return PlaceMatch(
                reason=f"“{code.text}” names no town, only {area.describe()}.",
                country=area.country,
                region=area.region,
                is_area=True,
            )
    return PlaceMatch(reason="No place is given." if not text.strip() else f"“{text.strip()}” names no town.")


def _whole_text(part: str, within: Sequence[Area]) -> PlaceMatch | None:
    """The answer when the whole text is a continent, country or region without a large town of that name in it."""
    if areas.is_continent(part):
        return PlaceMatch(reason=f"“{part}” is a continent, not a town.")
    named = areas.broadest(areas.combine(areas.areas_called(part, any_case=False), within))
    towns = [(place, own) for place, own in towns_named(part) if any(area.holds(place) for area in within)]
    large = [place for place, own in towns if own and place.population >= _KNOWN_TO_MANY]
    if any(own for _, own in towns):
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


def _anchor(codes: Sequence[Postcode], narrowed: Narrowed, text: str, near: str) -> Postcode | PlaceMatch | None:
    """The postcode to go by; the contradiction, where the words say that it lies elsewhere; None without one.

    Of what several countries write as a postcode, the one of ``near``, the source's country, counts.
    """
    for code in codes:
        agrees = bool(areas.combine([_area_of(code)], areas.without_counties(narrowed.areas)))
        if code.certain:
            return code if agrees else _contradiction(code, narrowed)
        if not _stands_at_the_end(code, narrowed, text):
            continue
        in_words = any(area.country == code.country for area in narrowed.areas)
        if not agrees and in_words and code.country == "US":
            return _contradiction(code, narrowed)
        if agrees and (in_words or code.country == near or _supported(code, narrowed)):
            return code
    return None


def _stands_at_the_end(code: Postcode, narrowed: Narrowed, text: str) -> bool:
    """Whether at most a country follows it, as it does a ZIP code but no street's number and no German postcode."""
    after = address_parts(text[text.rfind(code.text) + len(code.text) :])
    return all(part in narrowed.taken and areas.areas_called(part) for part in after)


def _supported(code: Postcode, narrowed: Narrowed) -> bool:
    """Whether a town of the address lies where a postcode does that other countries could have written as well."""
    return any(
        _distance_to(code, place) <= SAME_TOWN_KM for _, place, _ in _near_names(narrowed) if narrowed.holds(place)
    )


def _distance_to(code: Postcode, place: Place) -> float:
    return distance_km(code.latitude or 0.0, code.longitude or 0.0, place.latitude, place.longitude)


def _near_names(narrowed: Narrowed) -> Iterator[tuple[str, Place, bool]]:
    """Every (name, town, own name?) that a part names, whole or by its last or first words: the last part's first."""
    for part in [*reversed(narrowed.left), *reversed(narrowed.taken)]:
        words = part.split()
        pieces = [words[-count:] for count in range(min(len(words), _MOST_WORDS_OF_A_TOWN), 0, -1)]
        pieces += [words[:count] for count in range(min(len(words) - 1, _MOST_WORDS_OF_A_TOWN), 0, -1)]
        for name in [*(" ".join(piece) for piece in pieces), *(name for name, _ in without_qualifiers(part))]:
            if not is_venue_only(name):
                yield from ((name, place, own) for place, own in towns_named(name))


def find_named_near(text: str, *, latitude: float, longitude: float, within_km: float) -> Place | None:
    """The town that a text names, if one of that name lies within a distance of a point; None if none does."""
    parts = address_parts(_BRACKETED.sub(_keep_brackets, text))
    if not parts:
        return None
    narrowed = narrow(parts, Area())
    loose = replace(narrowed, areas=tuple(areas.without_counties(narrowed.areas)))
    return _closest(loose, (latitude, longitude), within_km)


def _closest(narrowed: Narrowed, point: tuple[float, float], within_km: float, region: str = "") -> Place | None:
    """Of the towns near a point the one that the words name; of several of that name one in the region, whose own it is."""
    here: list[tuple[str, tuple[bool, bool, float], Place]] = []
    for name, place, own in _near_names(narrowed):
        away = distance_km(*point, place.latitude, place.longitude)
        if away <= within_km and narrowed.holds(place):
            here.append((name, (bool(region) and place.region != region, not own, away), place))
    alike = [(rank, place) for name, rank, place in here if name == here[0][0]]
    return min(alike, key=lambda pair: pair[0])[1] if alike else None


def _at_postcode(code: Postcode, point: tuple[float, float], narrowed: Narrowed) -> PlaceMatch:
    """The town of the address that lies where the postcode does, else the one that people would name for it."""
    inland = replace(narrowed, areas=(Area(country=code.country),))
    town = _closest(inland, point, _POST_TOWN_KM.get(code.country, _ELSEWHERE_KM), code.region)
    if town is not None:
        return _sure(town, code, point)
    large = [
        (weight(place, own), place)
        for name in (*narrowed.taken, *narrowed.left[-1:])
        if not is_street(name)
        for place, own in towns_named(name)
        if place.population >= _KNOWN and inland.holds(place) and narrowed.holds(place)
    ]
    if large:
        return _contradiction(code, narrowed, town=max(large, key=lambda pair: pair[0])[1])
    nearest = nearest_place(latitude=point[0], longitude=point[1])
    return _sure(nearest, code, point) if nearest else PlaceMatch(reason=f"“{code.text}” names no town.", point=point)


def _sure(place: Place, code: Postcode, point: tuple[float, float]) -> PlaceMatch:
    region = code.region or place.region
    return PlaceMatch(place=place, candidates=(place,), country=code.country, region=region, point=point)


def _contradiction(code: Postcode, narrowed: Narrowed, town: Place | None = None) -> PlaceMatch:
    """The question that is left where the postcode and the other words name places far from each other."""
    there = None
    if code.latitude is not None and code.longitude is not None:
        there = nearest_place(latitude=code.latitude, longitude=code.longitude)
    if town is None:
        by_name = _by_name(narrowed, "")
        town = by_name.place if by_name else None
    meant = tuple(dict.fromkeys(place for place in (there, town) if place))
    certain = code.country if all(area.country == code.country for area in narrowed.areas) else ""
    words = describe(town) if town else narrowed.areas[0].describe()
    return PlaceMatch(
        ambiguous=True,
        candidates=meant,
        reason=f"The postcode {code.text.strip()} lies in {describe(there) if there else _area_of(code).describe()},"
        f" but the address says {words}.",
        country=certain,
    )


def _by_name(narrowed: Narrowed, near: str) -> PlaceMatch | None:
    """The town that a part of the address names, the last that does; an area's name as that of a town comes next."""
    for number, part in reversed(list(enumerate(narrowed.left))):
        is_first_of_many = number == 0 and len(narrowed.left) > 1
        found = _towns(part, narrowed, near, smallest=_KNOWN_TO_MANY if is_first_of_many and not narrowed.given else 0)
        if found:
            return _choose(part, found, near, _beside(part, narrowed), given=narrowed.given)
    for step in reversed(narrowed.steps):
        meant = _area_as_town(step, narrowed, near)
        if meant is not None:
            return meant
    for part in reversed(narrowed.left):
        found = _towns_in_a_part(part, narrowed, near)
        if found:
            return _choose(part, found, near, ())
    return None


def _area_as_town(step: Step, narrowed: Narrowed, near: str) -> PlaceMatch | None:
    """The town of an area's name: Cork in Cork, Victoria in British Columbia where no town of the address is in Australia."""
    part = step.part
    called = areas.areas_called(part)
    if is_code(part) or any(not area.region for area in called):
        return None
    wider = Narrowed((part,), (), step.before)
    found = _towns(part, wider, near)
    if not found:
        return None
    named = [area for area in called if area.is_widely_known and names_region(part, area.region)]
    named += [area for area in called if area.counties and not any(area.holds(place) for place, own in found if own)]
    if any(area.holds(place) for area in named for place, _ in found):
        found = [pair for pair in found if any(area.holds(pair[0]) for area in named)]
    elif named:
        return _area_or_town(part, named[0], found, near)
    return _choose(part, found, near, (), given=wider.given)


def _area_or_town(part: str, area: Area, found: list[tuple[Place, bool]], near: str) -> PlaceMatch | None:
    """What "Victoria" means after a place that is not known: the region, or a town elsewhere in the world."""
    large = [(place, own) for place, own in found if own and place.population >= _KNOWN_TO_MANY]
    exactly = [
        pair for pair in large if pair[0].name.casefold() == part.casefold() != region_name(area.region).casefold()
    ]
    if exactly or (near and near[:2] != area.country and any(_is_in(place, near[:2]) for place, _ in large)):
        return _choose(part, exactly or found, near, ())
    if large and not near:
        what = f"{area.describe()}, or the town {describe(large[0][0])}"
        return PlaceMatch(
            ambiguous=True, candidates=tuple(place for place, _ in large), reason=f"“{part}” could be {what}."
        )
    return None


def _towns(part: str, narrowed: Narrowed, near: str, smallest: int = 0) -> list[tuple[Place, bool]]:
    """The towns that a whole part names: "Leeds", "Downtown Houston"."""
    if is_street(part) or (is_venue_only(part) and not narrowed.given):
        return []
    found = [(place, own) for place, own in towns_named(part) if narrowed.holds(place)]
    if not found:
        found = [
            (place, own)
            for name, only_large in without_qualifiers(part)
            for place, own in towns_named(name)
            if narrowed.holds(place) and (place.population >= _KNOWN_TO_MANY or not only_large)
        ]
    return [pair for pair in found if pair[0].population >= smallest or _is_in(pair[0], near)]


def _towns_in_a_part(part: str, narrowed: Narrowed, near: str) -> list[tuple[Place, bool]]:
    """Towns that a part names beside a venue: "Central Library Manchester", "Leeds Town Hall", "Hay-on-Wye Castle".

    Only where the words or the source say that the country is the right one: cafés are called Paris everywhere.
    """
    if is_street(part):
        return []
    words = part.split()
    pieces = [" ".join(words[-count:]) for count in range(min(len(words) - 1, _MOST_WORDS_OF_A_TOWN), 0, -1)]
    for piece in [*pieces, *filter(None, [civic_owner(part)])]:
        found = [
            (place, own)
            for place, own in towns_named(piece)
            if own and place.population >= _KNOWN_TO_MANY and _is_likely(place, narrowed, near)
        ]
        if found:
            return found
    for count in range(len(words) - 1, 0, -1):
        piece = " ".join(words[:count])
        if len(fold(piece).split()) >= _DISTINCTIVE_WORDS:
            found = [(place, own) for place, own in towns_named(piece) if own and _is_likely(place, narrowed, near)]
            if found:
                return found
    return []


def _is_likely(place: Place, narrowed: Narrowed, near: str) -> bool:
    return narrowed.holds(place) and (narrowed.given or _is_in(place, near[:2]))


def _is_in(place: Place, near: str) -> bool:
    return bool(near) and near in (place.region, place.country)


def _beside(part: str, narrowed: Narrowed) -> list[Place]:
    """The towns that the other parts name: Jesmond tells which Newcastle is meant."""
    others = [other for other in narrowed.left if other != part and not is_venue_only(other) and not is_street(other)]
    return [place for other in others for place, _ in towns_named(other)]


def _choose(
    part: str, found: list[tuple[Place, bool]], near: str, beside: Sequence[Place], *, given: bool = True
) -> PlaceMatch:
    choice = choose(found, near=near, beside=beside)
    own = dict(found).get(choice.place, True) if choice.place else True
    if choice.place is not None and not given and _is_doubtful(choice.place, own, near):
        return PlaceMatch(
            ambiguous=True,
            candidates=choice.candidates,
            reason=f"“{part}” could be {describe(choice.place)}, but nothing else says so. Add the state or the country.",
        )
    if choice.place is not None:
        place = choice.place
        return PlaceMatch(place=place, candidates=(place,), country=place.country, region=place.region)
    meant = choice.candidates
    shown = [describe(place) for place in meant[:3]]
    more = f" (and {len(meant) - 3} more)" if len(meant) > 3 else ""
    return PlaceMatch(
        ambiguous=True,
        candidates=meant,
        reason=f"“{part}” could be {'; '.join(shown[:-1])}; or {shown[-1]}{more}. Add the state or the country.",
        country=meant[0].country if len({place.country for place in meant}) == 1 else "",
        region=meant[0].region if len({place.region for place in meant}) == 1 else "",
    )


def _is_doubtful(place: Place, own: bool, near: str) -> bool:
    """Whether a town that is named without its country is too little known to be meant far from the source."""
    if near and place.country == near[:2]:
        return False
    if place.population >= _KNOWN_TO_MANY:
        return False
    return bool(near) or not (own or place.fame >= _FAMOUS)


def _nothing(text: str, narrowed: Narrowed, near: str) -> PlaceMatch:
    """No town is known of; the area is certain unless it is the end of a venue's name far from the source."""
    only = narrowed.areas[0] if len(narrowed.areas) == 1 and narrowed.areas[0].is_widely_known else Area()
    certain = Area(country=only.country, region=only.region)
    step = narrowed.steps[-1] if narrowed.steps else None
    doubtful = bool(step and step.peeled and certain.region and near and near[:2] != certain.country)
    return PlaceMatch(
        ambiguous=doubtful,
        reason="We know no town of 1,000 people or more"
        f"{f' in {certain.describe()}' if certain.country else ''} called “{text.strip()[:120]}”.",
        country="" if doubtful else certain.country,
        region="" if doubtful else certain.region,
    )
