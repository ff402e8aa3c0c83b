"""Worker processes of a measurement: they wait, dispatch a send like any worker, and report what it cost."""

import multiprocessing
import os
import resource
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TypedDict

from django.conf import settings
from django.db import connection

from newsletter.bench.errors import NotMeasured

READY_SECONDS = 60
SEND_SECONDS = 1800


@dataclass(frozen=True)
class WorkerCost:
    """CPU seconds and peak memory (MB) of one worker during a send. ``idle_mb`` is its memory before."""

    cpu_seconds: float
    idle_mb: float
    peak_mb: float


@dataclass(frozen=True)
class Worker:
    process: BaseProcess
    pipe: Connection

    def begin(self, send_id: int) -> None:
        self.pipe.send(send_id)

    def end(self) -> WorkerCost:
        """Wait for the end of the send. Raise NotMeasured if the worker died or took too long."""
        if not self.pipe.poll(SEND_SECONDS):
            raise NotMeasured("A worker did not finish its send in time.")
        try:
            cost: WorkerCost = self.pipe.recv()
        except EOFError as error:
            raise NotMeasured("A worker died during its send.") from error
        return cost

    def kill(self) -> None:
        self.process.kill()
        self.process.join(10)


class _Setup(TypedDict):
    database: dict[str, object]
    data_dir: str
    provider: str
    concurrency: int


@contextmanager
def start_workers(number: int, *, concurrency: int) -> Iterator[Sequence[Worker]]:
    """Start processes with the same database and provider as here. Yield them once all are ready."""
    workers = [_start(concurrency=concurrency) for _ in range(number)]
    try:
        for worker in workers:
            if not worker.pipe.poll(READY_SECONDS) or worker.pipe.recv() != "ready":
                raise NotMeasured("A worker did not start in time.")
        yield workers
    finally:
        for worker in workers:
            worker.kill()


def _start(*, concurrency: int) -> Worker:
    ours, theirs = multiprocessing.Pipe()
    setup: _Setup = {
        "database": {key: value for key, value in connection.settings_dict.items() if key != "TEST"},
        "data_dir": str(settings.NEWSLETTER_DATA_DIR),
        "provider": settings.NEWSLETTER_PROVIDER_URL,
        "concurrency": concurrency,
    }
    process = multiprocessing.get_context("spawn").Process(target=_work, args=(theirs, setup), daemon=True)
    process.start()
    theirs.close()
    return Worker(process, ours)


def _work(pipe: Connection, setup: _Setup) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
    import django

    django.setup()
    connection.settings_dict.update(setup["database"])
    settings.NEWSLETTER_DATA_DIR = type(settings.NEWSLETTER_DATA_DIR)(setup["data_dir"])
    settings.NEWSLETTER_PROVIDER_URL = setup["provider"]

    from newsletter.models import Send
    from newsletter.sending.adapters import current_adapter
    from newsletter.sending.dispatching.worker_loop import run_send

    adapter = current_adapter()
    connection.ensure_connection()
    pipe.send("ready")
    while True:
        try:
            send_id = pipe.recv()
        except EOFError:
            return
        idle, cpu = _peak_mb(), time.process_time()
        run_send(send=Send.objects.get(pk=send_id), adapter=adapter, concurrency=setup["concurrency"])
        pipe.send(WorkerCost(cpu_seconds=time.process_time() - cpu, idle_mb=idle, peak_mb=_peak_mb()))


def _peak_mb() -> float:
    """Return the peak memory of this process, in MB (10⁶ bytes).

    On Linux from /proc, because getrusage includes the parent's memory.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return round(int(line.split()[1]) * 1024 / 1e6, 1)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6, 1)
