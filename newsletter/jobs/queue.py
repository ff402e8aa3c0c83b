"""Put batches in Procrastinate's queue, in the transaction of their rows. The rows decide, never the queue.

A lost job is queued again from the rows; a doubled job finds nothing to do.
"""

from datetime import datetime

from django.db.models import CharField, Exists, F, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import Job

from newsletter.models import Batch, Send
from newsletter.sending.limits.running_sends import find_running_sends
from newsletter.sending.wake_up_signal import connect_listener

BULK, PERIODIC = "bulk", "periodic"
DISPATCH_TASK = "newsletter.dispatch"
BATCH_LIMIT = 1000
_LOCK = "batch-"


def listen_to_sends(procrastinate_app: object) -> None:
    """Queue the batches of each send that begins in this process. Procrastinate calls this once it is ready."""
    connect_listener(enqueue_send)


def enqueue_send(send: Send) -> None:
    """Queue every pending batch of a send that has no waiting job and need not wait for its hour."""
    batches = Batch.objects.released().filter(send=send, state=Batch.State.PENDING)
    _enqueue(filter_without_job(batches))


def enqueue_missing(*, now: datetime) -> int:
    """Queue the due batches without a waiting job. Return how many there were."""
    batches = Batch.objects.due(now=now).filter(state=Batch.State.PENDING, send__in=find_running_sends(now=now))
    try:
        return _enqueue(filter_without_job(batches))
    except AlreadyEnqueued:
        return 0


def enqueue_later(*, batch: Batch, at: datetime) -> None:
    """Queue a batch for a later time, without a lock, so that it can be queued again if it is due earlier."""
    app.job_manager.defer_job(_job(batch.pk, size=batch.send.recipients, at=at))


def filter_without_job(batches: QuerySet[Batch]) -> QuerySet[Batch]:
    """Return those of the batches that have no waiting job."""
    lock = Concat(Value(_LOCK), Cast(OuterRef("pk"), CharField()))
    return batches.filter(~Exists(ProcrastinateJob.objects.filter(status="todo", queueing_lock=lock)))


def _enqueue(batches: QuerySet[Batch]) -> int:
    count = 0
    jobs: list[Job] = []
    waiting = batches.order_by("send_id", "seq").values_list("pk", F("send__recipients"))
    for batch_id, size in list(waiting):
        jobs.append(_job(batch_id, size=size, lock=f"{_LOCK}{batch_id}"))
    for start in range(0, len(jobs), BATCH_LIMIT):
        count += len(app.job_manager.batch_defer_jobs(jobs=list(jobs[start : start + BATCH_LIMIT])))
    return count


def _job(batch_id: int, *, size: int, at: datetime | None = None, lock: str | None = None) -> Job:
    """Return the job of a batch. The fewer digits the send's size has, the higher is its priority."""
    return Job(
        queue=BULK,
        task_name=DISPATCH_TASK,
        task_kwargs={"batch": batch_id},
        priority=-len(str(size)),
        lock=None,
        queueing_lock=lock,
        scheduled_at=at,
    )
