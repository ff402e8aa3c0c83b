"""Who of a batch may still be mailed, as they are at this moment: one query by the one definition of the audience."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connection
from django.db.models.expressions import RawSQL

from newsletter.models import Batch, DeliveryException
from newsletter.sending.dispatching.compiled_queries import TIME_PLACEHOLDER, CompiledQuery, compile_query
from newsletter.sending.settling.address_changes import find_already_mailed
from subscribers.audience.eligibility import ANY_FREQUENCY, eligible
from subscribers.audience.recipient_allowlist import RecipientAllowlist, get_recipient_allowlist
from subscribers.models import MailingList

ENDED = (DeliveryException.State.SKIPPED.value, DeliveryException.State.REJECTED.value)

_READ = """
WITH mine (delivery, subscriber, address) AS (
    SELECT delivery.id, delivery.subscriber_id, delivery.address_hash FROM newsletter_delivery AS delivery
    WHERE delivery.batch_id = %s AND NOT EXISTS (
        SELECT 1 FROM newsletter_deliveryexception AS own
        WHERE own.delivery_id = delivery.id AND own.state IN (%s, %s)
    )
), person (subscriber, uuid, email, name, place, address) AS ({eligible})
SELECT mine.delivery, {uuid}, person.email, person.name, person.place, SUBSTR(person.address, 1, 16) <> mine.address
FROM mine LEFT JOIN person ON person.subscriber = mine.subscriber
ORDER BY mine.delivery
"""
# 32 hexadecimal digits: quicker to read than an object for each of millions. SQLite keeps uuids as such.
_UUID_AS_HEX = {"postgresql": "ENCODE(UUID_SEND(person.uuid), 'hex')", "sqlite": "person.uuid"}


class Recipient(NamedTuple):
    """One person who is to get the batch's mail. ``uuid`` is the 16 bytes that their links are made of."""

    delivery: int
    uuid: bytes
    email: str
    name: str
    place: int | None


class BatchRecipients(NamedTuple):
    """Those to mail, in the order of their deliveries, and the deliveries of those who left since the freeze.

    ``reached`` are those who changed to an address that has the issue already, or may have.
    """

    mailable: list[Recipient]
    left: list[int]
    reached: list[int]


def find_recipients(batch: Batch, *, mailing_list: MailingList, now: datetime) -> BatchRecipients:
    """People who have an end of their own already are in none."""
    people = _compile_people_query(mailing_list, connection.vendor, get_recipient_allowlist())
    sql = _READ.format(eligible=people.sql, uuid=_UUID_AS_HEX[connection.vendor])
    with connection.cursor() as cursor:
        cursor.execute(sql, [batch.pk, *ENDED, *people.fill(moment=now)])
        mailable, left, moved = _split_rows(cursor.fetchall())
    reached = find_already_mailed(moved, batch=batch)
    if reached:
        mailable = [recipient for recipient in mailable if recipient.delivery not in reached]
    return BatchRecipients(mailable, left, sorted(reached))


@lru_cache(maxsize=64)
def _compile_people_query(mailing_list: MailingList, vendor: str, only_to: RecipientAllowlist | None) -> CompiledQuery:
    """Of the people whom ``mine`` names in the statement around it, those who may be mailed; ``only_to`` is in it too."""
    people = eligible(
        mailing_list=mailing_list,
        now=TIME_PLACEHOLDER,
        frequencies=ANY_FREQUENCY,
        subscriber_ids=RawSQL("SELECT subscriber FROM mine", ()),
    )
    return compile_query(
        people.values_list(
            "subscriber_id",
            "subscriber__uuid",
            "subscriber__email",
            "subscriber__name",
            "subscriber__place_id",
            "subscriber__address_hash",
        )
    )


def _split_rows(rows: Iterable[tuple[Any, ...]]) -> tuple[list[Recipient], list[int], list[int]]:
    """Those who stay, those who left, and of those who stay the deliveries of whoever changed their address.

    Nothing stands in place of a uuid for people who left.
    """
    mailable: list[Recipient] = []
    left: list[int] = []
    moved: list[int] = []
    for delivery, uuid, email, name, place, elsewhere in rows:
        if uuid is None:
            left.append(delivery)
            continue
        mailable.append(Recipient(delivery, bytes.fromhex(uuid), email, name, place))
        if elsewhere:
            moved.append(delivery)
    return mailable, left, moved
