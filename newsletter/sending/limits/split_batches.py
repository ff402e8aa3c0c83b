"""Split batches: for people who need another attempt, after a refused batch, and when a daily limit was lowered."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from django.db import transaction
from django.db.models import F, Max

from newsletter.common.errors import InvariantViolated
from newsletter.models import Batch, Delivery, Send
from newsletter.sending.limits.send_times import find_limit_today

MAX_OVERSIZED_BATCHES_A_ROUND = 50
MAX_NEW_BATCHES_A_ROUND = 500


def split_off(
    *, batch: Batch, deliveries: Sequence[int], not_before: datetime | None, handed_to: str = "", key: str = ""
) -> Batch:
    """Move deliveries of a batch to a new pending batch of the same account.

    ``handed_to`` is that account if it may have their mails already, so that no other account gets them. Without
    ``key``, or if a batch has it already, a new key is made.

    Call it in the transaction that settles the old batch. Raise InvariantViolated if one of them is not in it.
    """
    last = Batch.objects.filter(send=batch.send_id).aggregate(seq=Max("seq"), part=Max("part"))
    if not key or Batch.objects.filter(key=key).exists():
        key = make_batch_key(batch.send_id, last["seq"] + 1)
    new = Batch.objects.create(
        send_id=batch.send_id,
        seq=last["seq"] + 1,
        part=last["part"] + 1,
        variant_id=batch.variant_id,
        size=len(deliveries),
        key=key,
        account=batch.account,
        handed_to=handed_to,
        from_uncertain=bool(handed_to) or batch.from_uncertain,
        due_at=batch.due_at,
        waits=batch.waits,
        not_before=not_before,
    )
    moved = Delivery.objects.filter(batch=batch, pk__in=list(deliveries)).update(batch=new)
    _require_all_moved(batch, expected=len(deliveries), moved=moved)
    Batch.objects.filter(pk=batch.pk).update(size=F("size") - moved)
    return new


def halve(*, batch: Batch, deliveries: Sequence[int], handed_to: str = "") -> list[Batch]:
    """Move the people of a refused call to two new pending batches.

    The halves always have the same keys. If a restore undoes this, the batch is refused and halved again, and the provider
    recognises the half that it accepted before.
    """
    ordered = sorted(deliveries)
    middle = len(ordered) // 2
    return [
        split_off(batch=batch, deliveries=half, not_before=None, handed_to=handed_to, key=derive_key(batch, part))
        for part, half in (("first", ordered[:middle]), ("second", ordered[middle:]))
    ]


def make_batch_key(send_id: int, seq: int) -> str:
    """Return a new idempotency key."""
    return f"{send_id}-{seq}-{secrets.token_hex(8)}"


def derive_key(batch: Batch, part: str) -> str:
    """Return the idempotency key of a part of a batch: always the same one, so that a repeat after a restore is recognised."""
    digest = blake2b(f"{batch.key}/{part}".encode(), digest_size=8).hexdigest()
    return f"{batch.send_id}-{batch.seq}-{digest}"


def split_oversized_batches(send: Send, *, now: datetime) -> int:
    """Split batches that never fit into a day because its limit is smaller, for each account. Return how many were split.

    Batches that an account may have, or that wait for a subject test, are left as they are.
    """
    free = send.batches.movable().filter(waits=False)
    split = 0
    for account in set(free.order_by().values_list("account", flat=True).distinct()):
        if limit := find_limit_today(send.issue.publication, now=now, account=account):
            split += split_batches(send, account=account, limit=limit, waits=False)
    return split


@transaction.atomic
def split_batches(send: Send, *, account: str, limit: int, waits: bool | None = None) -> int:
    """Split batches of an account that no account has or may have into parts of at most ``limit`` people. Return how many.

    One call makes at most MAX_NEW_BATCHES_A_ROUND new batches; call it again for the rest. Batches that a worker is
    claiming are left as they are. ``waits`` keeps only those that do, or do not, wait for a subject test.
    """
    oversized = send.batches.movable().filter(account=account, size__gt=limit)
    if waits is not None:
        oversized = oversized.filter(waits=waits)
    # Waiting for a claim could be a deadlock: the claim may wait for the send's row, which a move locks.
    locked = oversized.select_for_update(skip_locked=True, of=("self",)).order_by("seq")
    parts: list[_Part] = []
    split = 0
    for batch in locked[:MAX_OVERSIZED_BATCHES_A_ROUND]:
        remaining = MAX_NEW_BATCHES_A_ROUND - len(parts)
        if not remaining:
            break
        people = list(batch.deliveries.order_by("pk").values_list("pk", flat=True))
        shares = [people[start : start + limit] for start in range(limit, len(people), limit)]
        parts += [_Part(batch, share) for share in shares[-remaining:]]
        split += 1
    _move_parts(send, parts)
    return split


class _Part(NamedTuple):
    """Deliveries to move out of their batch: consecutive ones, in the order of their ids."""

    batch: Batch
    deliveries: list[int]


def _move_parts(send: Send, parts: Sequence[_Part]) -> None:
    """Move each part to a new batch that waits for the same."""
    last = Batch.objects.filter(send=send).aggregate(seq=Max("seq"), part=Max("part"))
    new = Batch.objects.bulk_create(
        Batch(
            send=send,
            seq=last["seq"] + number,
            part=last["part"] + number,
            variant_id=batch.variant_id,
            size=len(deliveries),
            key=make_batch_key(send.pk, last["seq"] + number),
            account=batch.account,
            from_uncertain=batch.from_uncertain,
            due_at=batch.due_at,
            waits=batch.waits,
            not_before=batch.not_before,
        )
        for number, (batch, deliveries) in enumerate(parts, start=1)
    )
    for (batch, deliveries), target in zip(parts, new, strict=True):
        people = Delivery.objects.filter(batch=batch, pk__range=(deliveries[0], deliveries[-1]))
        _require_all_moved(batch, expected=len(deliveries), moved=people.update(batch=target))
        Batch.objects.filter(pk=batch.pk).update(size=F("size") - len(deliveries))


def _require_all_moved(batch: Batch, *, expected: int, moved: int) -> None:
    if moved != expected:
        raise InvariantViolated(
            "%(batch)s should give %(wanted)s people to a new batch but has %(moved)s of them. Nothing was changed. "
            "This is a defect: report it.",
            batch=batch,
            wanted=expected,
            moved=moved,
        )
