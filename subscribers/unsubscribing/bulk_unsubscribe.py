"""Write the rows of an unsubscribe from a list, for many people at once.

PostgreSQL gets one statement that locks the people and one that writes; SQLite gets the ORM. Both write the same: a
suppression, the end of the subscription, one consent event and one row for the mailing whose link was used. Confirmation
mails not yet sent are deleted.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import QuerySet

from subscribers.confirmation_quota import delete_unsent_requests
from subscribers.models import (
    Basis,
    Confirmation,
    ConsentEvent,
    CountedUnsubscribe,
    EndReason,
    EventKind,
    Reason,
    Scope,
    Subscriber,
    Subscription,
    Suppression,
    WebhookEndpoint,
)
from subscribers.outbound_events import record_person_events


class Unsubscribe(NamedTuple):
    """One person who unsubscribes from one list: row ids and the keyed hash of the address.

    ``mailing`` is the number of the mailing whose link was used, or 0.
    """

    subscriber: int
    address_hash: bytes
    mailing_list: int
    mailing: int = 0


class BulkUnsubscribeResult(NamedTuple):
    """The people for whom something changed, and the (hash, list) pairs of the suppressions that are new or were an import's.

    ``gone`` are those whose row was just deleted, by an erasure or a merge. Nothing was written for them. ``undoable``
    are the (person, list) pairs whose subscription got mail until now, so that an undo restores it.
    """

    changed: set[Unsubscribe]
    suppressed: set[tuple[bytes, int]]
    gone: set[Unsubscribe]
    undoable: set[tuple[int, int]]


# People are locked before their rows (see person_locks), by a separate statement. A statement that waits for a lock
# sees other tables as they were before the wait, and so would miss a subscription that the other transaction opened.
_LOCK_SQL = f"""
SELECT FROM {Subscriber._meta.db_table} WHERE id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE
"""

# No part sees the rows that another part of the statement writes, so each returns its own. Those whom an erasure or a merge
# just deleted are left out, and an address that just changed is read from the locked row.
_UNSUBSCRIBE_SQL = f"""
WITH chosen AS (
    SELECT given.subscriber_id, person.address_hash, given.mailing_list_id, given.mailing
    FROM unnest(%s::bigint[], %s::bytea[], %s::bigint[], %s::bigint[])
        AS given (subscriber_id, address_hash, mailing_list_id, mailing)
    JOIN {Subscriber._meta.db_table} AS person ON person.id = given.subscriber_id
), suppressed AS (
    INSERT INTO {Suppression._meta.db_table}
        (address_hash, mailing_list_id, at, scope, reason, note, removed_by, removal_reason)
    SELECT address_hash, mailing_list_id, %s, %s, %s, '', '', '' FROM chosen
    ON CONFLICT (address_hash, mailing_list_id, reason) WHERE removed_at IS NULL AND scope = 'list'
    DO UPDATE SET import_batch_id = NULL WHERE {Suppression._meta.db_table}.import_batch_id IS NOT NULL
    RETURNING address_hash, mailing_list_id
), ended AS (
    UPDATE {Subscription._meta.db_table} AS subscription SET ended_at = %s, end_reason = %s
    FROM chosen
    WHERE subscription.ended_at IS NULL AND subscription.subscriber_id = chosen.subscriber_id
        AND subscription.mailing_list_id = chosen.mailing_list_id
    RETURNING subscription.subscriber_id, subscription.mailing_list_id,
        (subscription.confirmed_at IS NOT NULL OR subscription.basis <> %s)
        AND (subscription.expires_at IS NULL OR subscription.expires_at > %s) AS was_mailable
), changed AS (
    SELECT chosen.*, suppressed.address_hash IS NOT NULL AS is_suppressed,
        ended.was_mailable AND NOT EXISTS (
            SELECT FROM {Suppression._meta.db_table} AS earlier
            WHERE earlier.removed_at IS NULL AND earlier.address_hash = chosen.address_hash
                AND (earlier.scope = 'all' OR earlier.mailing_list_id = chosen.mailing_list_id)
        ) AS is_undoable
    FROM chosen
    LEFT JOIN suppressed USING (address_hash, mailing_list_id)
    LEFT JOIN ended USING (subscriber_id, mailing_list_id)
    WHERE suppressed.address_hash IS NOT NULL OR ended.subscriber_id IS NOT NULL
), recorded AS (
    INSERT INTO {ConsentEvent._meta.db_table}
        (subscriber_id, address_hash, mailing_list_id, kind, at, wording, source, by, data)
    SELECT subscriber_id, address_hash, mailing_list_id, %s, %s, '', %s, '', '{{}}' FROM changed
), counted AS (
    INSERT INTO {CountedUnsubscribe._meta.db_table} (mailing, subscriber_id, at)
    SELECT mailing, subscriber_id, %s FROM changed WHERE mailing > 0
    ON CONFLICT DO NOTHING
)
SELECT chosen.subscriber_id, chosen.address_hash, chosen.mailing_list_id, chosen.mailing, changed.is_suppressed,
    changed.is_undoable, confirmation.id
