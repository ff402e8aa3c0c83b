"""Write the rows of an unsubscribe from a list, for many people at once.

PostgreSQL gets one statement that locks the people and one that writes; SQLite gets one that reads and one for each table.
The ORM would take longer to build them than they take. Both write the same: a suppression, the end of the subscription, one
consent event and one row for the mailing whose link was used. Confirmation mails not yet sent are deleted.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction

from newsletter.common.database.bulk_sql import start_insert
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
)
from subscribers.outbound_events import is_wanted, record_person_events


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
_LOCK_ON_POSTGRESQL = f"""
SELECT FROM {Subscriber._meta.db_table} WHERE id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE
"""

# No part sees the rows that another part of the statement writes, so each returns its own. Those whom an erasure or a merge
# just deleted are left out, and an address that just changed is read from the locked row.
_WRITE_ON_POSTGRESQL = f"""
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

_READ_ON_SQLITE = f"""
WITH given AS (
    SELECT json_extract(value, '$[0]') AS subscriber_id, json_extract(value, '$[1]') AS mailing_list_id FROM json_each(%s)
)
SELECT given.subscriber_id, given.mailing_list_id, person.address_hash, suppression.id, suppression.import_batch_id,
    subscription.id, (subscription.confirmed_at IS NOT NULL OR subscription.basis <> %s)
        AND (subscription.expires_at IS NULL OR subscription.expires_at > %s)
        AND NOT EXISTS (
            SELECT 1 FROM {Suppression._meta.db_table} AS earlier
            WHERE earlier.removed_at IS NULL AND earlier.address_hash = person.address_hash
                AND (earlier.scope = 'all' OR earlier.mailing_list_id = given.mailing_list_id)
        ), confirmation.id
FROM given
JOIN {Subscriber._meta.db_table} AS person ON person.id = given.subscriber_id
LEFT JOIN {Suppression._meta.db_table} AS suppression ON suppression.removed_at IS NULL AND suppression.scope = 'list'
    AND suppression.reason = '{Reason.UNSUBSCRIBE.value}' AND suppression.address_hash = person.address_hash
    AND suppression.mailing_list_id = given.mailing_list_id
LEFT JOIN {Subscription._meta.db_table} AS subscription ON subscription.ended_at IS NULL
    AND subscription.subscriber_id = given.subscriber_id AND subscription.mailing_list_id = given.mailing_list_id
LEFT JOIN {Confirmation._meta.db_table} AS confirmation ON confirmation.sent_at IS NULL
    AND confirmation.subscriber_id = given.subscriber_id AND confirmation.mailing_list_id = given.mailing_list_id
"""  # noqa: S608  only table names and codes are put in
_SUPPRESS_ON_SQLITE = (
    start_insert(
        Suppression._meta.db_table,
        ["address_hash", "mailing_list_id", "at", "scope", "reason", "note", "removed_by", "removal_reason"],
    )
    + f" VALUES (%s, %s, %s, '{Scope.LIST.value}', '{Reason.UNSUBSCRIBE.value}', '', '', '')"
)
_END_ON_SQLITE = f"""
UPDATE {Subscription._meta.db_table} SET ended_at = %s, end_reason = '{EndReason.UNSUBSCRIBE.value}' WHERE id = %s
"""  # noqa: S608  only table names and codes are put in
_RECORD_ON_SQLITE = (
    start_insert(
        ConsentEvent._meta.db_table,
        ["subscriber_id", "address_hash", "mailing_list_id", "at", "source", "kind", "wording", "by", "data"],
    )
    + f" VALUES (%s, %s, %s, %s, %s, '{ConsentEvent.Kind.LEFT.value}', '', '', '{{}}')"
)
_COUNT = (
    start_insert(CountedUnsubscribe._meta.db_table, ["mailing", "subscriber_id", "at"])
    + " VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
)


class _Found(NamedTuple):
    """An unsubscribe with the current address, and the ids of the rows that it changes. A missing row is None."""

    unsubscribe: Unsubscribe
    suppression: int | None
    import_batch: int | None
    subscription: int | None
    got_mail: int | None
    confirmation: int | None

    @property
    def is_suppressed(self) -> bool:
        """True if the suppression is new or was an import's."""
        return self.suppression is None or self.import_batch is not None


def write_unsubscribes(unsubscribes: Sequence[Unsubscribe], *, now: datetime, source: str) -> BulkUnsubscribeResult:
    """Write all of these or none. Each (person, list) pair must occur once."""
    chosen = sorted(unsubscribes)
    if not is_wanted(EventKind.PERSON_UNSUBSCRIBED, now=now):
        return _write(chosen, now, source)
    with transaction.atomic():
        result = _write(chosen, now, source)
        record_person_events([_make_consent_event(unsubscribe, now, source) for unsubscribe in sorted(result.changed)])
        return result


