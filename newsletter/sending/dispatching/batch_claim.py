"""Claim a batch: find the people who may still be mailed and commit the attempt before anything is called.

A claim is a lease and an attempt number. A worker that returns with an older number changes nothing.
"""

import math
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from django.db import connection, transaction
from django.db.models import F, QuerySet

from newsletter.common.database.compiled_query import (
    ROW_PLACEHOLDER,
    TIME_PLACEHOLDER,
    CompiledQuery,
    compile_query,
)
from newsletter.common.messages import Message
from newsletter.issues.snapshot.exposure import shows_withdrawn_story
from newsletter.models import (
    Batch,
    DeliveryException,
    Send,
)
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.sending.build_call import RecipientRow
from newsletter.sending.dispatching.batch_rows import begin_attempt, mark_submitting
from newsletter.sending.dispatching.lease import LEASE
from newsletter.sending.dispatching.recipients import BatchRecipients, find_batch_recipients
from newsletter.sending.limits.running_sends import find_running_sends
from newsletter.sending.limits.send_times import is_within_limits
from subscribers.audience.recipient_allowlist import get_recipient_allowlist

MAX_DUE_BATCHES = 500
UNSUBSCRIBED = Message("unsubscribed after the audience was frozen")
UNSUBSCRIBED_OR_NOT_ALLOWED = Message(
    "unsubscribed after the audience was frozen, or is not allowed by NEWSLETTER_ONLY_TO"
)
ALREADY_MAILED = Message("changed after the audience was frozen to an address that the issue was sent to already")

FindWait = Callable[[Batch, datetime], datetime | None]


@dataclass(frozen=True)
class Claim:
    """A batch that this worker may send until ``lease_until``, and the recipients to hand over.

    ``looked_up_at`` is when they were found, on the monotonic clock of this process. ``may_be_accepted``: the provider may
    have accepted an earlier attempt.
    """

    batch: Batch
    lease_until: datetime
    recipients: list[RecipientRow]
    may_be_accepted: bool = False
    looked_up_at: float = field(default_factory=time.monotonic)

    @property
    def attempt_number(self) -> int:
        return self.batch.attempt_number


def find_due_batches(*, now: datetime, accounts: Collection[str] = (DEFAULT_ACCOUNT,)) -> list[int]:
    """Return ids of batches that may be claimed now for one of the accounts, those of the oldest send first."""
    if not accounts:
        return []
    query = _compile_due_ids_query(connection.vendor, tuple(sorted(accounts)))
    with connection.cursor() as cursor:
        cursor.execute(query.sql, query.fill(moment=now))
        return [pk for (pk,) in cursor.fetchall()]


def never_wait(batch: Batch, now: datetime) -> None:
    """Apply no limit: the default ``find_wait`` of `claim_batch`."""


class SendCache:
    """Sends with their publication, read again after a few seconds. Claims that follow each other share them."""

    def __init__(self, *, seconds: float = 5.0) -> None:
        self._seconds = seconds
        self._sends: dict[int, tuple[float, Send]] = {}

    def find(self, send_id: int) -> Send:
        read_at, send = self._sends.get(send_id, (-math.inf, None))
        if send is None or time.monotonic() - read_at > self._seconds:
            send = Send.objects.select_related("issue__publication__mailing_list", "issue__slot").get(pk=send_id)
            if len(self._sends) > 100:
                self._sends.clear()
            self._sends[send_id] = (time.monotonic(), send)
        return send


@transaction.atomic
def claim_batch(
    *,
    batch_id: int,
    provider: str,
    account: str = DEFAULT_ACCOUNT,
    now: datetime,
    find_wait: FindWait = never_wait,
    sends: SendCache | None = None,
) -> Claim | None:
    """Claim a pending batch of this account. Return None if another worker has it or it may not be sent now.

    ``provider`` is the label of the account that will be called. Only that account may be asked about the batch later.
    ``find_wait`` is called after the batch is claimed. If it returns a time, the batch is pending again until then.
    """
    lease_until = now + LEASE
    marked = _lock_and_mark(batch_id, account=account, lease_until=lease_until, now=now)
    if marked is None:
        return None
    batch, handed_before = marked
    batch.send = (sends or SendCache()).find(batch.send_id)
    later = find_wait(batch, now)
    if later is not None:
        code = Batch.Code.NONE if is_within_limits(batch, now=now) else Batch.Code.LIMIT
        _postpone(batch, until=later, code=code, handed_to=handed_before)
        return None
    recipients = find_batch_recipients(batch, issue=batch.send.issue, now=now)
    _record_skipped(recipients, batch=batch, may_be_accepted=bool(handed_before), now=now)
    begin_attempt(batch, provider=provider, people=len(recipients.mailable), now=now)
    return Claim(
        batch=batch, lease_until=lease_until, recipients=recipients.mailable, may_be_accepted=bool(handed_before)
    )


