"""Who of a batch may still be mailed, as they are at this moment: one query by the one definition of the audience."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from newsletter.models import Batch, Delivery, DeliveryException
from subscribers.audience import ANY_FREQUENCY, eligible
from subscribers.models import MailingList

ENDED = (DeliveryException.State.SKIPPED, DeliveryException.State.REJECTED)


class Reader(NamedTuple):
    """One person who is to get the batch's mail. ``uuid`` is the 16 bytes that their links are made of."""

    delivery: int
    uuid: bytes
    email: str
    name: str
    town: str
    region: str


class Readers(NamedTuple):
    """Those to mail, in the order of their deliveries, and the deliveries of those who left since the freeze."""

    staying: list[Reader]
    left: list[int]


def find_readers(batch: Batch, *, mailing_list: MailingList, now: datetime) -> Readers:
    """People who have an end of their own already are in neither."""
    waiting = dict(
        Delivery.objects.filter(batch=batch)
        .exclude(exception__state__in=ENDED)
        .order_by("pk")
        .values_list("subscriber_id", "pk")
    )
    staying = [
        Reader(waiting[subscriber], _bytes(uuid), email, name, town or "", region or "")
        for subscriber, uuid, email, name, town, region in _read_people(batch, mailing_list=mailing_list, now=now)
        if subscriber in waiting
    ]
    staying.sort()
    found = {reader.delivery for reader in staying}
    return Readers(staying, [delivery for delivery in waiting.values() if delivery not in found])


def _read_people(
    batch: Batch, *, mailing_list: MailingList, now: datetime
) -> list[tuple[int, UUID | str, str, str, str | None, str | None]]:
    """Rows straight from the database: a send reads millions of them."""
    in_batch = Delivery.objects.filter(batch=batch).values("subscriber_id")
    people = (
        eligible(mailing_list=mailing_list, now=now, frequencies=ANY_FREQUENCY)
        .filter(subscriber_id__in=in_batch)
        .order_by()
        .values_list(
            "subscriber_id",
            "subscriber__uuid",
            "subscriber__email",
            "subscriber__name",
            "subscriber__place__town",
            "subscriber__place__region",
        )
    )
    sql, parameters = people.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def _bytes(uuid: UUID | str) -> bytes:
    """PostgreSQL gives a UUID, SQLite its 32 hexadecimal digits."""
    return bytes.fromhex(uuid) if isinstance(uuid, str) else uuid.bytes
