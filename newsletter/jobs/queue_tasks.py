"""The tasks of Procrastinate's workers: one batch by its id, and the worker's jobs of the catalogue as periodic tasks."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from procrastinate import App
from procrastinate.contrib.django.db_cleanup import DjangoApp
from procrastinate.jobs import Status
from procrastinate.psycopg_connector import PsycopgConnector
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from newsletter.jobs.catalogue import DISPATCH, WORKER, Job, current_dispatcher, list_jobs
from newsletter.jobs.queue import BULK, DISPATCH_TASK, PERIODIC, enqueue_later, enqueue_missing
from newsletter.jobs.shutdown import is_stopping, wait_or_stop
from newsletter.jobs.timer import run_job, run_logged
from newsletter.models import Batch
from newsletter.sending.limits.running_sends import find_running_sends

SHORT_WAIT_SECONDS = 3.0
MAX_WAITS = 20
TIDY = "newsletter.tidy"
DEAD_AFTER_SECONDS = 30.0
IDLE_TRANSACTION_SECONDS = 10


def make_worker_app(parameters: dict[str, object]) -> App:
    """Return a Procrastinate app with all our tasks and its own database connections with these parameters."""
    pool = partial(AsyncConnectionPool, configure=_limit_idle_transactions)
    app = DjangoApp(connector=PsycopgConnector(pool_factory=pool, kwargs=parameters, min_size=1, max_size=8))
    app.task(name=DISPATCH_TASK, queue=BULK)(dispatch_one)
    for job in list_jobs(frozenset({WORKER})):
        if job.name != DISPATCH:
            _register_periodic(app, job)
    _register_periodic(app, Job("enqueue", 5, lambda: enqueue_missing(now=datetime.now(UTC)), WORKER))

    @app.periodic(cron="* * * * *")
    @app.task(name=TIDY, queue=PERIODIC, queueing_lock=TIDY)
    async def tidy(timestamp: int) -> None:
        """Delete the jobs of killed workers. The rows decide what remains to do."""
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER_SECONDS):
            await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)

    return app


async def _limit_idle_transactions(connection: AsyncConnection[Any]) -> None:
    """Limit idle transactions: a worker that stalls in the queue's own transaction would block all others."""
    await connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_TRANSACTION_SECONDS}s'")
    await connection.commit()


def dispatch_one(batch: int) -> None:
    """Run the task of one batch."""
    run_logged(f"batch {batch}", lambda: _dispatch(batch))


def _dispatch(batch: int) -> None:
    """Send a batch if it is due. If it must wait, retry after a short wait or queue it for later."""
    for _ in range(MAX_WAITS):
        if is_stopping():
            return
        current_dispatcher().dispatch(batch)
        waiting = find_pending_batch(batch)
        if waiting is None:
            return
        at = waiting.not_before or datetime.now(UTC)
        seconds = (at - datetime.now(UTC)).total_seconds()
        if seconds > SHORT_WAIT_SECONDS:
            enqueue_later(batch=waiting, at=at)
            return
        wait_or_stop(max(seconds, 0.05))


def find_pending_batch(batch_id: int) -> Batch | None:
    """Return the batch if it is pending, its hour has come and its send is running now."""
    sends = find_running_sends(now=datetime.now(UTC))
    waiting = Batch.objects.released().filter(pk=batch_id, state=Batch.State.PENDING, send__in=sends)
    return waiting.select_related("send").first()


def _register_periodic(app: App, job: Job) -> None:
    name = f"newsletter.{job.name}"

    def run(timestamp: int) -> None:
        run_job(job)

    task = app.task(name=name, queue=PERIODIC, queueing_lock=name)(run)
    app.periodic(cron=interval_to_cron(job.every_seconds))(task)


def interval_to_cron(seconds: float) -> str:
    """Return the interval as Procrastinate's cron: whole seconds below a minute, else whole minutes up to 59."""
    if seconds < 60:
        return f"* * * * * */{max(round(seconds), 1)}"
    return f"*/{min(round(seconds / 60), 59)} * * * *"
