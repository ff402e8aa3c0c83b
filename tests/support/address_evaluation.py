"""Judge where the addresses of `tests/data/places/addresses.tsv` are put, as right, wrong or unsure."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from newsletter.content.parsing.entries import EventEntry
from newsletter.content.parsing.event_locations import EventLocation, locate_event
from subscribers.places.towns import distance_km

ADDRESSES = Path(__file__).parent.parent / "data" / "places" / "addresses.tsv"
FAR_KM = 30.0


@dataclass(frozen=True)
class EvaluatedAddress:
    """An address, where it is, where it was put, and what to make of that."""

    address: str
    region: str
    located: EventLocation
    verdict: str

    def __str__(self) -> str:
        found = self.located
        where = f"{found.town}, {found.region or found.country} ({found.latitude}, {found.longitude})"
        return f"{self.verdict:6} {self.region:7} {self.address!r} -> {where} {found.note}"


def evaluate_addresses() -> Iterator[EvaluatedAddress]:
    """Yield each address with its result. Unsure means that no coordinates were given, and no false region either."""
    with ADDRESSES.open(encoding="utf-8", newline="") as lines:
        for row in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row[0].startswith("#"):
                continue
            region, latitude, longitude, source, address = row
            address = address.replace("\\n", "\n")
            entry = EventEntry("1", "Talk", datetime(2026, 12, 1, 19, tzinfo=UTC), place=address)
            found = locate_event(entry, default_region=source)
            yield EvaluatedAddress(address, region, found, _judge(found, region, float(latitude), float(longitude)))


def _judge(found: EventLocation, region: str, latitude: float, longitude: float) -> str:
    if found.country not in ("", region[:2]) or found.region not in ("", region):
        return "wrong"
    if found.latitude is None or found.longitude is None:
        return "unsure"
    away = distance_km(latitude, longitude, found.latitude, found.longitude)
    return "right" if away <= FAR_KM and found.region == region else "wrong"
