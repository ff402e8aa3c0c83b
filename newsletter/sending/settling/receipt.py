"""The receipt: the result for every person of an audience, counted from rows. Its sums are checked.

We know of an unsubscribe by a link of the send, which has its number, or from the provider. Each person counts once.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Q, Sum

from newsletter.common.database.one_reading import read_once
from newsletter.common.errors import InvariantViolated
from newsletter.common.messages import Message
from newsletter.models import Batch, Delivery, DeliveryException, Send
from newsletter.models.feedback import Bounce
from newsletter.sending.settling.delivered_bitmap import DeliveredBits, count_delivered
from subscribers.models import CountedUnsubscribe

_RECEIPT_STATES = ("pending", "accepted", "rejected", "skipped", "uncertain")
_DELIVERY_STATE: dict[str, str] = {
    Batch.State.PENDING: "pending",
    Batch.State.SUBMITTING: "pending",
    Batch.State.ACCEPTED: "accepted",
    Batch.State.PARTIAL: "accepted",
    Batch.State.REJECTED: "rejected",
    Batch.State.UNCERTAIN: "uncertain",
    Batch.State.WRITTEN_OFF: "uncertain",
}
CANCELLED = Message("the send was cancelled before it reached them")


def find_unsubscribed(send: Send) -> dict[int, datetime]:
    """Return, by subscriber id, when people unsubscribed by a link of the send."""
    return dict(CountedUnsubscribe.objects.filter(mailing=send.pk).values_list("subscriber_id", "at"))


def delete_unsubscribed(send: Send) -> None:
    """Delete the rows of people who used a link of the send. Call it when the receipt has its final number."""
    CountedUnsubscribe.objects.filter(mailing=send.pk).delete()


@dataclass(frozen=True)
class Receipt:
    """Numbers of people. ``batches`` is the number of batches by state.

    ``accounts`` has the deliveries by state of each provider account, by its name.
    ``unsent`` are people on the provider's own suppression list, whose mail it accepted and did not try to send.
    ``cancelled`` is the part of the skipped people that a cancelled send did not reach. The others unsubscribed or may no
    longer be mailed. ``unanswered`` is the part of the pending people that an attempt without an answer may have reached.
    """

    candidates: int = 0
    recipients: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    deliveries: dict[str, int] = field(default_factory=dict)
    batches: dict[str, int] = field(default_factory=dict)
    delivered: int = 0
    bounced: int = 0
    complained: int = 0
    unsubscribed: int = 0
    unsent: int = 0
    cancelled: int = 0
    unanswered: int = 0
    accounts: dict[str, dict[str, int]] = field(default_factory=dict)


def make_receipt(send: Send | None) -> Receipt:
    """Return the receipt of a send. Raise InvariantViolated if its numbers do not add up."""
    if send is None:
        return Receipt(deliveries=dict.fromkeys(_RECEIPT_STATES, 0))
    return read_once(f"receipt of send {send.pk}", lambda: make_receipts([send])[0])


def make_receipts(sends: Collection[Send]) -> list[Receipt]:
    """Return the receipts, in the same order. Batches, and people who differ from theirs, are read once for all sends.

    Raise InvariantViolated if the numbers of one do not add up.
    """
    counted = [send for send in sends if send.totals is None]
    batches, exceptions = _count_batches(counted), _count_exceptions(counted)
    return [
        Receipt(**send.totals) if send.totals is not None else _add_up(send, batches[send.pk], exceptions[send.pk])
        for send in sends
    ]


def _add_up(send: Send, batch_counts: "list[_BatchCount]", exceptions: "list[_ExceptionCount]") -> Receipt:
    batches: Counter[str] = Counter()
    accounts: dict[str, dict[str, int]] = {}
    cancelled = unanswered = 0
    for count in batch_counts:
        batches[count.state] += count.batches
        state = _find_state(send, count.state, handed_to=count.handed_to)
        cancelled += count.people if state == "skipped" else 0
        unanswered += count.people if state == "pending" and count.handed_to else 0
        accounts.setdefault(count.account, dict.fromkeys(_RECEIPT_STATES, 0))[state] += count.people
    for row in exceptions:
        if row.state:
            state = _find_state(send, row.batch_state, handed_to=row.handed_to)
            cancelled -= row.people if state == "skipped" else 0
            unanswered -= row.people if state == "pending" and row.handed_to else 0
            accounts[row.account][state] -= row.people
            accounts[row.account][row.state] += row.people
    states = {state: sum(deliveries[state] for deliveries in accounts.values()) for state in _RECEIPT_STATES}
    receipt = Receipt(
        candidates=send.candidates,
        recipients=send.recipients,
        excluded=dict(send.excluded),
        deliveries=states,
        batches=dict(batches),
        delivered=count_delivered(send),
        bounced=sum(row.bounced - row.unsent for row in exceptions),
        complained=sum(row.complained for row in exceptions),
        unsubscribed=_count_unsubscribed(send, reported=sum(row.unsubscribed for row in exceptions)),
        unsent=sum(row.unsent for row in exceptions),
        cancelled=cancelled,
        unanswered=unanswered,
        accounts=accounts,
    )
    _check_sums(receipt, send)
    return receipt


def list_deliveries(send: Send) -> Iterator[list[int | str]]:
    """Yield a row for every person: delivery id, subscriber id, batch, state, reason, "yes" if delivered, times, account.

    The times are those of a bounce, a complaint and an unsubscribe, in ISO 8601; "" if there was none. The account is the
    one that has or may have the mail, "" if none can have it. For a rejected person it is the account of their batch, as in
    the receipt.
    """
    delivered = DeliveredBits(send)
    unsubscribed = find_unsubscribed(send)
    rows = (
        Delivery.objects.filter(batch__send=send)
        .order_by("pk")
        .values_list(
            "pk",
            "subscriber_id",
            "batch__seq",
            "batch__state",
            "batch__reason",
            "batch__account",
            "batch__handed_to",
            "exception__state",
            "exception__reason",
            "exception__bounced_at",
            "exception__complained_at",
            "exception__unsubscribed_at",
        )
    )
    for (
        delivery,
        subscriber,
        seq,
        batch_state,
        batch_reason,
        account,
        handed_to,
        exception_state,
        exception_reason,
        *times,
        reported,
    ) in rows.iterator(chunk_size=5000):
        state = exception_state or _find_state(send, batch_state, handed_to=handed_to)
        reason = exception_reason if exception_state else batch_reason
        if state == "skipped" and not exception_state:
            reason = reason or CANCELLED
        holder = {"pending": handed_to, "skipped": ""}.get(state, account)
        unsubscribed_at = [moment for moment in (reported, unsubscribed.get(subscriber)) if moment]
        moments = [*times, min(unsubscribed_at, default=None)]
        cells = (moment.isoformat() if moment else "" for moment in moments)
        yield [delivery, subscriber, seq, state, reason, "yes" if delivery in delivered else "", *cells, holder]


def describe_receipt(send: Send) -> dict[str, object]:
    """Return the receipt's numbers by name."""
    return asdict(make_receipt(send))


