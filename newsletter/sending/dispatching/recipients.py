"""Find the people of a batch who may still be mailed, in one query with the rules of `eligible`.

The query is compiled once, because building its SQL takes longer than running it.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.db.models.expressions import RawSQL

from newsletter.common.database.compiled_query import TIME_PLACEHOLDER, CompiledQuery, compile_query
from newsletter.models import Attempt, Batch, Delivery, DeliveryException, Issue
from newsletter.sending.build_call import RecipientRow
from subscribers.audience.eligibility import ANY_FREQUENCY, eligible
from subscribers.audience.recipient_allowlist import RecipientAllowlist, get_recipient_allowlist
from subscribers.models import MailingList, Subscriber

_ENDED_STATES = (DeliveryException.State.SKIPPED, DeliveryException.State.REJECTED)
_MAILED_STATES = (
    Batch.State.SUBMITTING,
    Batch.State.ACCEPTED,
    Batch.State.PARTIAL,
    Batch.State.UNCERTAIN,
    Batch.State.WRITTEN_OFF,
)
_STORED_HASH_BYTES = 16
_FIND_RECIPIENTS = """
WITH in_batch (delivery, subscriber, address) AS (
    SELECT delivery.id, delivery.subscriber_id, delivery.address_hash FROM {deliveries} AS delivery
    WHERE delivery.batch_id = %s AND NOT EXISTS (
        SELECT 1 FROM {exceptions} AS exception
        WHERE exception.delivery_id = delivery.id AND exception.state IN (%s, %s)
    )
), person (subscriber, uuid, email, name, place, address) AS ({eligible})
SELECT in_batch.delivery, {uuid}, person.email, person.name, person.place, SUBSTR(person.address, 1, 16) <> in_batch.address
FROM in_batch JOIN person ON person.subscriber = in_batch.subscriber
UNION ALL SELECT in_batch.delivery, NULL, NULL, NULL, NULL, NULL FROM in_batch
"""
# With a LEFT JOIN, SQLite compares each delivery with each person: ten times slower for a batch of 1,000.
# 32 hexadecimal digits are faster to read than millions of UUID objects. SQLite stores UUIDs as such.
_UUID_AS_HEX = {"postgresql": "ENCODE(UUID_SEND(person.uuid), 'hex')", "sqlite": "person.uuid"}

_Row = tuple[int, str | None, str, str, int | None, bool]
"""A delivery with its person, or, once for each delivery, the delivery alone."""


class BatchRecipients(NamedTuple):
    """The people to mail in the order of their deliveries, and the deliveries that are left out.

    ``unsubscribed`` may no longer be mailed. ``already_mailed`` changed to an address that has, or may have, the issue.
    """

    mailable: list[RecipientRow]
    unsubscribed: list[int]
    already_mailed: list[int]


def find_batch_recipients(batch: Batch, *, issue: Issue, now: datetime) -> BatchRecipients:
    """Return the people of a batch. Those who were skipped or rejected before are in none of the three lists."""
    people = _compile_people_query(
        issue.publication.mailing_list, issue.is_charitable, connection.vendor, get_recipient_allowlist()
    )
    sql = _FIND_RECIPIENTS.format(
        deliveries=Delivery._meta.db_table,
        exceptions=DeliveryException._meta.db_table,
        eligible=people.sql,
        uuid=_UUID_AS_HEX[connection.vendor],
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [batch.pk, *_ENDED_STATES, *people.fill(moment=now)])
        mailable, unsubscribed, changed = _split_rows(cursor.fetchall())
    already_mailed = _find_already_mailed(changed, batch=batch)
    if already_mailed:
        mailable = [recipient for recipient in mailable if recipient.delivery not in already_mailed]
    return BatchRecipients(mailable, unsubscribed, sorted(already_mailed))


@lru_cache(maxsize=64)
def _compile_people_query(
    mailing_list: MailingList, charitable: bool, vendor: str, only_to: RecipientAllowlist | None
) -> CompiledQuery:
    """Compile the query for eligible people among ``in_batch``. The query depends on all four arguments."""
    people = eligible(
        mailing_list=mailing_list,
        now=TIME_PLACEHOLDER,
        frequencies=ANY_FREQUENCY,
        subscriber_ids=RawSQL("SELECT subscriber FROM in_batch", ()),
        charitable=charitable,
    )
    return compile_query(
        people.order_by().values_list(
            "subscriber_id",
            "subscriber__uuid",
            "subscriber__email",
            "subscriber__name",
            "subscriber__place_id",
            "subscriber__address_hash",
        )
    )


def _split_rows(rows: Iterable[_Row]) -> tuple[list[RecipientRow], list[int], list[int]]:
    """Return the mailable people, the deliveries of those who unsubscribed, and those with a changed address."""
    deliveries: set[int] = set()
    mailable: list[RecipientRow] = []
    changed: list[int] = []
    for delivery, uuid, email, name, place, has_changed in rows:
        if uuid is None:
            deliveries.add(delivery)
            continue
        mailable.append(RecipientRow(delivery, bytes.fromhex(uuid), email, name, place))
        if has_changed:
            changed.append(delivery)
    mailable.sort()
    unsubscribed = deliveries.difference(recipient.delivery for recipient in mailable)
    return mailable, sorted(unsubscribed), changed


def _find_already_mailed(deliveries: Collection[int], *, batch: Batch) -> frozenset[int]:
    """Return the deliveries whose recipient changed to an address that already has, or may have, this issue."""
    if not deliveries:
        return frozenset()
    rows = Delivery.objects.filter(pk__in=deliveries).values_list("pk", "subscriber_id", "issue_id")
    people = {delivery: subscriber for delivery, subscriber, _issue in rows}
    hashes = Subscriber.objects.filter(pk__in=set(people.values())).values_list("pk", "address_hash")
    current = {subscriber: bytes(address)[:_STORED_HASH_BYTES] for subscriber, address in hashes}
    has_uncertain_attempt = Exists(Attempt.objects.filter(batch=OuterRef("batch"), outcome="uncertain"))
    mailed_deliveries = Delivery.objects.filter(
        Q(batch__state__in=_MAILED_STATES) & ~Q(batch=batch) | Q(has_uncertain_attempt) | Q(batch__from_uncertain=True),
        issue__in={issue for _delivery, _subscriber, issue in rows},
        address_hash__in=set(current.values()),
        proof=False,
    ).exclude(exception__state__in=_ENDED_STATES)
    mailed = {bytes(address) for address in mailed_deliveries.values_list("address_hash", flat=True)}
    return frozenset(delivery for delivery, person in people.items() if current.get(person) in mailed)
