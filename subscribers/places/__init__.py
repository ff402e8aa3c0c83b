"""The offline gazetteer: towns, regions and countries of the world, read-only. It never guesses in silence."""

from subscribers.places.distance import distance_km
from subscribers.places.regions import (
    country_name,
    country_of,
    region_name,
    regions_of,
    resolve_country,
    resolve_region,
    say_country,
    say_region,
)
from subscribers.places.search import PlaceMatch, find_described, find_place
from subscribers.places.suggest import suggest_towns
from subscribers.places.towns import Place, nearest_place

__all__ = [
    "Place",
    "PlaceMatch",
    "country_name",
    "country_of",
    "distance_km",
    "find_described",
    "find_place",
    "nearest_place",
    "region_name",
    "regions_of",
    "resolve_country",
    "resolve_region",
    "say_country",
    "say_region",
    "suggest_towns",
]
