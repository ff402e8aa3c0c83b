"""Write the rows of an unsubscribe from a list, for many people at once.

PostgreSQL gets one statement, SQLite one for each table. Both write the same: a suppression, the end of the subscription, one
consent event and one row for the mailing whose link was used. Confirmation mails not yet sent are deleted.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from subscribers.models import (
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

_MAX_ROWS = 100
"""In one statement of SQLite, which limits its values."""


class Unsubscribe(NamedTuple):
    """One person who unsubscribes from one list: row ids and the keyed hash of the address.

    ``mailing`` is the number of the mailing whose link was used, or 0.
    """

    subscriber: int
    address_hash: bytes
    mailing_list: int
    mailing: int = 0


class BulkUnsubscribeResult(NamedTuple):
    """The people for whom something changed, and the (hash, list) pairs of the suppressions that are new or were an import's."""

    changed: set[Unsubscribe]
    suppressed: set[tuple[bytes, int]]


# One round trip, which is also the commit. No part sees the rows that another part of the statement writes, so each returns
# its own. People are locked before their rows, as an erasure does; those whom it deleted meanwhile are left out.
_UNSUBSCRIBE_SQL = f"""
WITH chosen AS (
    SELECT given.* FROM unnest(%s::bigint[], %s::bytea[], %s::bigint[], %s::bigint[])
        AS given (subscriber_id, address_hash, mailing_list_id, mailing)
    JOIN {Subscriber._meta.db_table} AS person ON person.id = given.subscriber_id
    ORDER BY person.id FOR KEY SHARE OF person
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
    RETURNING subscription.subscriber_id, subscription.mailing_list_id
), unconfirmed AS (
    DELETE FROM {Confirmation._meta.db_table} AS confirmation USING chosen
    WHERE confirmation.sent_at IS NULL AND confirmation.subscriber_id = chosen.subscriber_id
        AND confirmation.mailing_list_id = chosen.mailing_list_id
), changed AS (
    SELECT chosen.*, suppressed.address_hash IS NOT NULL AS is_suppressed
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
SELECT subscriber_id, address_hash, mailing_list_id, mailing, is_suppressed FROM changed
"""  # noqa: S608  only table names are put in

# SQLite writes to one table in a statement. CROSS JOIN makes it look up each person; else it may read every open subscription.
_SUPPRESS_SQL = f"""
INSERT INTO {Suppression._meta.db_table}
    (address_hash, mailing_list_id, at, scope, reason, note, removed_by, removal_reason)
SELECT column1, column2, column3, '{Scope.LIST.value}', '{Reason.UNSUBSCRIBE.value}', '', '', ''
FROM (VALUES {{marks}}) WHERE TRUE
ON CONFLICT (address_hash, mailing_list_id, reason) WHERE removed_at IS NULL AND scope = 'list'
DO UPDATE SET import_batch_id = NULL WHERE import_batch_id IS NOT NULL
RETURNING address_hash, mailing_list_id
"""  # noqa: S608  only names and constants of our own are put in
_END_SQL = f"""
UPDATE {Subscription._meta.db_table} SET ended_at = %s, end_reason = %s
WHERE id IN (
    SELECT subscription.id FROM (VALUES {{marks}}) AS chosen
    CROSS JOIN {Subscription._meta.db_table} AS subscription
    WHERE subscription.ended_at IS NULL AND subscription.subscriber_id = chosen.column1
        AND subscription.mailing_list_id = chosen.column2
)
RETURNING subscriber_id, mailing_list_id
"""  # noqa: S608
_DELETE_CONFIRMATIONS_SQL = f"""
DELETE FROM {Confirmation._meta.db_table}
WHERE id IN (
    SELECT confirmation.id FROM (VALUES {{marks}}) AS chosen
    CROSS JOIN {Confirmation._meta.db_table} AS confirmation
    WHERE confirmation.sent_at IS NULL AND confirmation.subscriber_id = chosen.column1
        AND confirmation.mailing_list_id = chosen.column2
)
"""  # noqa: S608
_RECORD_SQL = f"""
INSERT INTO {ConsentEvent._meta.db_table}
    (subscriber_id, address_hash, mailing_list_id, kind, at, source, wording, by, data)
SELECT *, '', '', '{{{{}}}}' FROM (VALUES {{marks}})
"""  # noqa: S608
_COUNT_SQL = f"""
INSERT INTO {CountedUnsubscribe._meta.db_table} (mailing, subscriber_id, at) VALUES {{marks}} ON CONFLICT DO NOTHING
"""  # noqa: S608


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
    write = _write_in_one_statement if connection.vendor == "postgresql" else _write_in_several_statements
    return write(chosen, now, source)


