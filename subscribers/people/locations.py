"""Turn a typed place into a shared `SubscriberLocation`, no finer than a town. Postcodes are never kept."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from newsletter.common.errors import UnknownPlace
from newsletter.common.messages import Message
from subscribers.models import SubscriberLocation
from subscribers.models.locations import location_key
from subscribers.places.disambiguation import describe, describe_apart
from subscribers.places.regions import country_name, country_of, resolve_country, resolve_region
from subscribers.places.search import MAX_TOWN_LENGTH, explain_long_town, find_place
from subscribers.places.towns import Town


@dataclass(frozen=True)
class Location:
    """The location that a text names: the parts that are certain. `note` explains what is not clear; it is empty otherwise.

    `is_area` means that the text names a whole region or country. `candidates` describe the towns that it could mean.
    """

    country: str = ""
    region: str = ""
    town: str = ""
    latitude: float | None = None
    longitude: float | None = None
    zone: str = ""
    note: str = ""
    ambiguous: bool = False
    is_area: bool = False
    candidates: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        return bool(self.country)

    @property
    def columns(self) -> dict[str, object]:
        """Return the columns of its `SubscriberLocation` row. Coordinates in degrees are rounded to two decimals."""
        latitude, longitude = (None if at is None else round(at, 2) for at in (self.latitude, self.longitude))
        names = {"country": self.country.upper(), "region": self.region.upper(), "town": self.town}
        key = location_key(**names, latitude=latitude, longitude=longitude)
        return {**names, "latitude": latitude, "longitude": longitude, "zone": self.zone, "key": key}

    @property
    def key(self) -> str:
        """Return the key of its `SubscriberLocation` row."""
        return str(self.columns["key"])


def locate(*, country: str = "", region: str = "", town: str = "", home: str = "") -> Location:
    """Return the location that these texts name: a certain town, else the region, else the country, else nothing.

    It never raises. Unknown parts are left out, and a town that is too long; `note` names them. ``home`` is the code of the
    country that is meant if none is given and region and town do not name another.
    """
    if len(town.strip()) <= MAX_TOWN_LENGTH:
        return _locate(country=country, region=region, town=town.strip(), home=home)
    found = _locate(country=country, region=region, town="", home=home)
    return replace(found, note=_join([explain_long_town(town.strip()), *filter(None, [found.note])]))


@lru_cache(maxsize=16_384)
def _locate(*, country: str, region: str, town: str, home: str) -> Location:
    notes: list[str] = []
    if home and not country.strip():
        if region.strip():
            country = home if _region(region, home, []) else country_of(_region(region, "", [])) or home
        else:
            return _locate_at_home(town, home)
    country_code = _country(country, notes)
    region_code = _region(region, country_code, notes)
    if region_code and not country_code:
        country_code = country_of(region_code)
    if region_code and country_of(region_code) != country_code:
        notes.append(
            Message(
                "The region %(region_code)s is not in the country %(country_code)s. Only the country is kept.",
                region_code=region_code,
                country_code=country_code,
            )
        )
        region_code = ""
    if not town:
        return Location(country_code, region_code, note=_join(notes))
    match = find_place(town, country=country_code, region=region_code)
    if match.place is None:
        notes.append(match.reason)
        return Location(
            country_code or match.country,
            region_code or match.region,
            note=_join(notes),
            ambiguous=match.ambiguous,
            is_area=match.is_area,
            candidates=tuple(describe_apart(match.candidates)),
        )
    return _location_of(match.place, notes)


def _locate_at_home(town: str, home: str) -> Location:
    """Return the location of a town without a country. The text itself can name a country or state."""
    if not town:
        return Location(home)
    match = find_place(town, near=home)
    at_home = match if "," in town else find_place(town, country=home)
    if at_home.place is not None:
        return _location_of(at_home.place, [])
    if match.place is None or at_home.ambiguous:
        candidates = tuple(describe_apart(at_home.candidates))
        return Location(
            at_home.country or home,
            at_home.region,
            note=at_home.reason,
            ambiguous=at_home.ambiguous,
            is_area=at_home.is_area,
            candidates=candidates,
        )
    note = Message(
        "“%(town)s” is not in %(country)s; stored as %(place)s.",
        town=town,
        country=country_name(home),
        place=describe(match.place),
    )
    return _location_of(match.place, [note])


def _location_of(town: Town, notes: list[str]) -> Location:
    return Location(
        town.country,
        town.region,
        town.name,
        round(town.latitude, 2),
        round(town.longitude, 2),
        town.zone,
        _join(notes),
    )


def get_location_row(location: Location) -> SubscriberLocation | None:
    """Return the row of a location, creating it if needed, or None if not even its country is known."""
    if not location.known:
        return None
    return SubscriberLocation.objects.get_or_create(key=location.key, defaults=location.columns)[0]


def find_location_ids(locations: Iterable[Location]) -> dict[str, int]:
    """Return the ids of the existing rows of these locations, by key."""
    keys = {location.key for location in locations}
    return dict(SubscriberLocation.objects.filter(key__in=keys).values_list("key", "pk"))


def get_or_create_locations(locations: Iterable[Location]) -> dict[str, int]:
    """Return the ids of the rows of these known locations, by key. Safe if another process adds them too."""
    by_key = {location.key: location for location in locations}
    ids = find_location_ids(by_key.values())
    missing = [location for key, location in by_key.items() if key not in ids]
    if not missing:
        return ids
    SubscriberLocation.objects.bulk_create(
        (SubscriberLocation(**location.columns) for location in missing), ignore_conflicts=True
    )
    return find_location_ids(by_key.values())


def _join(notes: list[str]) -> str:
    return Message.joined(notes, between=" ") if notes else ""


def _country(text: str, notes: list[str]) -> str:
    if not text.strip():
        return ""
    try:
        return resolve_country(text)
    except UnknownPlace as error:
        notes.append(error.message)
        return ""


def _region(text: str, country: str, notes: list[str]) -> str:
    if not text.strip():
        return ""
    try:
        return resolve_region(text, country=country)
    except UnknownPlace as error:
        notes.append(error.message)
        return ""
