"""Record which recipients of a send got the mail: one bit each. Setting a bit twice, or in any order, changes nothing."""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet, Sum

from newsletter.models import Delivered, Delivery, Send

SPAN = Delivered.SPAN
_BYTES = SPAN // 8

_Part = tuple[int, int]
"""The id of a send and the number of a part of its deliveries."""


@transaction.atomic
def mark_delivered(deliveries: Mapping[int, int], *, at: datetime) -> None:
    """Record that mails were delivered. ``deliveries`` maps a delivery id to its send id.

    All workers lock the rows in the same order, so none overwrites what another wrote.
    """
    new: dict[_Part, int] = {}
    for delivery, send in deliveries.items():
        key = send, delivery // SPAN
        new[key] = new.get(key, 0) | 1 << delivery % SPAN
    if not new:
        return
    Delivered.objects.bulk_create(
        (Delivered(send_id=send, part=part, bits=bytes(_BYTES), people=0, last_at=at) for send, part in sorted(new)),
        ignore_conflicts=True,
    )
    changed = []
    for row in _find_parts(new).select_for_update().order_by("send_id", "part"):
        known = _to_number(row.bits)
        bits = known | new.get((row.send_id, row.part), 0)
        if bits != known:
            row.bits, row.people, row.last_at = bits.to_bytes(_BYTES, "little"), bits.bit_count(), max(row.last_at, at)
            changed.append(row)
    Delivered.objects.bulk_update(changed, ["bits", "people", "last_at"], batch_size=200)


def count_delivered(send: Send) -> int:
    """Count the people of the send whose mail was delivered."""
    return Delivered.objects.filter(send=send).aggregate(people=Sum("people"))["people"] or 0


def has_delivered(send: Send, deliveries: QuerySet[Delivery]) -> bool:
    """Return True if one of these deliveries of the send was delivered. Parts without a set bit are not read."""
    for part, bits in Delivered.objects.filter(send=send).order_by("part").values_list("part", "bits"):
        set_bits, first = _to_number(bits), part * SPAN
        known = deliveries.filter(pk__gte=first, pk__lt=first + SPAN).values_list("pk", flat=True)
        if any(set_bits >> pk % SPAN & 1 for pk in known):
            return True
    return False


class DeliveredBits:
    """The bits of one send, read once. ``delivery in bits`` tells whether it was delivered."""

    def __init__(self, send: Send | int) -> None:
        rows = Delivered.objects.filter(send=send).values_list("part", "bits")
        self._bits = {part: bytes(bits) for part, bits in rows}

    def __contains__(self, delivery: int) -> bool:
        part, position = divmod(delivery, SPAN)
        bits = self._bits.get(part)
        return bits is not None and bool(bits[position // 8] >> position % 8 & 1)


def find_delivered(deliveries: Mapping[int, int]) -> set[int]:
    """Return those of the deliveries (delivery id to send id) that were delivered, in one query for all sends."""
    wanted = {(send, delivery // SPAN) for delivery, send in deliveries.items()}
    bits = {(row.send_id, row.part): _to_number(row.bits) for row in _find_parts(wanted)} if wanted else {}
    return {
        delivery
        for delivery, send in deliveries.items()
        if bits.get((send, delivery // SPAN), 0) >> delivery % SPAN & 1
    }


def _find_parts(parts: Collection[_Part]) -> QuerySet[Delivered]:
    sends, numbers = {send for send, _ in parts}, {part for _, part in parts}
    return Delivered.objects.filter(send__in=sends, part__in=numbers)


def _to_number(bits: bytes | memoryview) -> int:
    return int.from_bytes(bytes(bits), "little")
