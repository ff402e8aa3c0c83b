"""What `newsletter bench` measures: for each part, the functions to run and how, for so many people."""

from collections.abc import Callable
from typing import Any

from newsletter.bench.importing import measure_import
from newsletter.bench.leaving import measure_leaving
from newsletter.bench.measure import measure_send
from newsletter.bench.parts import measure_compile, measure_full_bodies, measure_webhooks
from newsletter.bench.preview import measure_preview
from newsletter.bench.recovery import measure_recovery
from newsletter.bench.segments import measure_segments

Run = tuple[Callable[..., Any], dict[str, Any]]

LATENCIES_AND_LANES = ((0, 2), (150, 8), (150, 16))  # milliseconds, threads of a worker
FULL_BODIES = 10_000
WEBHOOKS = 20_000
LEAVERS = 5_000


def _sends(people: int) -> list[Run]:
    return [
        (measure_send, {"people": people, "latency_ms": latency, "lanes": lanes})
        for latency, lanes in LATENCIES_AND_LANES
    ]


MEASUREMENTS: dict[str, Callable[[int], list[Run]]] = {
    "sends": _sends,
    "full_bodies": lambda people: [(measure_full_bodies, {"people": min(people, FULL_BODIES)})],
    "compile": lambda people: [(measure_compile, {})],
    "webhooks": lambda people: [(measure_webhooks, {"events": min(people, WEBHOOKS)})],
    "recovery": lambda people: [(measure_recovery, {})],
    "import": lambda people: [(measure_import, {"rows": people})],
    "segments": lambda people: [(measure_segments, {"people": people})],
    "leaving": lambda people: [(measure_leaving, {"people": min(people, LEAVERS)})],
    "preview": lambda people: [(measure_preview, {})],
}
