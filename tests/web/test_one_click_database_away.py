"""The web process answers 503 at once, never a false 200, while PostgreSQL is stopped, killed or stalled."""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from newsletter.monitoring.metrics import KEEP_SECONDS
from tests.support.fake_provider import FakeProvider
from tests.support.ports import free_port
from tests.support.postgres import Cluster, find_binary, temporary_cluster
from tests.support.processes import Installation, wait_for_start, wait_until
from tests.support.time_limits import START_SECONDS

pytestmark = pytest.mark.skipif(
    not (find_binary("initdb") and find_binary("postgres")),
    reason="PostgreSQL's binaries (initdb, postgres) are not on this machine",
)
PEOPLE = 150
ROBOTS = 32  # connections of one mailbox provider, twice as many as the process has threads
REFUSED_SECONDS = 10.0  # of a busy machine; it waits for nothing
FROZEN_SECONDS = 15.0  # the patience of a page is four
KEPT_SECONDS = KEEP_SECONDS + 0.5  # after which metrics are read again


class Answer(NamedTuple):
    status: int
    retry_after: str | None
    seconds: float
    body: bytes


class Web:
    """The web process of an installation whose PostgreSQL is the test's to break, and its people's links."""

    def __init__(self, installation: Installation, cluster: Cluster) -> None:
        self.here, self.cluster, self.port = installation, cluster, free_port()
        filled = subprocess.run(
            [sys.executable, "-m", "tests.support.one_click_data", str(PEOPLE)],
            env=installation.env,
            capture_output=True,
            check=True,
            timeout=START_SECONDS,
        )
        self.links: dict[int, str] = {int(pk): path for pk, path in json.loads(filled.stdout).items()}
        self.process = installation.start_without_fork("web", "--port", str(self.port))
        wait_for_start(self.process, self._answers, what="the web process")

    def call(self, path: str, method: str = "POST") -> Answer:
        began = time.monotonic()
        opened = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            headers = {"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" else {}
            opened.request(
                method, path, body="List-Unsubscribe=One-Click" if method == "POST" else None, headers=headers
            )
            answer = opened.getresponse()
            body = answer.read()
            return Answer(answer.status, answer.getheader("Retry-After"), time.monotonic() - began, body)
        finally:
            opened.close()

    def call_at_once(self, people: list[int]) -> dict[int, Answer]:
        with ThreadPoolExecutor(max_workers=ROBOTS) as robots:
            return dict(zip(people, robots.map(lambda pk: self.call(self.links[pk]), people), strict=True))

    def left(self) -> set[int]:
        ended = "SELECT subscriber_id FROM subscribers_subscription WHERE ended_at IS NOT NULL"
        return {int(row[0]) for row in self.here.query(ended)}

    def left_without_a_note(self) -> int:
        noted = {json.loads(line)["hash"] for line in (self.here.folder / "left.journal").read_text().splitlines()}
        suppressed = self.here.query("SELECT encode(address_hash, 'hex') FROM subscribers_suppression")
        return len({str(row[0]) for row in suppressed} - noted)

    def _answers(self) -> bool:
        try:
            return self.call(next(iter(self.links.values())), "GET").status == 200
        except OSError:
            return False


@pytest.fixture(scope="module")
def web(fake_provider_for_module: FakeProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder: Path = tmp_path_factory.mktemp("away")
    with temporary_cluster() as cluster:
        here = Installation(
            folder=folder, database_url=cluster.url(), provider=fake_provider_for_module, engine="embedded", batch=100
        )
        try:
            yield Web(here, cluster)
        finally:
            here.end()


@pytest.fixture(scope="module")
def fake_provider_for_module() -> Iterator[FakeProvider]:
    provider = FakeProvider().start()
    yield provider
    provider.stop()


def take(web: Web, number: int) -> list[int]:
    """People who have not left yet."""
    gone = web.left()
    return [pk for pk in web.links if pk not in gone][:number]


@pytest.mark.requirement("U7")
@pytest.mark.parametrize("at_once", [False, True])
def test_with_postgresql_stopped_it_is_503_quickly_and_200_once_it_is_back(web: Web, at_once: bool) -> None:
    first, second = take(web, 2)
    assert web.call(web.links[first]).status == 200
    web.cluster.stop(at_once=at_once)
    try:
        for _ in range(3):
            refused = web.call(web.links[second])
            assert (refused.status, refused.retry_after) == (503, "120")
            assert refused.seconds < REFUSED_SECONDS
        assert web.call(web.links[second], "GET").status == 503
    finally:
        web.cluster.start()
    assert second not in web.left()
    assert web.call(web.links[second]).status == 200
    crowd = take(web, 20)
    assert {answer.status for answer in web.call_at_once(crowd).values()} == {200}, (
        "no thread clings to a dead connection"
    )
    assert {first, second, *crowd} <= web.left()
    assert web.left_without_a_note() == 0


@pytest.mark.long
@pytest.mark.requirement("U7")
def test_a_stalled_postgresql_gives_a_crowd_503_and_nobody_a_false_200(web: Web) -> None:
    people = take(web, ROBOTS)
    web.cluster.freeze()
    try:
        answers = web.call_at_once(people)
        again = web.call(web.links[people[0]])
        looked = web.call(web.links[people[0]], "GET")
    finally:
        web.cluster.thaw()
    for answer in (*answers.values(), again):
        assert (answer.status, answer.retry_after) == (503, "120")
        assert answer.seconds < FROZEN_SECONDS
    assert looked.status == 503
    assert looked.seconds < FROZEN_SECONDS
    wait_until(lambda: web.call(web.links[people[0]]).status == 200, every=0.5, what="a 200 after the thaw")
    assert {answer.status for answer in web.call_at_once(people).values()} == {200}
    assert set(people) <= web.left()
    assert web.left_without_a_note() == 0


@pytest.mark.long
@pytest.mark.requirement("U7")
def test_a_row_that_somebody_else_holds_keeps_only_its_own_person_waiting(web: Web) -> None:
    """A long import, an erasure: the database is well, and whoever is not concerned is not refused."""
    held, *others = take(web, 13)
    with psycopg.connect(web.cluster.url()) as holder, ThreadPoolExecutor(max_workers=ROBOTS) as robots:
        holder.execute("SELECT 1 FROM subscribers_subscription WHERE subscriber_id = %s FOR UPDATE", [held])
        waiting = robots.submit(web.call, web.links[held])
        answers = []
        for pk in others:
            time.sleep(0.5)
            answers.append(robots.submit(web.call, web.links[pk]))
        assert [answer.result().status for answer in answers] == [200] * len(others)
        assert (waiting.result().status, waiting.result().retry_after) == (503, "120")
        assert held not in web.left()
        holder.rollback()
    assert web.call(web.links[held]).status == 200
    assert {held, *others} <= web.left()
    assert web.left_without_a_note() == 0


def ask_monitoring(web: Web) -> dict[str, Answer]:
    return {path: web.call(path, "GET") for path in ("/healthz", "/readyz", "/metrics")}


@pytest.mark.parametrize("failure", ["stopped", "frozen"])
def test_monitoring_pages_answer_in_time_without_postgresql(web: Web, failure: str) -> None:
    wait_until(lambda: web.call("/readyz", "GET").status == 200, seconds=30, every=0.5, what="readiness")
    assert b"newsletter_database_up 1.0" in ask_monitoring(web)["/metrics"].body
    web.cluster.stop(at_once=True) if failure == "stopped" else web.cluster.freeze()
    try:
        time.sleep(KEPT_SECONDS)
        answers = ask_monitoring(web)
    finally:
        web.cluster.start() if failure == "stopped" else web.cluster.thaw()
    assert [answer.status for answer in answers.values()] == [200, 503, 200]
    assert json.loads(answers["/readyz"].body)["code"] == "database_unreachable"
    assert b"newsletter_database_up 0.0" in answers["/metrics"].body
    assert answers["/healthz"].seconds < REFUSED_SECONDS
    assert max(answer.seconds for answer in answers.values()) < FROZEN_SECONDS
    wait_until(lambda: web.call("/readyz", "GET").status == 200, seconds=30, every=0.5, what="readiness again")


@pytest.mark.requirement("U7")
def test_a_200_during_database_outages_means_unsubscribed(web: Web) -> None:
    people = take(web, 12)
    told = []
    for number, pk in enumerate(people):
        if number % 4 == 1:
            web.cluster.stop(at_once=True)
        if number % 4 == 3:
            web.cluster.start()
        told += [pk] * (web.call(web.links[pk]).status == 200)
    assert set(told) <= web.left()
    assert web.left_without_a_note() == 0
    assert 3 <= len(told) < len(people)
