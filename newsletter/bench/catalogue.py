"""The measurements of `newsletter bench`: the functions and options of each part, for a number of people."""

from collections.abc import Callable

from newsletter.bench.importing import measure_import
from newsletter.bench.parts import measure_compile, measure_full_bodies, measure_webhooks
from newsletter.bench.people_search import measure_people_search
from newsletter.bench.preview import measure_preview
from newsletter.bench.recovery import measure_recovery
from newsletter.bench.segments import measure_segments
from newsletter.bench.sending import measure_send
from newsletter.bench.unsubscribing import measure_unsubscribing

Run = tuple[Callable[..., object], dict[str, int]]

LATENCIES_AND_THREADS = ((0, 2), (150, 8), (150, 16))  # milliseconds, threads of a worker
MAX_FULL_BODIES = 10_000
MAX_WEBHOOKS = 20_000
MAX_UNSUBSCRIBES = 5_000


def _sends(people: int) -> list[Run]:
    return [
        (measure_send, {"people": people, "latency_ms": latency, "concurrency": threads})
        for latency, threads in LATENCIES_AND_THREADS
    ]


MEASUREMENTS: dict[str, Callable[[int], list[Run]]] = {
    "sends": _sends,
    "full_bodies": lambda people: [(measure_full_bodies, {"people": min(people, MAX_FULL_BODIES)})],
    "compile": lambda people: [(measure_compile, {})],
    "webhooks": lambda people: [(measure_webhooks, {"events": min(people, MAX_WEBHOOKS)})],
    "recovery": lambda people: [(measure_recovery, {})],
    "import": lambda people: [(measure_import, {"rows": people})],
    "segments": lambda people: [(measure_segments, {"people": people})],
    "people_search": lambda people: [(measure_people_search, {"people": people})],
    "leaving": lambda people: [(measure_unsubscribing, {"people": min(people, MAX_UNSUBSCRIBES)})],
    "preview": lambda people: [(measure_preview, {})],
}
