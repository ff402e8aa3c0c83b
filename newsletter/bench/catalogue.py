"""The measurements of `newsletter bench`: the functions and options of each part, for a number of people."""

from collections.abc import Callable

from newsletter.bench.freezing import measure_freeze
from newsletter.bench.importing import measure_import
from newsletter.bench.outbound import measure_outbound
from newsletter.bench.parts import measure_compile, measure_full_bodies, measure_webhooks
from newsletter.bench.recovery import measure_recovery
from newsletter.bench.segments import measure_segments
from newsletter.bench.sending import measure_send
from newsletter.bench.serving.api import measure_api
from newsletter.bench.serving.pages import measure_pages
from newsletter.bench.serving.people_search import measure_people_search
from newsletter.bench.serving.preview import measure_preview
from newsletter.bench.serving.starting import measure_start
from newsletter.bench.serving.unsubscribing import measure_unsubscribing

Run = tuple[Callable[..., object], dict[str, int]]

LATENCIES_AND_THREADS = ((0, 2), (150, 8), (150, 16))  # milliseconds, threads of a worker
MAX_FULL_BODIES = 10_000
MAX_WEBHOOKS = 20_000
MAX_UNSUBSCRIBES = 5_000
TOPICS_LANGUAGES_ZONES_AND_LIMIT = ((0, 0, 0, 0), (12, 0, 0, 0), (12, 8, 24, 0), (0, 0, 0, 3))


def _sends(people: int) -> list[Run]:
    return [
        (measure_send, {"people": people, "latency_ms": latency, "concurrency": threads})
        for latency, threads in LATENCIES_AND_THREADS
    ]


MEASUREMENTS: dict[str, Callable[[int], list[Run]]] = {
    "sends": _sends,
    "freeze": lambda people: [
        (
            measure_freeze,
            {"people": people, "topics": topics, "languages": languages, "zones": zones, "limit": limit},
        )
        for topics, languages, zones, limit in TOPICS_LANGUAGES_ZONES_AND_LIMIT
    ],
    "full_bodies": lambda people: [(measure_full_bodies, {"people": min(people, MAX_FULL_BODIES)})],
    "compile": lambda people: [(measure_compile, {})],
    "webhooks": lambda people: [(measure_webhooks, {"events": min(people, MAX_WEBHOOKS)})],
    "outbound": lambda people: [(measure_outbound, {"events": min(people, MAX_WEBHOOKS)})],
    "recovery": lambda people: [(measure_recovery, {})],
    "import": lambda people: [(measure_import, {"rows": people})],
    "segments": lambda people: [(measure_segments, {"people": people})],
    "people_search": lambda people: [(measure_people_search, {"people": people})],
    "unsubscribing": lambda people: [(measure_unsubscribing, {"people": min(people, MAX_UNSUBSCRIBES)})],
    "api": lambda people: [(measure_api, {"people": people})],
    "preview": lambda people: [(measure_preview, {})],
    "pages": lambda people: [(measure_pages, {"people": people})],
    "start": lambda people: [(measure_start, {})],
}
