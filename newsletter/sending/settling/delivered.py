"""Who of a send has the mail, as bits: set once or many times, in any order, by any number of workers."""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet, Sum

from newsletter.models import Delivered, Send

SPAN = Delivered.SPAN
_BYTES = SPAN // 8

_Part = tuple[int, int]


@transaction.atomic
def mark_delivered(deliveries: Mapping[int, int], *, at: datetime) -> None:
    """Put on record that these mails were delivered: delivery id to send id.

    The rows are locked in one order, so that two workers wait for each other and neither loses what the other wrote.
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
    for row in _rows(new).select_for_update().order_by("send_id", "part"):
        known = _number(row.bits)
        bits = known | new.get((row.send_id, row.part), 0)
        if bits != known:
            row.bits, row.people, row.last_at = bits.to_bytes(_BYTES, "little"), bits.bit_count(), max(row.last_at, at)
            changed.append(row)
    Delivered.objects.bulk_update(changed, ["bits", "people", "last_at"], batch_size=200)


def count_delivered(send: Send) -> int:
    """People of the send who have it."""
    return Delivered.objects.filter(send=send).aggregate(people=Sum("people"))["people"] or 0


class DeliveredBits:
    """The bits of one send, read once: ``delivery in bits``."""

    def __init__(self, send: Send | int) -> None:
        rows = Delivered.objects.filter(send=send).values_list("part", "bits")
        self._bits = {part: bytes(bits) for part, bits in rows}

    def __contains__(self, delivery: int) -> bool:
        part, n = divmod(delivery, SPAN)
        bits = self._bits.get(part)
        return bits is not None and bool(bits[n // 8] >> n % 8 & 1)


def find_delivered(deliveries: Mapping[int, int]) -> set[int]:
    """Those of the deliveries (id to send id) that were delivered: one query, however many sends they are of."""
    wanted = {(send, delivery // SPAN) for delivery, send in deliveries.items()}
    bits = {(row.send_id, row.part): _number(row.bits) for row in _rows(wanted)} if wanted else {}
    return {
        delivery
        for delivery, send in deliveries.items()
        if bits.get((send, delivery // SPAN), 0) >> delivery % SPAN & 1
    }


def _rows(parts: Collection[_Part]) -> QuerySet[Delivered]:
    sends, numbers = {send for send, _ in parts}, {part for _, part in parts}
    return Delivered.objects.filter(send__in=sends, part__in=numbers)


def _number(bits: bytes | memoryview) -> int:
    return int.from_bytes(bytes(bits), "little")
