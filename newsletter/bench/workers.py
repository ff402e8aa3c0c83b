"""Worker processes of a measurement: they wait until told, dispatch a send like any worker, and say what it cost them."""

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
from typing import Any

from django.conf import settings
from django.db import connection

from newsletter.bench.errors import NotMeasured

READY_SECONDS = 60
SEND_SECONDS = 1800


@dataclass(frozen=True)
class WorkerCost:
    """Processor seconds and the most memory (MB) of one worker over a send; ``idle_mb`` is what it held before it."""

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
        """Raises NotMeasured where the worker died or took too long."""
        if not self.pipe.poll(SEND_SECONDS):
            raise NotMeasured("A worker of the bench did not come to an end.")
        try:
            cost: WorkerCost = self.pipe.recv()
        except EOFError as error:
            raise NotMeasured("A worker of the bench died.") from error
        return cost

    def kill(self) -> None:
        self.process.kill()
        self.process.join(10)


@contextmanager
def start_workers(number: int, *, lanes: int) -> Iterator[Sequence[Worker]]:
    """So many processes on the database and provider that are configured here, all ready to begin."""
    workers = [_start(lanes=lanes) for _ in range(number)]
    try:
        for worker in workers:
            if not worker.pipe.poll(READY_SECONDS) or worker.pipe.recv() != "ready":
                raise NotMeasured("A worker of the bench did not start.")
        yield workers
    finally:
        for worker in workers:
            worker.kill()


def _start(*, lanes: int) -> Worker:
    ours, theirs = multiprocessing.Pipe()
    told = {
        "database": {key: value for key, value in connection.settings_dict.items() if key != "TEST"},
        "data_dir": str(settings.NEWSLETTER_DATA_DIR),
        "provider": settings.NEWSLETTER_PROVIDER_URL,
        "lanes": lanes,
    }
    process = multiprocessing.get_context("spawn").Process(target=_work, args=(theirs, told), daemon=True)
    process.start()
    theirs.close()
    return Worker(process, ours)


def _work(pipe: Connection, told: dict[str, Any]) -> None:
    """One worker, in a process of its own."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
    import django

    django.setup()
    connection.settings_dict.update(told["database"])
    settings.NEWSLETTER_DATA_DIR = type(settings.NEWSLETTER_DATA_DIR)(told["data_dir"])
    settings.NEWSLETTER_PROVIDER_URL = told["provider"]

    from newsletter.models import Send
    from newsletter.sending.dispatching.worker_loop import run_send
    from newsletter.sending.provider import current_adapter

    adapter = current_adapter()
    connection.ensure_connection()
    pipe.send("ready")
    while True:
        try:
            send_id = pipe.recv()
        except EOFError:
            return
        idle, cpu = _peak_mb(), time.process_time()
        run_send(send=Send.objects.get(pk=send_id), adapter=adapter, lanes=told["lanes"])
        pipe.send(WorkerCost(cpu_seconds=time.process_time() - cpu, idle_mb=idle, peak_mb=_peak_mb()))


def _peak_mb() -> float:
    """The most that this process held. Linux's own figure for it: that of getrusage begins with the parent's memory."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return round(int(line.split()[1]) / 1024, 1)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