def _due_batches() -> QuerySet[Batch]:
    """Return the batches that are due at the time that fills the compiled query."""
    running = find_running_sends(now=TIME_PLACEHOLDER)
    due = Batch.objects.due(now=TIME_PLACEHOLDER).filter(state=Batch.State.PENDING, send__in=running)
    return due.filter(~shows_withdrawn_story())


@lru_cache(maxsize=16)
def _compile_due_ids_query(vendor: str, accounts: tuple[str, ...]) -> CompiledQuery:
    """Compile the query of `find_due_batches`, which each worker asks every second. It depends on both arguments."""
    due = _due_batches().filter(account__in=accounts)
    return compile_query(due.order_by("send_id", "seq").values_list("pk", flat=True)[:MAX_DUE_BATCHES])


@lru_cache(maxsize=2)
def _compile_due_batch_query(vendor: str) -> CompiledQuery:
    """Compile the query that locks one due batch. It depends on the kind of database.

    PostgreSQL skips a row that another transaction holds. Otherwise one stalled worker would stop all others.
    """
    free = _due_batches().select_for_update(skip_locked=True, of=("self",))
    return compile_query(free.filter(pk=ROW_PLACEHOLDER).order_by())


def _lock_and_mark(batch_id: int, *, account: str, lease_until: datetime, now: datetime) -> tuple[Batch, str] | None:
    """Move a due batch of the account from pending to submitting, with the next attempt number and its account.

    Return it with the account that an earlier attempt used, or None if it is not free or moved to another account. The row is
    locked, so it cannot move during the claim. After the claim, a constraint binds it to this account.
    """
    query = _compile_due_batch_query(connection.vendor)
    for batch in Batch.objects.raw(query.sql, query.fill(moment=now, row=batch_id)):
        if batch.account != account:
            return None
        handed_before = batch.handed_to
        is_marked = mark_submitting(batch, account=account, lease_until=lease_until)
        return (batch, handed_before) if is_marked else None
    return None


def _postpone(batch: Batch, *, until: datetime, code: Batch.Code, handed_to: str) -> None:
    """Return the batch to pending until ``until``. ``LIMIT`` means that staff can change the limit it waits for.

    ``handed_to`` is what it was before the claim: nobody was called.
    """
    Batch.objects.filter(pk=batch.pk).update(
        state=Batch.State.PENDING,
        handed_to=handed_to,
        attempt_number=F("attempt_number") - 1,
        lease_until=None,
        not_before=until,
        code=code,
    )


def _record_skipped(recipients: BatchRecipients, *, batch: Batch, may_be_accepted: bool, now: datetime) -> None:
    """Skip people who unsubscribed or whose new address has the issue.

    If an earlier attempt is unresolved, mark them uncertain: they may already have the mail. A batch that was split off has
    no attempts of the first batch, so ``may_be_accepted`` says whether there was one.
    """
    if not (recipients.unsubscribed or recipients.already_mailed):
        return
    uncertain = may_be_accepted or batch.attempts.filter(outcome="uncertain").exists()
    state = DeliveryException.State.UNCERTAIN if uncertain else DeliveryException.State.SKIPPED
    unsubscribed = UNSUBSCRIBED_OR_NOT_ALLOWED if get_recipient_allowlist() else UNSUBSCRIBED
    left_out = [
        *((delivery, unsubscribed, DeliveryException.Code.UNSUBSCRIBED) for delivery in recipients.unsubscribed),
        *((delivery, ALREADY_MAILED, DeliveryException.Code.ALREADY_MAILED) for delivery in recipients.already_mailed),
    ]
    DeliveryException.objects.bulk_create(
        (
            DeliveryException(delivery_id=delivery, state=state, reason=reason, code=code, at=now)
            for delivery, reason, code in left_out
        ),
        update_conflicts=True,
        unique_fields=["delivery"],
        update_fields=["state", "reason", "code", "at"],
    )