FROM chosen LEFT JOIN changed USING (subscriber_id, mailing_list_id)
LEFT JOIN {Confirmation._meta.db_table} AS confirmation ON confirmation.sent_at IS NULL
    AND confirmation.subscriber_id = chosen.subscriber_id AND confirmation.mailing_list_id = chosen.mailing_list_id
"""  # noqa: S608  only table names are put in


def write_unsubscribes(unsubscribes: Sequence[Unsubscribe], *, now: datetime, source: str) -> BulkUnsubscribeResult:
    """Write all of these or none. Each (person, list) pair must occur once."""
    chosen = sorted(unsubscribes)
    if not WebhookEndpoint.objects.wanting({EventKind.PERSON_UNSUBSCRIBED}):
        return _write(chosen, now, source)
    with transaction.atomic():
        result = _write(chosen, now, source)
        record_person_events([_make_consent_event(unsubscribe, now, source) for unsubscribe in sorted(result.changed)])
        return result


def _write(chosen: Sequence[Unsubscribe], now: datetime, source: str) -> BulkUnsubscribeResult:
    write = _write_with_sql if connection.vendor == "postgresql" else _write_with_orm
    return write(chosen, now, source)


@transaction.atomic
def _write_with_sql(chosen: Sequence[Unsubscribe], now: datetime, source: str) -> BulkUnsubscribeResult:
    values: list[Any] = [
        *([unsubscribe[column] for unsubscribe in chosen] for column in range(4)),
        *(now, Scope.LIST.value, Reason.UNSUBSCRIBE.value),
        *(now, EndReason.UNSUBSCRIBE.value),
        *(Basis.DOUBLE_OPT_IN.value, now),
        *(ConsentEvent.Kind.LEFT.value, now, source),
        now,
    ]
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_SQL, [[unsubscribe.subscriber for unsubscribe in chosen]])
        cursor.execute(_UNSUBSCRIBE_SQL, values)
        rows = cursor.fetchall()
    found = {
        Unsubscribe(subscriber, bytes(digest), mailing_list, mailing): is_suppressed
        for subscriber, digest, mailing_list, mailing, is_suppressed, *_ in rows
    }
    _delete_unsent([row[6] for row in rows if row[6] is not None])
    changed = {unsubscribe for unsubscribe, is_suppressed in found.items() if is_suppressed is not None}
    suppressed = {unsubscribe for unsubscribe, is_suppressed in found.items() if is_suppressed}
    undoable = {(row[0], row[2]) for row in rows if row[5]}
    return BulkUnsubscribeResult(changed, _list_pairs(suppressed), _find_gone(chosen, found), undoable)


@transaction.atomic
def _write_with_orm(chosen: Sequence[Unsubscribe], now: datetime, source: str) -> BulkUnsubscribeResult:
    """Write the same rows on SQLite, where the transaction keeps every other writer out."""
    found = _read_current_addresses(chosen)
    undoable = _find_undoable(found, now)
    suppressed = _insert_suppressions(found, now)
    ended = _end_subscriptions(found, now)
    _delete_unsent(_rows_of(Confirmation.objects.due(), found))
    changed = [
        unsubscribe
        for unsubscribe in found
        if (unsubscribe.address_hash, unsubscribe.mailing_list) in suppressed
        or (unsubscribe.subscriber, unsubscribe.mailing_list) in ended
    ]
    ConsentEvent.objects.bulk_create(_make_consent_event(unsubscribe, now, source) for unsubscribe in changed)
    count_unsubscribes(((unsubscribe.mailing, unsubscribe.subscriber) for unsubscribe in changed), now=now)
    return BulkUnsubscribeResult(set(changed), suppressed, _find_gone(chosen, found), undoable)


def _read_current_addresses(chosen: Sequence[Unsubscribe]) -> list[Unsubscribe]:
    """Return those whose person still exists, with the address that the person has now."""
    people = Subscriber.objects.filter(pk__in={unsubscribe.subscriber for unsubscribe in chosen})
    current = dict(people.values_list("pk", "address_hash"))
    return [
        unsubscribe._replace(address_hash=bytes(current[unsubscribe.subscriber]))
        for unsubscribe in chosen
        if unsubscribe.subscriber in current
    ]


def _find_gone(chosen: Iterable[Unsubscribe], found: Iterable[Unsubscribe]) -> set[Unsubscribe]:
    people = {unsubscribe.subscriber for unsubscribe in found}
    return {unsubscribe for unsubscribe in chosen if unsubscribe.subscriber not in people}


def _list_pairs(unsubscribes: Iterable[Unsubscribe]) -> set[tuple[bytes, int]]:
    return {(unsubscribe.address_hash, unsubscribe.mailing_list) for unsubscribe in unsubscribes}


def _make_consent_event(unsubscribe: Unsubscribe, now: datetime, source: str) -> ConsentEvent:
    return ConsentEvent(
        subscriber_id=unsubscribe.subscriber,
        address_hash=unsubscribe.address_hash,
        mailing_list_id=unsubscribe.mailing_list,
        kind=ConsentEvent.Kind.LEFT,
        at=now,
        source=source,
    )


def count_unsubscribes(pairs: Iterable[tuple[int, int]], *, now: datetime) -> None:
    """Store (mailing, subscriber) pairs, each only once. A mailing of 0 means none and is not stored."""
    CountedUnsubscribe.objects.bulk_create(
        (
            CountedUnsubscribe(mailing=mailing, subscriber_id=subscriber, at=now)
            for mailing, subscriber in pairs
            if mailing
        ),
        ignore_conflicts=True,
    )


def _insert_suppressions(chosen: Sequence[Unsubscribe], now: datetime) -> set[tuple[bytes, int]]:
    """Add the suppressions that are missing, and detach those of an import from it. Return their (hash, list) pairs."""
    live = Suppression.objects.live().filter(
        scope=Scope.LIST,
        reason=Reason.UNSUBSCRIBE,
        address_hash__in={unsubscribe.address_hash for unsubscribe in chosen},
    )
    pairs = {(unsubscribe.address_hash, unsubscribe.mailing_list) for unsubscribe in chosen}
    existing = {
        (bytes(digest), mailing_list): (pk, batch)
        for pk, digest, mailing_list, batch in live.values_list("pk", "address_hash", "mailing_list_id", "import_batch")
    }
    imported = {pair: existing[pair][0] for pair in pairs & existing.keys() if existing[pair][1] is not None}
    if imported:
        Suppression.objects.filter(pk__in=imported.values()).update(import_batch=None)
    missing = pairs - existing.keys()
    Suppression.objects.bulk_create(
        Suppression(
            address_hash=digest, mailing_list_id=mailing_list, at=now, scope=Scope.LIST, reason=Reason.UNSUBSCRIBE
        )
        for digest, mailing_list in missing
    )
    return missing | imported.keys()


def _find_undoable(chosen: Sequence[Unsubscribe], now: datetime) -> set[tuple[int, int]]:
    """Return the (subscriber, list) pairs that get mail until now."""
    lasting = Subscription.objects.mailable().exclude(expires_at__isnull=False, expires_at__lte=now)
    mailable = set(_rows_of(lasting, chosen).values())
    live = Suppression.objects.live().filter(address_hash__in={unsubscribe.address_hash for unsubscribe in chosen})
    suppressed = {
        (bytes(digest), mailing_list) for digest, mailing_list in live.values_list("address_hash", "mailing_list")
    }
    return mailable & {
        (unsubscribe.subscriber, unsubscribe.mailing_list)
        for unsubscribe in chosen
        if not suppressed & {(unsubscribe.address_hash, None), (unsubscribe.address_hash, unsubscribe.mailing_list)}
    }


def _end_subscriptions(chosen: Sequence[Unsubscribe], now: datetime) -> set[tuple[int, int]]:
    """End the open subscriptions. Return their (subscriber, list) pairs."""
    ended = _rows_of(Subscription.objects.open(), chosen)
    Subscription.objects.filter(pk__in=ended).update(ended_at=now, end_reason=EndReason.UNSUBSCRIBE)
    return set(ended.values())


def _delete_unsent(confirmations: Collection[int]) -> None:
    """Delete the confirmations with these ids. Most unsubscribes have none, and cost no query."""
    if confirmations:
        delete_unsent_requests(Confirmation.objects.filter(pk__in=confirmations))


def _rows_of(
    rows: QuerySet[Subscription] | QuerySet[Confirmation], chosen: Sequence[Unsubscribe]
) -> dict[int, tuple[int, int]]:
    """Return the (subscriber, list) pair of each row that belongs to one of these, by row id."""
    pairs = {(unsubscribe.subscriber, unsubscribe.mailing_list) for unsubscribe in chosen}
    found = rows.filter(subscriber_id__in={subscriber for subscriber, _ in pairs})
    return {
        pk: (subscriber, mailing_list)
        for pk, subscriber, mailing_list in found.values_list("pk", "subscriber_id", "mailing_list_id")
        if (subscriber, mailing_list) in pairs
    }
