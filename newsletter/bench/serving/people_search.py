"""Measure the search for people in the desk: the time for one page of the list, with its number of matches."""

import time
from dataclasses import dataclass

from newsletter.bench.segments import seed
from subscribers.models import Subscriber
from subscribers.people.lookup import search_people

SEARCHES = {
    "nobody": "zzqx",
    "one address": "person4711@",
    "a domain": "@example7.org",
    "everybody": "reader",
    "two words": "reader oslo",
}
MAX_COUNTED, PAGE = 10_001, 50
_REPEATS = 3


@dataclass(frozen=True)
class SearchFigures:
    """`milliseconds` has the fastest of three times for each search. `slowest_ms` is the largest of them."""

    people: int
    slowest_ms: float
    milliseconds: dict[str, float]


def measure_people_search(*, people: int) -> SearchFigures:
    """Fill the connected database, which must be empty, and search in it."""
    seed(people)
    took = {name: min(_time_search(typed) for _ in range(_REPEATS)) for name, typed in SEARCHES.items()}
    return SearchFigures(people=people, slowest_ms=max(took.values()), milliseconds=took)


def _time_search(typed: str) -> float:
    started = time.perf_counter()
    found = search_people(Subscriber.objects.all(), typed, by_part=True, limit=MAX_COUNTED)
    found.count()
    list(found.select_related("place").order_by("-created_at")[:PAGE])
    return round((time.perf_counter() - started) * 1000, 1)
