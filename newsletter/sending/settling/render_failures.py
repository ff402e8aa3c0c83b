"""Stop a send if the mail cannot be made for too many people. A few are rejected alone while the others are mailed.

No mail with a missing value is ever sent: if a person's mail cannot be made, the person is left out of the call.
"""

from collections.abc import Collection, Sequence
from itertools import groupby

from django.db.models import F

from newsletter.common.messages import Message, Quantity
from newsletter.models import Attempt, Batch, DeliveryException, Send

IN_A_ROW = 10
MAX_FAILURE_SHARE = 0.001
MIN_FAILURES = 3
TO_DO = Message(
    "No incomplete mail was sent. Check these people’s records and the issue’s personal fields, then resume the send."
)


def find_failure_run(batch: Batch, *, attempt_number: int, called: Sequence[int], failures: Collection[int]) -> str:
    """Return why the batch must wait if many people in a row fail, which suggests a defect of ours; else "".

    ``called`` are the batch's deliveries in order. After staff resumed the send, the failing people are left out instead.
    """
    runs = [sum(1 for _ in run) for failed, run in groupby(called, key=lambda delivery: delivery in failures) if failed]
    longest = max(runs, default=0)
    if longest < IN_A_ROW or was_stopped_by_render_failures(batch, before=attempt_number):
        return ""
    return Message(
        "Stopped automatically: the mail could not be made for %(people)s people in a row. %(to_do)s",
        people=longest,
        to_do=TO_DO,
    )


def was_stopped_by_render_failures(batch: Batch, *, before: int) -> bool:
    """Return True if an attempt with a lower number stopped the send for this, and staff then resumed it."""
    return batch.attempts.filter(number__lt=before, code=Attempt.Code.RENDER_STOP).exists()


def find_too_many_failures(send: Send) -> str:
    """Return why the send must stop because of its render failures, or "" if it may go on."""
    if _have_last_calls_failed(send):
        return Message(
            "Stopped automatically: the mail could not be made in %(calls)s calls in a row. %(to_do)s",
            calls=IN_A_ROW,
            to_do=TO_DO,
        )
    total = count_render_failures(send)
    if total >= MIN_FAILURES and total > MAX_FAILURE_SHARE * send.recipients:
        return Message(
            "Stopped automatically: the mail could not be made for %(total)s of %(recipients)s people. %(to_do)s",
            total=total,
            recipients=Quantity(send.recipients),
            to_do=TO_DO,
        )
    return ""


def count_render_failures(send: Send) -> int:
    """Count people whose mail could not be made since staff last resumed the send."""
    in_sent_batches = DeliveryException.objects.filter(
        delivery__batch__send=send,
        code=DeliveryException.Code.RENDER_FAILURE,
        delivery__batch__attempts__pk__gt=F("delivery__batch__send__resumed_after_attempt"),
    )
    single_batches = send.batches.filter(
        state=Batch.State.REJECTED,
        size=1,
        code=Batch.Code.RENDER_FAILURE,
        attempts__pk__gt=send.resumed_after_attempt,
    )
    return in_sent_batches.distinct().count() + single_batches.distinct().count()


def _have_last_calls_failed(send: Send) -> bool:
    ended = Attempt.objects.filter(batch__send=send, ended_at__isnull=False, pk__gt=send.resumed_after_attempt)
    codes = list(ended.order_by("-ended_at", "-pk").values_list("code", flat=True)[:IN_A_ROW])
    return codes == [Attempt.Code.RENDER_FAILURE] * IN_A_ROW
