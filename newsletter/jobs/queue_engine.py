"""The Procrastinate engine runs queue workers in a thread and restarts them after a lost database connection.

Scheduler jobs run on timers in this process, as in the embedded engine. Rows keep two schedulers from doing one thing twice.
"""

import asyncio
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg
import psycopg_pool
from django.db import close_old_connections
from procrastinate import App
from procrastinate.contrib.django.utils import connector_params
from procrastinate.exceptions import ConnectorException

from newsletter.common.database.error_codes import describe_cause
from newsletter.jobs.catalogue import DISPATCH, SCHEDULER, WORKER, list_jobs
from newsletter.jobs.queue import BULK, PERIODIC
from newsletter.jobs.queue_tasks import make_worker_app
from newsletter.jobs.shutdown import GRACE_SECONDS, ask_to_stop, clear_stop_request, is_stopping
from newsletter.jobs.timer import JobTimer, make_heartbeat
from newsletter.sending.settling.sweep import prepare_for_work

log = logging.getLogger(__name__)
PERIODIC_CONCURRENCY = 4
RECONNECT_SECONDS = 2.0
SPARE_THREADS = 4


class QueueEngine:
    """Run the jobs of some roles. ``concurrency`` is the number of concurrent calls to the provider."""

    def __init__(self, *, roles: frozenset[str], concurrency: int) -> None:
        self._roles = roles
        self._concurrency = concurrency
        self._timer = JobTimer(list_jobs(roles & {SCHEDULER}))
        # Each batch is a task here; no job dispatches them.
        self._heartbeat = make_heartbeat(roles, [job for job in list_jobs(roles) if job.name != DISPATCH])
        self._worker: WorkerThread | None = None

    def start(self) -> None:
        """Settle expired leases, then start the worker and the timers."""
        clear_stop_request()
        if WORKER in self._roles:
            prepare_for_work(now=datetime.now(UTC))
            close_old_connections()
        self._heartbeat.start()
        if WORKER in self._roles:
            self._worker = WorkerThread(concurrency=self._concurrency)
            self._worker.start()
        self._timer.start()

    def stop(self) -> bool:
        """Start nothing more and wait for running calls. Return True if all ended in time."""
        ask_to_stop()
        ends_at = time.monotonic() + GRACE_SECONDS
        ended = self._timer.stop(within=GRACE_SECONDS)
        if self._worker is not None:
            ended = self._worker.stop(within=max(ends_at - time.monotonic(), 0.1)) and ended
        self._heartbeat.stop()
        return ended


class WorkerThread(threading.Thread):
    """A thread with two Procrastinate workers, so that confirmations and sweeps never wait behind a bulk send."""

    def __init__(self, *, concurrency: int) -> None:
        super().__init__(name="queue", daemon=True)
        self._concurrency = concurrency
        self._loop = asyncio.new_event_loop()
        self._main: asyncio.Task[None] | None = None

    def run(self) -> None:
        asyncio.set_event_loop(self._loop)
        threads = self._concurrency + PERIODIC_CONCURRENCY + SPARE_THREADS
        self._loop.set_default_executor(ThreadPoolExecutor(max_workers=threads, thread_name_prefix="sender"))
        try:
            self._main = self._loop.create_task(self._keep_working())
            self._loop.run_until_complete(self._main)
        except asyncio.CancelledError:
            log.debug("The queue's workers ended.")
        finally:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    def stop(self, *, within: float) -> bool:
        """Start no further job and wait ``within`` seconds for running jobs. Return True if all ended."""
        if self._main is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._main.cancel)
        self.join(within)
        return not self.is_alive()

    async def _keep_working(self) -> None:
        while not is_stopping():
            try:
                await self._work()
            except (ConnectorException, psycopg.Error, psycopg_pool.PoolTimeout) as error:
                log.error("The queue cannot be reached and will be retried: %s.", describe_cause(error))
            if not is_stopping():
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _work(self) -> None:
        """Run both workers until one ends, as both do if the database connection is lost, or until cancelled."""
        app = make_worker_app(connector_params())
        async with app.open_async():
            workers = [
                asyncio.create_task(_run(app, queue=BULK, concurrency=self._concurrency)),
                asyncio.create_task(_run(app, queue=PERIODIC, concurrency=PERIODIC_CONCURRENCY)),
            ]
            try:
                await asyncio.wait(workers, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for worker in workers:
                    worker.cancel()
                results = await asyncio.gather(*workers, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result


async def _run(app: App, *, queue: str, concurrency: int) -> None:
    await app.run_worker_async(
        name=queue,
        queues=[queue],
        concurrency=concurrency,
        install_signal_handlers=False,
        fetch_job_polling_interval=2.0,
        delete_jobs="successful",
    )