def _find_state(send: Send, batch_state: str, *, handed_to: str) -> str:
    """Return the state of a batch's people in the receipt.

    A cancelled send skips people whom no call can have reached. People who wait for a repeat of a call are uncertain.
    """
    if send.state == Send.State.CANCELLED and batch_state == Batch.State.PENDING:
        return "uncertain" if handed_to else "skipped"
    return _DELIVERY_STATE[batch_state]


class _BatchCount(NamedTuple):
    """The batches of one account and state, and their people."""

    account: str
    state: str
    handed_to: str
    batches: int
    people: int


class _ExceptionCount(NamedTuple):
    """People with the same exception state in batches of one account and state, and how many of them were reported.

    ``unsent`` is the part of the ``bounced`` that the provider did not try to send.
    """

    account: str
    batch_state: str
    handed_to: str
    state: str
    people: int
    bounced: int
    complained: int
    unsubscribed: int
    unsent: int


def _count_batches(sends: Collection[Send]) -> defaultdict[int, list[_BatchCount]]:
    rows = Batch.objects.filter(send__in=sends).order_by("account").values_list("send", "account", "state", "handed_to")
    counts: defaultdict[int, list[_BatchCount]] = defaultdict(list)
    for send, *row in rows.annotate(Count("pk"), Sum("size")):
        counts[send].append(_BatchCount(*row))
    return counts


def _count_exceptions(sends: Collection[Send]) -> defaultdict[int, list[_ExceptionCount]]:
    """Count the people of each send, by its id, who differ from their batch or were reported, in one pass."""
    rows = DeliveryException.objects.filter(delivery__batch__send__in=sends).order_by()
    fields = ("send", "account", "state", "handed_to")
    batch = [f"delivery__batch__{name}" for name in fields]
    rows_with_counts = rows.values_list(*batch, "state").annotate(
        people=Count("pk"),
        bounced=Count("pk", filter=Q(bounced_at__isnull=False)),
        complained=Count("pk", filter=Q(complained_at__isnull=False)),
        unsubscribed=Count("pk", filter=Q(unsubscribed_at__isnull=False)),
        unsent=Count("pk", filter=Q(delivery__bounce__bounce_class=Bounce.Class.SUPPRESSED)),
    )
    counts: defaultdict[int, list[_ExceptionCount]] = defaultdict(list)
    for send, *row in rows_with_counts:
        counts[send].append(_ExceptionCount(*row))
    return counts


def _count_unsubscribed(send: Send, *, reported: int) -> int:
    """Count the people of the send who unsubscribed either way. ``reported`` of them were reported by the provider."""
    by_link = CountedUnsubscribe.objects.filter(mailing=send.pk)
    if reported:
        both = DeliveryException.objects.filter(delivery__batch__send=send, unsubscribed_at__isnull=False)
        by_link = by_link.exclude(subscriber_id__in=both.values("delivery__subscriber_id"))
    return reported + by_link.count()


def _check_sums(receipt: Receipt, send: Send) -> None:
    excluded = sum(receipt.excluded.values())
    deliveries = sum(receipt.deliveries.values())
    if not send.recipients:
        return
    if receipt.recipients + excluded != receipt.candidates or deliveries != receipt.recipients:
        raise InvariantViolated(
            "The delivery summary of %(send)s is inconsistent: %(candidates)s candidates, %(recipients)s recipients, "
            "%(excluded)s excluded, %(deliveries)s deliveries. The send itself is not affected. This is a defect: report it.",
            send=send,
            candidates=receipt.candidates,
            recipients=receipt.recipients,
            excluded=excluded,
            deliveries=deliveries,
        )
