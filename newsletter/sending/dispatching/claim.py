"""Takes a batch: who of it may still be mailed is looked up, and the try is on record, before anything is called.

A claim is a lease and an attempt number. Whoever comes back with an older number changes nothing.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from newsletter.common.messages import Message
from newsletter.issues.approval.publication_switches import make_switched_off_filter
from newsletter.issues.snapshot.exposure import shows_withdrawn_story
from newsletter.models import Batch, DeliveryException, Installation, Issue, ProtectedTerm, Send
from newsletter.sending.dispatching.compiled_queries import (
    ROW_PLACEHOLDER,
    TIME_PLACEHOLDER,
    CompiledQuery,
    compile_query,
)
from newsletter.sending.dispatching.lease import LEASE
from newsletter.sending.dispatching.recipients import Recipient, find_recipients
from newsletter.sending.dispatching.statements import begin_attempt, take_batch
from subscribers.audience.recipient_allowlist import get_recipient_allowlist

LEFT = Message("left since the audience was frozen")
ALREADY_MAILED = Message("left since the audience was frozen, for an address that the issue went to already")
NOT_ON_ALLOWLIST = Message("not among those that NEWSLETTER_ONLY_TO allows here")

FindWait = Callable[[Batch, datetime], datetime | None]


@dataclass(frozen=True)
class Claim:
    """A batch that is ours until ``lease_until``, and the people in it who are to be handed over.

    ``made`` is when they were looked up, on this process's own clock, which nobody puts back.
    """

    batch: Batch
    n: int
    lease_until: datetime
    recipients: list[Recipient]
    made: float = field(default_factory=time.monotonic)


def find_due_batches(*, now: datetime, limit: int = 50) -> list[int]:
    """Batches that may be taken now, oldest send first."""
    return list(_due_batches(now=now).order_by("send_id", "seq").values_list("pk", flat=True)[:limit])


def _due_batches(*, now: datetime) -> QuerySet[Batch]:
    due = Q(not_before__isnull=True) | Q(not_before__lte=now)
    return Batch.objects.filter(
        due, ~shows_withdrawn_story(), state=Batch.State.PENDING, send__in=running_sends(now=now)
    )


@lru_cache(maxsize=2)
def _find_one_batch(vendor: str) -> CompiledQuery:
    """Of the due batches the one with a given id, on this kind of database.

    PostgreSQL passes over a row that another holds: behind a worker that stands still in its claim all would queue up.
    """
    free = _due_batches(now=TIME_PLACEHOLDER).select_for_update(skip_locked=True, of=("self",))
    return compile_query(free.filter(pk=ROW_PLACEHOLDER).values("pk"))


def running_sends(*, now: datetime) -> QuerySet[Send]:
    """Sends whose batches may be taken now: not paused, not put off, the publication is switched on, and nothing is held
    in this installation.

    Nor is one taken from the commit of a protected term until its mails were searched for it.
    """
    open_now = Q(not_before__isnull=True) | Q(not_before__lte=now)
    held = Installation.objects.filter(held=True)
    not_searched_for = ProtectedTerm.objects.filter(pk__gt=OuterRef("searched_up_to")).order_by()
    off = Issue.objects.filter(make_switched_off_filter(), pk=OuterRef("issue")).order_by()
    return Send.objects.filter(
        open_now, ~Exists(held), ~Exists(not_searched_for), ~Exists(off), state=Send.State.SUBMITTING
    )


def never_wait(batch: Batch, now: datetime) -> None:
    """No limit of any kind: the answer of ``claim_batch``'s question when a batch must wait."""


@transaction.atomic
def claim_batch(
    *, batch_id: int, provider: str, now: datetime, wait_until: FindWait = never_wait, sends: "Sends | None" = None
) -> Claim | None:
    """Claim a pending batch of a running send, or None where somebody else has it or it may not be sent now.

    ``provider`` is the one that is going to be called: only there may the batch be asked about or replayed.

    ``wait_until`` is asked once the batch is ours, in the same transaction: a batch that must wait goes back as it was.
    """
    lease_until = now + LEASE
    batch = take_batch(batch_id, may_go=_find_one_batch(connection.vendor), lease_until=lease_until, now=now)
    if batch is None:
        return None
    batch.send = (sends or Sends()).find(batch.send_id)
    later = wait_until(batch, now)
    if later is not None:
        _put_back(batch, until=later)
        return None
    recipients = find_recipients(batch, mailing_list=batch.send.issue.publication.mailing_list, now=now)
    if recipients.left:
        _leave_out(
            recipients.left,
            reason=f"{LEFT}, or {NOT_ON_ALLOWLIST}" if get_recipient_allowlist() else LEFT,
            batch=batch,
            now=now,
        )
    if recipients.reached:
        _leave_out(recipients.reached, reason=ALREADY_MAILED, batch=batch, now=now)
    begin_attempt(batch, provider=provider, people=len(recipients.mailable), now=now)
    return Claim(batch=batch, n=batch.attempts, lease_until=lease_until, recipients=recipients.mailable)


class Sends:
    """Sends with their publication as last read, for a few seconds: what they are asked for changes seldom in a send."""

    def __init__(self, *, seconds: float = 5.0) -> None:
        self._seconds = seconds
        self._found: dict[int, tuple[float, Send]] = {}

    def find(self, send_id: int) -> Send:
        read_at, send = self._found.get(send_id, (-math.inf, None))
        if send is None or time.monotonic() - read_at > self._seconds:
            send = Send.objects.select_related("issue__publication__mailing_list", "issue__slot").get(pk=send_id)
            self._found = {send_id: (time.monotonic(), send)} if len(self._found) > 100 else self._found
            self._found[send_id] = (time.monotonic(), send)
        return send


def _put_back(batch: Batch, *, until: datetime) -> None:
    Batch.objects.filter(pk=batch.pk).update(
        state=Batch.State.PENDING, attempts=F("attempts") - 1, lease_until=None, not_before=until
    )


def _leave_out(left: list[int], *, reason: str, batch: Batch, now: datetime) -> None:
    """Who left is not mailed. Where an earlier call's end is unknown, so is whether it reached them before they left."""
    in_doubt = batch.tries.filter(outcome="uncertain").exists()
    state = DeliveryException.State.UNCERTAIN if in_doubt else DeliveryException.State.SKIPPED
    DeliveryException.objects.bulk_create(
        (DeliveryException(delivery_id=delivery, state=state, reason=reason, at=now) for delivery in left),
        update_conflicts=True,
        unique_fields=["delivery"],
        update_fields=["state", "reason", "at"],
    )
