"""The rows of leaving a list, for many people at once: in one statement where the database can, else in four.

Both write the same: a suppression, the end of the subscription, no confirmation mail any more, one consent event, and
one row for the mailing whose link was used.
Whom it concerns, and what is noted outside the database, is for `unsubscribe`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction

from newsletter.common.bulk_sql import insert_rows
from subscribers.models import (
    Confirmation,
    ConsentEvent,
    CountedUnsubscribe,
    EndReason,
    Reason,
    Scope,
    Subscription,
    Suppression,
)


class Unsubscribe(NamedTuple):
    """One person who leaves one list, by row ids and the keyed hash of the address.

    ``mailing`` is the number of the mailing whose link was used; 0 for none.
    """

    subscriber: int
    address_hash: bytes
    mailing_list: int
    mailing: int = 0


class BulkUnsubscribeResult(NamedTuple):
    """Those for whom something changed, and the (hash, list) of the suppressions that were not there."""

    changed: set[Unsubscribe]
    suppressed: set[tuple[bytes, int]]


# A commit of its own, in one message to the server and one back. What one part writes, the others do not see: each
# that must know says what it wrote.
_UNSUBSCRIBE_SQL = f"""
WITH leaving AS (
    SELECT * FROM unnest(%s::bigint[], %s::bytea[], %s::bigint[], %s::bigint[])
        AS given (subscriber_id, address_hash, mailing_list_id, mailing)
), suppressed AS (
    INSERT INTO {Suppression._meta.db_table}
        (address_hash, mailing_list_id, at, scope, reason, note, lifted_by, lifted_reason)
    SELECT address_hash, mailing_list_id, %s, %s, %s, '', '', '' FROM leaving
    ON CONFLICT DO NOTHING
    RETURNING address_hash, mailing_list_id
), ended AS (
    UPDATE {Subscription._meta.db_table} AS held SET ended_at = %s, end_reason = %s
    FROM leaving
    WHERE held.ended_at IS NULL AND held.subscriber_id = leaving.subscriber_id
        AND held.mailing_list_id = leaving.mailing_list_id
    RETURNING held.subscriber_id, held.mailing_list_id
), unasked AS (
    DELETE FROM {Confirmation._meta.db_table} AS due USING leaving
    WHERE due.sent_at IS NULL AND due.subscriber_id = leaving.subscriber_id
        AND due.mailing_list_id = leaving.mailing_list_id
), changed AS (
    SELECT leaving.*, suppressed.address_hash IS NOT NULL AS is_suppressed
    FROM leaving
    LEFT JOIN suppressed USING (address_hash, mailing_list_id)
    LEFT JOIN ended USING (subscriber_id, mailing_list_id)
    WHERE suppressed.address_hash IS NOT NULL OR ended.subscriber_id IS NOT NULL
), noted AS (
    INSERT INTO {ConsentEvent._meta.db_table}
        (subscriber_id, address_hash, mailing_list_id, kind, at, wording, source, by, data)
    SELECT subscriber_id, address_hash, mailing_list_id, %s, %s, '', %s, '', '{{}}' FROM changed
), counted AS (
    INSERT INTO {CountedUnsubscribe._meta.db_table} (mailing, subscriber_id, at)
    SELECT mailing, subscriber_id, %s FROM changed WHERE mailing > 0
    ON CONFLICT DO NOTHING
)
SELECT subscriber_id, address_hash, mailing_list_id, mailing, is_suppressed FROM changed
"""  # noqa: S608 names of our own


def write_unsubscribes(unsubscribes: Sequence[Unsubscribe], *, now: datetime, source: str) -> BulkUnsubscribeResult:
    """All of these or none; each person is named once for a list."""
    chosen = sorted(unsubscribes)
    if connection.vendor == "postgresql":
        return _write_in_one_statement(chosen, now, source[:200])
    return _write_in_several_statements(chosen, now, source[:200])


def _write_in_one_statement(chosen: Sequence[Unsubscribe], now: datetime, source: str) -> BulkUnsubscribeResult:
    values: list[Any] = [
        *([one[column] for one in chosen] for column in range(4)),
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
        set(changed), {(one.address_hash, one.mailing_list) for one, is_suppressed in changed.items() if is_suppressed}
    )


@transaction.atomic
def _write_in_several_statements(chosen: Sequence[Unsubscribe], now: datetime, source: str) -> BulkUnsubscribeResult:
    pairs = [(one.subscriber, one.mailing_list) for one in chosen]
    suppressed = _insert_suppressions(chosen, now)
    ended = _end_subscriptions(pairs, now)
    _execute_for_pairs(
        f"DELETE FROM {Confirmation._meta.db_table} "  # noqa: S608 names of our own
        "WHERE sent_at IS NULL AND (subscriber_id, mailing_list_id) IN",
        pairs,
    )
    changed = [
        one
        for one in chosen
        if (one.address_hash, one.mailing_list) in suppressed or (one.subscriber, one.mailing_list) in ended
    ]
    if changed:
        insert_rows(
            ConsentEvent,
            same={
                "kind": ConsentEvent.Kind.LEFT.value,
                "at": now,
                "wording": "",
                "source": source,
                "by": "",
                "data": {},
            },
            columns=["subscriber_id", "address_hash", "mailing_list_id"],
            rows=[one[:3] for one in changed],
        )
    count_unsubscribes(((one.mailing, one.subscriber) for one in changed), now=now)
    return BulkUnsubscribeResult(set(changed), suppressed)


def count_unsubscribes(pairs: Iterable[tuple[int, int]], *, now: datetime) -> None:
    """Count (mailing, subscriber) pairs, each once for ever. A mailing of 0 is none."""
    CountedUnsubscribe.objects.bulk_create(
        (
            CountedUnsubscribe(mailing=mailing, subscriber_id=subscriber, at=now)
            for mailing, subscriber in pairs
            if mailing
        ),
        ignore_conflicts=True,
    )


def _insert_suppressions(chosen: Sequence[Unsubscribe], now: datetime) -> set[tuple[bytes, int]]:
    """(hash, list) of the suppressions that were not there; the unique rows see to it that each is there once."""
    at = connection.ops.adapt_datetimefield_value(now)
    row = [at, Scope.LIST.value, Reason.UNSUBSCRIBE.value]
    values = [value for one in chosen for value in (one.address_hash, one.mailing_list, *row)]
    columns = "address_hash, mailing_list_id, at, scope, reason, note, lifted_by, lifted_reason"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Suppression._meta.db_table} ({columns}) VALUES "  # noqa: S608 names of our own
            + ", ".join(["(%s, %s, %s, %s, %s, '', '', '')"] * len(chosen))
            + " ON CONFLICT DO NOTHING RETURNING address_hash, mailing_list_id",
            values,
        )
        return {(bytes(address_hash), mailing_list) for address_hash, mailing_list in cursor.fetchall()}


def _end_subscriptions(pairs: Sequence[tuple[int, int]], now: datetime) -> set[tuple[int, int]]:
    """(subscriber, list) of the subscriptions that were open."""
    return _execute_for_pairs(
        f"UPDATE {Subscription._meta.db_table} SET ended_at = %s, end_reason = %s "  # noqa: S608 names of our own
        "WHERE ended_at IS NULL AND (subscriber_id, mailing_list_id) IN",
        pairs,
        connection.ops.adapt_datetimefield_value(now),
        EndReason.UNSUBSCRIBE.value,
        returning=" RETURNING subscriber_id, mailing_list_id",
    )


def _execute_for_pairs(
    sql: str, pairs: Sequence[tuple[int, int]], *values: Any, returning: str = ""
) -> set[tuple[int, int]]:
    rows = ", ".join(["(%s, %s)"] * len(pairs))
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} (VALUES {rows}){returning}", [*values, *(value for pair in pairs for value in pair)])
        return set(cursor.fetchall()) if returning else set()
