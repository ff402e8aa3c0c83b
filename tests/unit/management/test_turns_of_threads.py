import sys
from collections.abc import Iterator

import pytest

from newsletter.management.server import SECONDS_UNTIL_NEXT_THREAD, Server
from newsletter.management.web_worker import CollectingWorker
from tests.support.ports import free_port


@pytest.fixture
def usual_interval() -> Iterator[float]:
    interval = sys.getswitchinterval()
    yield interval
    sys.setswitchinterval(interval)


def test_threads_of_a_serving_process_take_shorter_turns(
    usual_interval: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    intervals: list[float] = []

    def serve(worker: CollectingWorker) -> None:
        intervals.append(sys.getswitchinterval())
        for opened in (*worker.sockets, worker.tmp):
            opened.close()

    monkeypatch.setattr(CollectingWorker, "init_process", serve)

    Server(host="127.0.0.1", port=free_port(), started=lambda: None, stopping=lambda: True).run()

    assert intervals == [pytest.approx(SECONDS_UNTIL_NEXT_THREAD)]
    assert usual_interval > SECONDS_UNTIL_NEXT_THREAD
