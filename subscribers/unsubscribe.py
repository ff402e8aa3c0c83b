"""Leaving: one list or everything, at once, once, and for good until the person asks again."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction

from subscribers.bulk import insert_rows
from subscribers.consent import record_event
from subscribers.journal import Note, note_down
from subscribers.models import (
    Confirmation,
    ConsentEvent,
    EndReason,
    MailingList,
    Reason,
    Scope,
    Subscriber,
    Subscription,
    Suppression,
)
from subscribers.suppression import end_subscriptions, write_suppression


class Leaving(NamedTuple):
    """One person who leaves one list, by row ids and the keyed hash of the address."""

    subscriber: int
    address_hash: bytes
    mailing_list: int


def leave_list(*, subscriber: Subscriber, mailing_list: MailingList, now: datetime, source: str = "") -> bool:
    """Ends the subscription and forbids mail of this list. True when something changed; a repeat changes nothing."""
    one = Leaving(subscriber.pk, bytes(subscriber.address_hash), mailing_list.pk)
    return bool(leave_lists([one], now=now, source=source))


@transaction.atomic
def leave_lists(leavings: Collection[Leaving], *, now: datetime, source: str = "") -> set[Leaving]:
    """Many leave at once, in five statements. Those for whom something changed; each is on record once."""
    chosen = list(dict.fromkeys(leavings))
    if not chosen:
        return set()
    pairs = [(one.subscriber, one.mailing_list) for one in chosen]
    barred = _bar(chosen, now)
    note_down(Note(address_hash, mailing_list, Reason.UNSUBSCRIBE.value, now) for address_hash, mailing_list in barred)
    ended = _end(pairs, now)
    _run(
        f"DELETE FROM {Confirmation._meta.db_table} "  # noqa: S608 names of our own
        "WHERE sent_at IS NULL AND (subscriber_id, mailing_list_id) IN",
        pairs,
    )
    changed = {
        one
        for one in chosen
        if (one.address_hash, one.mailing_list) in barred or (one.subscriber, one.mailing_list) in ended
    }
    if changed:
        insert_rows(
            ConsentEvent,
            same={
                "kind": ConsentEvent.Kind.LEFT.value,
                "at": now,
                "wording": "",
                "source": source[:200],
                "by": "",
                "data": {},
            },
            columns=["subscriber_id", "address_hash", "mailing_list_id"],
            rows=[one for one in chosen if one in changed],
        )
    return changed


@transaction.atomic
def leave_all(*, subscriber: Subscriber, now: datetime, source: str = "") -> bool:
    """Ends every subscription and forbids all mail. True when something changed; a repeat changes nothing."""
    address_hash = bytes(subscriber.address_hash)
    made = write_suppression(address_hash=address_hash, reason=Reason.UNSUBSCRIBE, now=now, mailing_list=None)
    ended = end_subscriptions(subscriber=subscriber, reason=EndReason.UNSUBSCRIBE, now=now)
    if not made and not ended:
        return False
    record_event(
        kind=ConsentEvent.Kind.LEFT_ALL,
        subscriber=subscriber,
        address_hash=address_hash,
        mailing_list=None,
        now=now,
        source=source,
    )
    return True


def _bar(chosen: Sequence[Leaving], now: datetime) -> set[tuple[bytes, int]]:
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


def _end(pairs: Sequence[tuple[int, int]], now: datetime) -> set[tuple[int, int]]:
    """(subscriber, list) of the subscriptions that were open."""
    return _run(
        f"UPDATE {Subscription._meta.db_table} SET ended_at = %s, end_reason = %s "  # noqa: S608 names of our own
        "WHERE ended_at IS NULL AND (subscriber_id, mailing_list_id) IN",
        pairs,
        connection.ops.adapt_datetimefield_value(now),
        EndReason.UNSUBSCRIBE.value,
        returning=" RETURNING subscriber_id, mailing_list_id",
    )


def _run(sql: str, pairs: Sequence[tuple[int, int]], *values: Any, returning: str = "") -> set[tuple[int, int]]:
    rows = ", ".join(["(%s, %s)"] * len(pairs))
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} (VALUES {rows}){returning}", [*values, *(value for pair in pairs for value in pair)])
        return set(cursor.fetchall()) if returning else set()
