"""Record which recipients of a send got the mail: one bit each. Setting a bit twice, or in any order, changes nothing."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import reduce
from operator import or_
from typing import NamedTuple

from django.db import transaction
from django.db.models import QuerySet, Sum

from newsletter.models import Delivered, Send

SPAN = Delivered.SPAN
_BYTES = SPAN // 8

_Part = tuple[int, int]
"""The id of a send and the number of a part of its deliveries."""


class Handover(NamedTuple):
    """The send of a delivery, and the name of the provider account that its batch belongs to."""

    send: int
    account: str


@transaction.atomic
def mark_delivered(deliveries: Mapping[int, Handover], *, at: datetime) -> None:
    """Record that mails were delivered, by the id of each delivery. A delivery keeps the account of its first report.

    All workers lock the rows in the same order, so none overwrites what another wrote.
    """
    new: dict[tuple[int, int, str], int] = defaultdict(int)
    for delivery, (send, account) in deliveries.items():
        new[send, delivery // SPAN, account] |= 1 << delivery % SPAN
    if not new:
        return
    Delivered.objects.bulk_create(
        (
            Delivered(send_id=send, part=part, account=account, bits=bytes(_BYTES), people=0, last_at=at)
            for send, part, account in sorted(new)
        ),
        ignore_conflicts=True,
    )
    parts = _find_parts({(send, part) for send, part, _ in new})
    rows = list(parts.select_for_update().order_by("send_id", "part", "account"))
    earlier: dict[_Part, int] = defaultdict(int)
    for row in rows:
        earlier[row.send_id, row.part] |= _to_number(row.bits)
    changed = []
    for row in rows:
        part = row.send_id, row.part
        added = new.get((*part, row.account), 0) & ~earlier[part]
        if added:
            earlier[part] |= added
            bits = _to_number(row.bits) | added
            row.bits, row.people, row.last_at = bits.to_bytes(_BYTES, "little"), bits.bit_count(), max(row.last_at, at)
            changed.append(row)
    Delivered.objects.bulk_update(changed, ["bits", "people", "last_at"], batch_size=200)


def count_delivered(send: Send, *, accounts: Collection[str] | None = None) -> int:
    """Count the people of the send whose mail was delivered, of all accounts or of some."""
    rows = Delivered.objects.filter(send=send)
    if accounts is not None:
        rows = rows.filter(account__in=accounts)
    return rows.aggregate(people=Sum("people"))["people"] or 0


class DeliveredBits:
    """The bits of one send, read once. ``delivery in bits`` is True if it was delivered."""

    def __init__(self, send: Send | int) -> None:
        self._bits: dict[int, list[bytes]] = defaultdict(list)
        for part, bits in Delivered.objects.filter(send=send).values_list("part", "bits"):
            self._bits[part].append(bytes(bits))

    def __contains__(self, delivery: int) -> bool:
        part, position = divmod(delivery, SPAN)
        return any(bits[position // 8] >> position % 8 & 1 for bits in self._bits.get(part, ()))

    def count_between(self, first: int, last: int) -> int:
        """Count the delivered among the deliveries with these two ids and all ids between."""
        total = 0
        for part in range(first // SPAN, last // SPAN + 1):
            bits = reduce(or_, map(_to_number, self._bits.get(part, ())), 0)
            start, end = max(first - part * SPAN, 0), min(last - part * SPAN + 1, SPAN)
            total += (bits >> start & (1 << end - start) - 1).bit_count()
        return total


def find_delivered(deliveries: Mapping[int, int]) -> set[int]:
    """Return those of the deliveries (delivery id to send id) that were delivered, in one query for all sends."""
    parts = {(send, delivery // SPAN) for delivery, send in deliveries.items()}
    bits: dict[_Part, int] = defaultdict(int)
    for row in _find_parts(parts) if parts else ():
        bits[row.send_id, row.part] |= _to_number(row.bits)
    return {delivery for delivery, send in deliveries.items() if bits[send, delivery // SPAN] >> delivery % SPAN & 1}


def _find_parts(parts: Collection[_Part]) -> QuerySet[Delivered]:
    sends, numbers = {send for send, _ in parts}, {part for _, part in parts}
    return Delivered.objects.filter(send__in=sends, part__in=numbers)


def _to_number(bits: bytes | memoryview) -> int:
    return int.from_bytes(bytes(bits), "little")