def _write_in_one_statement(chosen: Sequence[Unsubscribe], now: datetime, source: str) -> BulkUnsubscribeResult:
    values: list[Any] = [
        *([unsubscribe[column] for unsubscribe in chosen] for column in range(4)),
        *(now, Scope.LIST.value, Reason.UNSUBSCRIBE.value),
        *(now, EndReason.UNSUBSCRIBE.value),
        *(ConsentEvent.Kind.LEFT.value, now, source),
        now,
    ]
    with connection.cursor() as cursor:
        cursor.execute(_UNSUBSCRIBE_SQL, values)
        rows = cursor.fetchall()
    changed = {
        Unsubscribe(subscriber, bytes(digest), mailing_list, mailing): suppressed
        for subscriber, digest, mailing_list, mailing, suppressed in rows
    }
    return BulkUnsubscribeResult(
        set(changed),
        {
            (unsubscribe.address_hash, unsubscribe.mailing_list)
            for unsubscribe, is_suppressed in changed.items()
            if is_suppressed
        },
    )


@transaction.atomic
def _write_in_several_statements(chosen: Sequence[Unsubscribe], now: datetime, source: str) -> BulkUnsubscribeResult:
    """Write the same rows on SQLite, where the transaction keeps every other writer out."""
    changed: set[Unsubscribe] = set()
    suppressed: set[tuple[bytes, int]] = set()
    for start in range(0, len(chosen), _MAX_ROWS):
        part = chosen[start : start + _MAX_ROWS]
        result = _write_part(part, connection.ops.adapt_datetimefield_value(now), source)
        changed |= result.changed
        suppressed |= result.suppressed
    return BulkUnsubscribeResult(changed, suppressed)


def _write_part(chosen: Sequence[Unsubscribe], now: str | None, source: str) -> BulkUnsubscribeResult:
    pairs = [(unsubscribe.subscriber, unsubscribe.mailing_list) for unsubscribe in chosen]
    addresses = [(unsubscribe.address_hash, unsubscribe.mailing_list, now) for unsubscribe in chosen]
    with connection.cursor() as cursor:
        suppressed = {(bytes(digest), mailing_list) for digest, mailing_list in _run(cursor, _SUPPRESS_SQL, addresses)}
        ended = set(_run(cursor, _END_SQL, pairs, before=(now, EndReason.UNSUBSCRIBE.value)))
        _run(cursor, _DELETE_CONFIRMATIONS_SQL, pairs)
        changed = [
            unsubscribe
            for unsubscribe, pair in zip(chosen, pairs, strict=True)
            if pair in ended or (unsubscribe.address_hash, unsubscribe.mailing_list) in suppressed
        ]
        _run(
            cursor,
            _RECORD_SQL,
            [(*unsubscribe[:3], ConsentEvent.Kind.LEFT.value, now, source) for unsubscribe in changed],
        )
        _run(
            cursor,
            _COUNT_SQL,
            [(unsubscribe.mailing, unsubscribe.subscriber, now) for unsubscribe in changed if unsubscribe.mailing],
        )
    return BulkUnsubscribeResult(set(changed), suppressed)


def _run(
    cursor: CursorWrapper, sql: str, rows: Sequence[tuple[Any, ...]], *, before: tuple[Any, ...] = ()
) -> list[tuple[Any, ...]]:
    """Run a statement once for all rows, with the values of ``before`` ahead of theirs. Return what it returns."""
    if not rows:
        return []
    marks = ", ".join([f"({', '.join(['%s'] * len(rows[0]))})"] * len(rows))
    cursor.execute(sql.format(marks=marks), [*before, *chain.from_iterable(rows)])
    return list(cursor.fetchall())


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