def _write(chosen: Sequence[Unsubscribe], now: datetime, source: str) -> BulkUnsubscribeResult:
    write = _write_on_postgresql if connection.vendor == "postgresql" else _write_on_sqlite
    return write(chosen, now, source)


@transaction.atomic
def _write_on_postgresql(chosen: Sequence[Unsubscribe], now: datetime, source: str) -> BulkUnsubscribeResult:
    values: list[Any] = [
        *([unsubscribe[column] for unsubscribe in chosen] for column in range(4)),
        *(now, Scope.LIST.value, Reason.UNSUBSCRIBE.value),
        *(now, EndReason.UNSUBSCRIBE.value),
        *(Basis.DOUBLE_OPT_IN.value, now),
        *(ConsentEvent.Kind.LEFT.value, now, source),
        now,
    ]
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_ON_POSTGRESQL, [[unsubscribe.subscriber for unsubscribe in chosen]])
        cursor.execute(_WRITE_ON_POSTGRESQL, values)
        rows = cursor.fetchall()
    found, changed, suppressed = set[Unsubscribe](), set[Unsubscribe](), set[Unsubscribe]()
    undoable, confirmations = set[tuple[int, int]](), list[int]()
    for subscriber, digest, mailing_list, mailing, is_suppressed, is_undoable, confirmation in rows:
        unsubscribe = Unsubscribe(subscriber, bytes(digest), mailing_list, mailing)
        found.add(unsubscribe)
        if is_suppressed is not None:  # None: nothing changed
            changed.add(unsubscribe)
        if is_suppressed:
            suppressed.add(unsubscribe)
        if is_undoable:
            undoable.add((subscriber, mailing_list))
        if confirmation is not None:
            confirmations.append(confirmation)
    _delete_unsent(confirmations)
    return BulkUnsubscribeResult(changed, _list_pairs(suppressed), _find_gone(chosen, found), undoable)


@transaction.atomic
def _write_on_sqlite(chosen: Sequence[Unsubscribe], now: datetime, source: str) -> BulkUnsubscribeResult:
    """Write the same rows. Until the transaction ends, nobody else writes, so what it has read stays true."""
    given = {(unsubscribe.subscriber, unsubscribe.mailing_list): unsubscribe for unsubscribe in chosen}
    moment = connection.ops.adapt_datetimefield_value(now)
    with connection.cursor() as cursor:
        cursor.execute(_READ_ON_SQLITE, [json.dumps(list(given)), Basis.DOUBLE_OPT_IN.value, moment])
        found = [
            _Found(given[subscriber, mailing_list]._replace(address_hash=bytes(digest)), *rows)
            for subscriber, mailing_list, digest, *rows in cursor.fetchall()
        ]
        cursor.executemany(
            _SUPPRESS_ON_SQLITE,
            [(*each.unsubscribe[1:3], moment) for each in found if each.suppression is None],
        )
        cursor.executemany(
            _END_ON_SQLITE, [(moment, each.subscription) for each in found if each.subscription is not None]
        )
        changed = [each.unsubscribe for each in found if each.is_suppressed or each.subscription is not None]
        cursor.executemany(_RECORD_ON_SQLITE, [(*unsubscribe[:3], moment, source) for unsubscribe in changed])
    imported = [each.suppression for each in found if each.suppression is not None and each.import_batch is not None]
    if imported:
        Suppression.objects.filter(pk__in=imported).update(import_batch=None)
    _delete_unsent([each.confirmation for each in found if each.confirmation is not None])
    count_unsubscribes(((unsubscribe.mailing, unsubscribe.subscriber) for unsubscribe in changed), now=now)
    return BulkUnsubscribeResult(
        set(changed),
        _list_pairs(each.unsubscribe for each in found if each.is_suppressed),
        _find_gone(chosen, [each.unsubscribe for each in found]),
        {(each.unsubscribe.subscriber, each.unsubscribe.mailing_list) for each in found if each.got_mail},
    )


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
    at = connection.ops.adapt_datetimefield_value(now)
    with connection.cursor() as cursor:
        cursor.executemany(_COUNT, [(mailing, subscriber, at) for mailing, subscriber in pairs if mailing])


def _delete_unsent(confirmations: Collection[int]) -> None:
    """Delete the confirmations with these ids. Most unsubscribes have none, and cost no query."""
    if confirmations:
        delete_unsent_requests(Confirmation.objects.filter(pk__in=confirmations))
