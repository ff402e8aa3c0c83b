"""Measure reads through the API: GETs at an even rate to one web server process, with a key of its own."""

import http.client
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from statistics import quantiles

from django.utils import timezone

from newsletter.api_keys import make_key
from newsletter.bench.errors import NotMeasured
from newsletter.bench.segments import seed
from newsletter.bench.serving.web import serve_web
from newsletter.models import ApiScope
from newsletter.models.api_keys import MAX_CALLS_PER_MINUTE
from subscribers.models import Subscriber

READS_PER_SECOND, SECONDS, CONNECTIONS = 300, 20, 8
_WARM_UP_SECONDS = 2  # until each thread has opened its connection to the database
_PEOPLE_PER_PAGE = 10


@dataclass(frozen=True)
class ApiFigures:
    """Reads a second that were asked for and answered, and the milliseconds from when each was due to its answer."""

    people: int
    processes: int
    connections: int
    asked_per_second: int
    reads_per_second: float
    middle_ms: float
    p95_ms: float
    slowest_ms: float


@dataclass
class _Result:
    took: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)


def measure_api(*, people: int, per_second: int = READS_PER_SECOND, seconds: int = SECONDS) -> ApiFigures:
    """Read people by id, pages of people, lists, topics and issues, in turn. Raise NotMeasured on any other answer."""
    seed(people)
    key = make_key(
        name="bench",
        scope=" ".join(ApiScope.values),
        by="bench",
        now=timezone.now(),
        calls_per_minute=MAX_CALLS_PER_MINUTE,
    )[1]
    paths = _list_paths(per_second * seconds)
    with serve_web() as port:
        _read(paths[: per_second // 2 * _WARM_UP_SECONDS], port=port, key=key, per_second=per_second // 2)
        started = time.perf_counter()
        result = _read(paths, port=port, key=key, per_second=per_second)
        took_seconds = time.perf_counter() - started
    if set(result.statuses) != {200}:
        raise NotMeasured(f"Some reads were not answered with 200: {dict(result.statuses)}.")
    cuts = quantiles(result.took, n=100)
    return ApiFigures(
        people=people,
        processes=1,
        connections=CONNECTIONS,
        asked_per_second=per_second,
        reads_per_second=round(len(paths) / took_seconds, 1),
        middle_ms=round(cuts[49] * 1000, 1),
        p95_ms=round(cuts[94] * 1000, 1),
        slowest_ms=round(max(result.took) * 1000, 1),
    )


def _list_paths(reads: int) -> list[str]:
    first, last = (Subscriber.objects.order_by(order).values_list("pk", flat=True)[0] for order in ("pk", "-pk"))
    person = [first + number * 7919 % (last - first + 1) for number in range(reads)]
    kinds = (
        "people/{}",
        "people/{}",
        f"people?limit={_PEOPLE_PER_PAGE}",
        f"people?list=bench&limit={_PEOPLE_PER_PAGE}",
        "lists/bench",
        "topics",
        "publications",
        "sends",
    )
    return [f"/api/v1/{kinds[number % len(kinds)].format(person[number])}" for number in range(reads)]


def _read(paths: list[str], *, port: int, key: str, per_second: int) -> _Result:
    """Read each path when it is due. A read that has to wait for a connection counts from when it was due."""
    result, lock, begin = _Result(), threading.Lock(), time.perf_counter() + 0.1

    def work(first: int) -> None:
        opened = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for number in range(first, len(paths), CONNECTIONS):
            due = begin + number / per_second
            time.sleep(max(0.0, due - time.perf_counter()))
            opened.request("GET", paths[number], headers={"Authorization": f"Bearer {key}"})
            answer = opened.getresponse()
            answer.read()
            with lock:
                result.took.append(time.perf_counter() - due)
                result.statuses[answer.status] += 1
        opened.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return result
