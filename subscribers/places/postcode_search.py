"""Find the town of an address by its postcode or by a point, and report contradictions with its words."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from newsletter.common.messages import Message
from subscribers.places import areas
from subscribers.places.areas import Area
from subscribers.places.disambiguation import SAME_TOWN_RADIUS_KM, describe, weight
from subscribers.places.name_search import MAX_TOWN_WORDS, find_by_name, is_street, is_venue_only, without_qualifiers
from subscribers.places.narrowing import NarrowedAddress, narrow_address
from subscribers.places.postcodes import Postcode
from subscribers.places.towns import PlaceMatch, Town, distance_km, find_towns_named, nearest_place

_MIN_POPULATION = 15_000
_POST_TOWN_KM = {"GB": 40.0}
_ELSEWHERE_KM = 60.0
_BRACKETED = re.compile(r"([^\W\d][\w .'-]*?)\s*\(([^()]{1,40})\)")
_SEPARATORS = re.compile(r"[,;:|\n\r\t()\[\]/·•~]+|\s[-–—]\s|\\n")
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_POSTCODES = re.compile(
    r"\b(?:[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}"  # Great Britain
    r"|[A-Z]\d[A-Z]\s*\d[A-Z]\d"  # Canada
    r"|\d{4}\s?[A-Z]{2}"  # Netherlands
    r"|[A-Z]{1,2}-\d{3,6}|\d{5}-\d{3,4}|\d{3}\s\d{2}|\d{2}-\d{3}|\d{3}-\d{4})\b"
)
_OUTWARD_CODE = re.compile(r"\b[A-Z]{1,2}\d{1,2}[A-Z]?\b")
_NUMBERED = re.compile(r"\b\d[\w-]*\b|#\S*")
_LEADING = {"at", "in", "near", "and", "also", "or", "from", "on", "via", "by", "@", "&", "+", "live"}
_MAX_LENGTH = 500
_MAX_PARTS = 12
_MAX_WORDS = 8


def choose_postcode(
    codes: Sequence[Postcode], narrowed: NarrowedAddress, text: str, near: str
) -> Postcode | PlaceMatch | None:
    """Return the postcode that decides, or the contradiction if the words name another place, or None without a postcode.

    Of what several countries write as a postcode, the one of ``near``, the source's country, counts.
    """
    for code in codes:
        agrees = bool(areas.intersect_areas([area_of(code)], areas.without_counties(narrowed.areas)))
        if code.certain:
            return code if agrees else _contradiction(code, narrowed)
        if not _is_at_the_end(code, narrowed, text):
            continue
        in_words = any(area.country == code.country for area in narrowed.areas)
        if not agrees and in_words and code.country == "US":
            return _contradiction(code, narrowed)
        if agrees and (in_words or code.country == near or _is_supported(code, narrowed)):
            return code
    return None


def _is_at_the_end(code: Postcode, narrowed: NarrowedAddress, text: str) -> bool:
    """Return True if at most a country follows it, as after a ZIP code, but not after a house number."""
    after = address_parts(text[text.rfind(code.text) + len(code.text) :])
    return all(part in narrowed.area_parts and areas.find_areas_named(part) for part in after)


def _is_supported(code: Postcode, narrowed: NarrowedAddress) -> bool:
    """Return True if a town of the address is at the postcode, which might also be one of another country."""
    return any(
        _distance_to(code, place) <= SAME_TOWN_RADIUS_KM
        for _, place, _ in _iterate_named_towns(narrowed)
        if narrowed.contains(place)
    )


def _distance_to(code: Postcode, place: Town) -> float:
    return distance_km(code.latitude or 0.0, code.longitude or 0.0, place.latitude, place.longitude)


def _iterate_named_towns(narrowed: NarrowedAddress) -> Iterator[tuple[str, Town, bool]]:
    """Yield (name, town, True for its own name) for each town that the address names, the likeliest first.

    Whole parts come before the first or last words of one, the last part before others. A street comes last, and only
    a town's own name counts in it: "Hope Street" is in Wrexham, and "Cheltenham Road" is not in Rode.
    """
    left, taken = narrowed.left[::-1], narrowed.area_parts[::-1]
    streets = [part for part in left if is_street(part)]
    places = [part for part in left if part not in streets]
    for name in [*places, *taken]:
        yield from _find_named(name)
    for part in [*places, *taken]:
        for name in [*_pieces(part), *(name for name, _ in without_qualifiers(part))]:
            yield from _find_named(name)
    for part in streets:
        for name in [part, *_pieces(part)]:
            yield from (found for found in _find_named(name) if found[2])


def _find_named(name: str) -> Iterator[tuple[str, Town, bool]]:
    if not is_venue_only(name):
        yield from ((name, place, is_full_name) for place, is_full_name in find_towns_named(name))


def _pieces(part: str) -> list[str]:
    """Return the last words of a part, then its first ones, the longest pieces first."""
    words = part.split()
    max_words = min(len(words) - 1, MAX_TOWN_WORDS)
    ends = [words[-count:] for count in range(max_words, 0, -1)] + [words[:count] for count in range(max_words, 0, -1)]
    return [" ".join(piece) for piece in ends]


def find_named_near(text: str, *, latitude: float, longitude: float, within_km: float) -> Town | None:
    """Return the town that a text names within the distance of a point, else None."""
    parts = address_parts(join_brackets(text))
    if not parts:
        return None
    narrowed = narrow_address(parts, Area())
    loose = replace(narrowed, areas=tuple(areas.without_counties(narrowed.areas)))
    return _closest(loose, (latitude, longitude), within_km)


def _closest(narrowed: NarrowedAddress, point: tuple[float, float], within_km: float, region: str = "") -> Town | None:
    """Return the town near a point that the words name. Of several, prefer the region and its own name."""
    here: list[tuple[str, tuple[bool, bool, float], Town]] = []
    for name, place, is_full_name in _iterate_named_towns(narrowed):
        away = distance_km(*point, place.latitude, place.longitude)
        if away <= within_km and narrowed.contains(place):
            here.append((name, (bool(region) and place.region != region, not is_full_name, away), place))
    alike = [(rank, place) for name, rank, place in here if name == here[0][0]]
    return min(alike, key=lambda pair: pair[0])[1] if alike else None


def match_postcode(code: Postcode, point: tuple[float, float], narrowed: NarrowedAddress) -> PlaceMatch:
    """Return the town of the address that is at the postcode, else the town that people name for it."""
    inland = replace(narrowed, areas=(Area(country=code.country),))
    town = _closest(inland, point, _POST_TOWN_KM.get(code.country, _ELSEWHERE_KM), code.region)
    if town is not None:
        return _make_match(town, code, point)
    large = [
        (weight(place, is_full_name), place)
        for name in (*narrowed.area_parts, *narrowed.left[-1:])
        if not is_street(name)
        for place, is_full_name in find_towns_named(name)
        if place.population >= _MIN_POPULATION and inland.contains(place) and narrowed.contains(place)
    ]
    if large:
        return _contradiction(code, narrowed, town=max(large, key=lambda pair: pair[0])[1])
    nearest = nearest_place(latitude=point[0], longitude=point[1])
    return (
        _make_match(nearest, code, point)
        if nearest
        else PlaceMatch(reason=Message("“%(text)s” names no town.", text=code.text), point=point)
    )


def _make_match(place: Town, code: Postcode, point: tuple[float, float]) -> PlaceMatch:
    region = code.region or place.region
    return PlaceMatch(place=place, candidates=(place,), country=code.country, region=region, point=point)


def _contradiction(code: Postcode, narrowed: NarrowedAddress, town: Town | None = None) -> PlaceMatch:
    """Return the open question if postcode and words name places far from each other."""
    there = None
    if code.latitude is not None and code.longitude is not None:
        there = nearest_place(latitude=code.latitude, longitude=code.longitude)
    if town is None:
        by_name = find_by_name(narrowed, "")
        town = by_name.place if by_name else None
    meant = tuple(dict.fromkeys(place for place in (there, town) if place))
    certain = code.country if all(area.country == code.country for area in narrowed.areas) else ""
    words = describe(town) if town else narrowed.areas[0].describe()
    return PlaceMatch(
        ambiguous=True,
        candidates=meant,
        reason=Message(
            "The postcode %(text)s lies in %(value)s, but the address says %(words)s.",
            text=code.text.strip(),
            value=describe(there) if there else area_of(code).describe(),
            words=words,
        ),
        country=certain,
    )


def area_of(code: Postcode) -> Area:
    return Area(country=code.country, region=code.region)


def match_postcode_alone(text: str, codes: Sequence[Postcode], within: Area) -> PlaceMatch:
    """Match a text of only a postcode. An outward code or ZIP code needs its country next to it."""
    for code in codes:
        alone = code.country == "GB" and code.text == text.strip()
        if areas.intersect_areas([area_of(code)], [within]) and (code.certain or within.country or alone):
            if code.latitude is not None and code.longitude is not None:
                return match_postcode(code, (code.latitude, code.longitude), NarrowedAddress((), (), (within,)))
            area = area_of(code)
            return PlaceMatch(
                reason=Message("“%(text)s” names no town, only %(area)s.", text=code.text, area=area.describe()),
                country=area.country,
                region=area.region,
                is_area=True,
            )
    return PlaceMatch(
        reason=Message("No place is given.")
        if not text.strip()
        else Message("“%(text)s” names no town.", text=text.strip())
    )


def _keep_brackets(match: re.Match[str]) -> str:
    """Join "Frankfurt (Oder)", which is one name, but not "Montréal (Québec)", which is two."""
    joined = f"{match[1]} {match[2]}"
    return joined if find_towns_named(joined) else match[0]


def join_brackets(text: str) -> str:
    """Return the text without brackets that are part of a town's name, as far as towns are looked for in it."""
    return _BRACKETED.sub(_keep_brackets, text[:_MAX_LENGTH]) + text[_MAX_LENGTH:]


def address_parts(text: str) -> list[str]:
    """Return the parts in order, without digits and postcodes: at most twelve, of at most eight words."""
    parts: list[str] = []
    for raw in _SEPARATORS.split(_LINK.sub(" ", text[:_MAX_LENGTH])):
        part = raw
        for pattern in (_POSTCODES, _OUTWARD_CODE, _NUMBERED):
            part = pattern.sub(" ", part)
        words = part.strip(" .:'\"-–—*").split()
        while words and (words[0] in _LEADING or (len(words) > 1 and words[0].lower() in _LEADING)):
            words.pop(0)
        if words and any(char.isalpha() for char in part) and len(words) <= _MAX_WORDS:
            parts.append(" ".join(words))
    return parts[-_MAX_PARTS:]
