"""The thread that keeps the row of a process also returns freed memory, once a minute."""

import time
from datetime import datetime

import pytest

from newsletter.models import RunningProcess
from newsletter.monitoring import process_heartbeat
from newsletter.monitoring.process_heartbeat import WRITES_BETWEEN_RETURNS, ProcessHeartbeat

pytestmark = pytest.mark.django_db(transaction=True)
MAX_SECONDS = 60


def test_freed_memory_is_returned_after_every_fourth_write(monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[datetime] = []
    returns: list[int] = []
    write = ProcessHeartbeat.write

    def count_writes(self: ProcessHeartbeat, *, started_at: datetime, now: datetime) -> None:
        write(self, started_at=started_at, now=now)
        writes.append(now)

    monkeypatch.setattr(ProcessHeartbeat, "write", count_writes)
    monkeypatch.setattr(process_heartbeat, "return_free_memory", lambda: returns.append(len(writes)))
    monkeypatch.setattr(process_heartbeat, "SECONDS_BETWEEN_HEARTBEATS", 0.01)
    heartbeat = ProcessHeartbeat(("web",), intervals={})
    heartbeat.start()
    end = time.monotonic() + MAX_SECONDS
    while len(returns) < 2 and time.monotonic() < end:
        time.sleep(0.01)
    heartbeat.stop()
    assert returns[:2] == [WRITES_BETWEEN_RETURNS, 2 * WRITES_BETWEEN_RETURNS]
    assert not RunningProcess.objects.exists()
