"""Turns what people write about where they live into a shared, coarse `SubscriberLocation` row. Postcodes are never kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from newsletter.common.errors import UnknownPlace
from newsletter.common.messages import Message
from subscribers.models import SubscriberLocation
from subscribers.models.locations import location_key
from subscribers.places.disambiguation import describe_apart
from subscribers.places.regions import country_of, resolve_country, resolve_region
from subscribers.places.search import find_place

_MAX_TOWN_LENGTH = 120


@dataclass(frozen=True)
class Location:
    """Where a text is, as far as is certain. `note` says in words what could not be told; empty when all was clear.

    `is_area`: it names a whole region or country. `candidates` are the towns that it could mean, in words.
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
    def key(self) -> str:
        """The key of its `SubscriberLocation` row."""
        return location_key(
            country=self.country,
            region=self.region,
            town=self.town,
            latitude=self.latitude,
            longitude=self.longitude,
        )


@lru_cache(maxsize=16_384)
def locate(*, country: str = "", region: str = "", town: str = "") -> Location:
    """The location that these texts name: a town where it is certain, else the region, else the country, else nothing.

    It does not raise: what is not understood is left out and said in `note`.
    """
    notes: list[str] = []
    country_code = _country(country, notes)
    region_code = _region(region, country_code, notes)
    if region_code and not country_code:
        country_code = country_of(region_code)
    if region_code and country_of(region_code) != country_code:
        notes.append(
            Message(
                "The region %(region_code)s is not in the country %(country_code)s, so only the country is kept.",
                region_code=region_code,
                country_code=country_code,
            )
        )
        region_code = ""
    if not town.strip():
        return Location(country_code, region_code, note=" ".join(notes))
    match = find_place(town.strip()[:_MAX_TOWN_LENGTH], country=country_code, region=region_code)
    if match.place is None:
        notes.append(match.reason)
        return Location(
            country_code or match.country,
            region_code or match.region,
            note=" ".join(notes),
            ambiguous=match.ambiguous,
            is_area=match.is_area,
            candidates=tuple(describe_apart(match.candidates)),
        )
    found = match.place
    return Location(
        found.country,
        found.region,
        found.name,
        round(found.latitude, 2),
        round(found.longitude, 2),
        found.zone,
        " ".join(notes),
    )


def get_or_create_place(
    *,
    country: str = "",
    region: str = "",
    town: str = "",
    latitude: float | None = None,
    longitude: float | None = None,
    zone: str = "",
) -> SubscriberLocation:
    """The row of this place, made when nobody lives there yet. Coordinates are degrees, cut to two decimals."""
    rounded = {
        "latitude": round(latitude, 2) if latitude is not None else None,
        "longitude": round(longitude, 2) if longitude is not None else None,
    }
    key = location_key(country=country, region=region, town=town, **rounded)
    place, _ = SubscriberLocation.objects.get_or_create(
        key=key,
        defaults={"country": country.upper(), "region": region.upper(), "town": town, "zone": zone, **rounded},
    )
    return place


def get_place_for(location: Location) -> SubscriberLocation | None:
    """The row of a location; None when not even its country is known."""
    if not location.known:
        return None
    return get_or_create_place(
        country=location.country,
        region=location.region,
        town=location.town,
        latitude=location.latitude,
        longitude=location.longitude,
        zone=location.zone,
    )


def find_place_ids(locations: Iterable[Location]) -> dict[str, int]:
    """The ids of the rows of these locations that are there, by key."""
    keys = {location.key for location in locations}
    return dict(SubscriberLocation.objects.filter(key__in=keys).values_list("key", "pk"))


def get_or_create_places(locations: Iterable[Location]) -> dict[str, int]:
    """The ids of the rows of these known locations, by key; missing ones are made, also while somebody else makes them."""
    wanted = {location.key: location for location in locations}
    found = find_place_ids(wanted.values())
    missing = [location for key, location in wanted.items() if key not in found]
    if not missing:
        return found
    SubscriberLocation.objects.bulk_create(
        (
            SubscriberLocation(
                key=location.key,
                country=location.country.upper(),
                region=location.region.upper(),
                town=location.town,
                latitude=location.latitude,
                longitude=location.longitude,
                zone=location.zone,
            )
            for location in missing
        ),
        ignore_conflicts=True,
    )
    return find_place_ids(wanted.values())


def _country(text: str, notes: list[str]) -> str:
    if not text.strip():
        return ""
    try:
        return resolve_country(text)
    except UnknownPlace as error:
        notes.append(str(error))
        return ""


def _region(text: str, country: str, notes: list[str]) -> str:
    if not text.strip():
        return ""
    try:
        return resolve_region(text, country=country)
    except UnknownPlace as error:
        notes.append(str(error))
        return ""
