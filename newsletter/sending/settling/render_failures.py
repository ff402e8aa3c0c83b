"""People for whom the mail could not be made (F16): rejected alone while the others go; too many of them stop the send.

No half of a mail ever leaves: what is made for a person is made whole, or that person is left out of the call.
"""

from collections.abc import Collection, Sequence
from itertools import groupby

from django.db.models import F

from newsletter.common.messages import Message, Quantity
from newsletter.models import Attempt, Batch, DeliveryException, Send
from newsletter.rendering.errors import MissingValueError

REASON = Message("the mail could not be made for this person")
STOPPED = Message("Stopped by itself: the mail could not be made")
TO_DO = Message(
    "Nothing half made has left. Look at what these people's records hold and at the issue's "
    "personal fields; then let it go on."
)
IN_A_ROW = 10
MAX_FAILURE_SHARE = 0.001
MIN_FAILURES = 3
_ODD_VALUE = (ValueError, LookupError, TypeError, AttributeError)
RENDER_ERRORS = (MissingValueError, *_ODD_VALUE)
"""What a value that is missing, or not as it must be, comes to."""


def describe_render_failure(error: Exception) -> str:
    """The reason that is kept. Only our own refusals are quoted: other words may hold the value itself."""
    return f"{REASON}: {type(error).__name__ if isinstance(error, _ODD_VALUE) else error}"


def find_failure_run(batch: Batch, *, n: int, called: Sequence[int], failures: Collection[int]) -> str:
    """Why the batch waits as it is, in words: so many in a row are more likely our fault than theirs. "" where it goes.

    ``called`` are its people in their order. Once a person has let it go on, they are left out and the others go.
    """
    runs = [sum(1 for _ in run) for failed, run in groupby(called, key=lambda one: one in failures) if failed]
    longest = max(runs, default=0)
    if longest < IN_A_ROW or was_resumed_after_failures(batch, n=n):
        return ""
    return Message(
        "%(stopped)s for %(longest)s people in a row. %(to_do)s", stopped=STOPPED, longest=longest, to_do=TO_DO
    )


def was_resumed_after_failures(batch: Batch, *, n: int) -> bool:
    """Whether an earlier try than ``n`` stopped the send for this."""
    return n > 1 and batch.tries.filter(n__lt=n, detail__startswith=STOPPED).exists()


def find_too_many_failures(send: Send) -> str:
    """Why so many of a send are too many, in words; "" where it may go on."""
    if _last_calls_failed(send):
        return Message(
            "%(stopped)s in %(in_a_row)s calls in a row. %(to_do)s", stopped=STOPPED, in_a_row=IN_A_ROW, to_do=TO_DO
        )
    total = count_render_failures(send)
    if total >= MIN_FAILURES and total > MAX_FAILURE_SHARE * send.recipients:
        return Message(
            "%(stopped)s for %(total)s of %(recipients)s people. %(to_do)s",
            stopped=STOPPED,
            total=total,
            recipients=Quantity(send.recipients),
            to_do=TO_DO,
        )
    return ""


def count_render_failures(send: Send) -> int:
    """Since a person last let the send go on: alone in a batch that went, or in a batch of their own."""
    alone = DeliveryException.objects.filter(
        delivery__batch__send=send,
        reason__startswith=REASON,
        delivery__batch__tries__pk__gt=F("delivery__batch__send__resumed_after"),
    )
    own = send.batches.filter(state="rejected", size=1, reason__startswith=REASON, tries__pk__gt=send.resumed_after)
    return alone.distinct().count() + own.distinct().count()


def _last_calls_failed(send: Send) -> bool:
    ended = Attempt.objects.filter(batch__send=send, ended_at__isnull=False, pk__gt=send.resumed_after)
    last = list(ended.order_by("-ended_at", "-pk").values_list("detail", flat=True)[:IN_A_ROW])
    return len(last) == IN_A_ROW and all(detail.startswith(REASON) for detail in last)
