"""Try again for the people whom the provider refused, once the cause is gone. They certainly have no mail.

It sends nothing. `newsletter.sending.settling.release_local_hours` opens the new batches and checks the stories and events again.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from newsletter.common.errors import NotAllowed, NotReady, WrongState
from newsletter.issues.approval.publication_switches import require_issue_enabled
from newsletter.models import Attempt, Batch, Delivery, DeliveryException, Send
from newsletter.sending.limits.split_batches import split_off
from newsletter.sending.settling.send_controls import reopen_send

_REQUEST_ID = re.compile(r"\b(?=[\w-]*\d)[\w-]{8,}\b")
_ENDED = (Send.State.SUBMITTED, Send.State.NEEDS_ATTENTION)
_REASON_FIELD, _BATCH_REASON_FIELD = "exception__reason", "batch__reason"


@dataclass(frozen=True)
class Refusal:
    """The people whom the provider refused for one reason.

    Texts that differ only in ids are one reason; ``reason`` is one of them.
    """

    key: str
    reason: str
    people: int


class RefusedDelivery(NamedTuple):
    """A delivery that the provider refused, its person, and the key of its refusal."""

    delivery: int
    batch: int
    subscriber_id: int
    key: str


def list_refusals(send: Send) -> list[Refusal]:
    """Return the refusals of a send by their words, the commonest first."""
    if send.state not in _ENDED or send.totals is not None:
        return []
    reasons: dict[str, str] = {}
    people: dict[str, int] = defaultdict(int)
    for reason, count in _find_reasons(send):
        key = _make_key(reason)
        reasons.setdefault(key, reason)
        people[key] += count
    refusals = [Refusal(key, reasons[key], count) for key, count in people.items()]
    return sorted(refusals, key=lambda refusal: (-refusal.people, refusal.reason))


@transaction.atomic
def retry_refused(*, send: Send, keys: Collection[str], by: User | AnonymousUser, now: datetime) -> int:
    """Move the people of these refusals into new batches with the same mails, and reopen the send. Return how many people.

    People who unsubscribed since are skipped, as before every call. Raises NotAllowed, SwitchedOff; WrongState if the send has
    not ended or its people's rows may be deleted; NotReady if nobody is left.
    """
    if not by.has_perm("newsletter.send_issue"):
        raise NotAllowed("%(by)s may not send again. An administrator can give the role “approver”.", by=by)
    require_issue_enabled(send.issue)
    locked = Send.objects.select_for_update().get(pk=send.pk)
    if locked.state not in _ENDED or locked.totals is not None:
        raise WrongState(
            "%(send)s is %(state)s, so nobody is tried again. Wait until it ends. 90 days later, nobody knows its recipients.",
            send=locked,
            state=locked.get_state_display(),
        )
    batches = _find_chosen(locked, keys=keys)
    people = sum(len(deliveries) for deliveries in batches.values())
    if not people:
        raise NotReady("There is nobody left whom the provider refused for these reasons. Reload the page.")
    for batch, deliveries in batches.items():
        _move(batch, deliveries, now=now)
    newest = Attempt.objects.filter(batch__send=locked).aggregate(newest=Max("pk"))["newest"] or 0
    Send.objects.filter(pk=locked.pk).update(
        resumed_after_attempt=newest, checked_until=locked.checked_until or locked.started_at
    )
    locked.refresh_from_db()
    reopen_send(locked)
    return people


def iterate_refused(send: Send) -> Iterator[RefusedDelivery]:
    """Yield the refused deliveries of a send."""
    for refused, field in ((_find_alone(send), _REASON_FIELD), (_find_with_batch(send), _BATCH_REASON_FIELD)):
        rows = refused.order_by("pk").values_list("pk", "batch", "subscriber_id", field)
        for delivery, batch, person, reason in rows.iterator(chunk_size=5_000):
            yield RefusedDelivery(delivery, batch, person, _make_key(reason))


def _move(batch: Batch, deliveries: list[int], *, now: datetime) -> None:
    """Move the people to a new batch, whose hour is now: so the mail is checked again before it is sent."""
    new = split_off(batch=batch, deliveries=deliveries, not_before=None)
    Batch.objects.filter(pk=new.pk).update(due_at=now, waits=False)
    exceptions = DeliveryException.objects.filter(delivery__in=deliveries)
    exceptions.filter(unsubscribed_at__isnull=True).delete()
    exceptions.update(state="", reason="", code=DeliveryException.Code.NONE)


def _find_chosen(send: Send, *, keys: Collection[str]) -> dict[Batch, list[int]]:
    chosen: dict[int, list[int]] = defaultdict(list)
    for refused in iterate_refused(send):
        if refused.key in keys:
            chosen[refused.batch].append(refused.delivery)
    batches = Batch.objects.select_for_update().in_bulk(chosen)
    return {batches[pk]: sorted(deliveries) for pk, deliveries in sorted(chosen.items())}


def _find_reasons(send: Send) -> Iterator[tuple[str, int]]:
    for refused, field in ((_find_alone(send), _REASON_FIELD), (_find_with_batch(send), _BATCH_REASON_FIELD)):
        yield from refused.order_by().values_list(field).annotate(Count("pk"))


def _find_alone(send: Send) -> QuerySet[Delivery]:
    """Return the deliveries that the provider refused one by one."""
    refused = DeliveryException.objects.filter(
        delivery__batch__send=send, state=DeliveryException.State.REJECTED, code=DeliveryException.Code.NONE
    )
    return _without_mail(send).filter(pk__in=refused.values("delivery"))


def _find_with_batch(send: Send) -> QuerySet[Delivery]:
    """Return the deliveries that the provider refused together with their batch."""
    refused = Batch.objects.filter(send=send, state=Batch.State.REJECTED, code=Batch.Code.NONE)
    return _without_mail(send).filter(
        Q(exception__isnull=True) | Q(exception__state=""), batch__in=refused.values("pk")
    )


def _without_mail(send: Send) -> QuerySet[Delivery]:
    """Return the deliveries of a send, except of people who have, or may have, the mail of an earlier call."""
    no_report = Q(exception__bounced_at__isnull=True, exception__complained_at__isnull=True)
    unclear = Attempt.objects.filter(batch=OuterRef("batch"), outcome="uncertain")
    certain = Delivery.objects.filter(no_report, ~Exists(unclear), batch__from_uncertain=False)
    return certain.filter(batch__send=send, proof=False)


def _make_key(reason: str) -> str:
    return hashlib.sha256(_REQUEST_ID.sub("#", str(reason)).encode()).hexdigest()[:16]
