"""Unsubscribe from one list or from all mail. It lasts until the person asks again."""

from collections.abc import Collection
from datetime import datetime

from django.db import InterfaceError, OperationalError, connection, transaction

from newsletter.common.database.deadlines import is_database_unavailable
from subscribers.consent_events import record_consent_event
from subscribers.models import ConsentEvent, EndReason, FormerIdentity, MailingList, Reason, Subscriber
from subscribers.person_locks import lock_current
from subscribers.unsubscribing.bulk_unsubscribe import (
    BulkUnsubscribeResult,
    Unsubscribe,
    count_unsubscribes,
    write_unsubscribes,
)
from subscribers.unsubscribing.suppression import end_subscriptions, write_suppression
from subscribers.unsubscribing.suppression_journal import JournalEntry, journal_after_commit, journal_now


def unsubscribe_from_list(
    *, subscriber: Subscriber, mailing_list: MailingList, now: datetime, source: str = "", mailing: int = 0
) -> bool:
    """End the subscription and suppress mail of this list. Return True if that changed something.

    `mailing` is the number of the mailing whose link was used. A change is counted for it, once.
    """
    unsubscribe = Unsubscribe(subscriber.pk, bytes(subscriber.address_hash), mailing_list.pk, mailing)
    result = unsubscribe_from_lists([unsubscribe], now=now, source=source)
    merged = FormerIdentity.objects.filter(uuid=subscriber.uuid).select_related("subscriber")
    if result.gone and (former := merged.first()):
        return unsubscribe_from_list(
            subscriber=former.subscriber, mailing_list=mailing_list, now=now, source=source, mailing=mailing
        )
    return bool(result.changed)


def unsubscribe_from_lists(
    unsubscribes: Collection[Unsubscribe], *, now: datetime, source: str = ""
) -> BulkUnsubscribeResult:
    """Unsubscribe many people, all or none. Return the people for whom something changed, and those who were just deleted.

    If the database does not answer, it may still have committed, and a repeat would find nothing to journal. So in that
    case the journal gets all entries at once.
    """
    pairs = {(each.subscriber, each.mailing_list): each for each in reversed(list(unsubscribes))}
    chosen = list(pairs.values())
    if not chosen:
        return BulkUnsubscribeResult(set(), set(), set(), set())
    try:
        result = write_unsubscribes(chosen, now=now, source=source)
    except (OperationalError, InterfaceError) as error:
        if is_database_unavailable(error) and not connection.in_atomic_block:
            journal_now(_make_entry(unsubscribe.address_hash, unsubscribe.mailing_list, now) for unsubscribe in chosen)
        raise
    journal_after_commit(
        _make_entry(address_hash, mailing_list, now) for address_hash, mailing_list in result.suppressed
    )
    return result


def _make_entry(address_hash: bytes, mailing_list: int, now: datetime) -> JournalEntry:
    return JournalEntry(address_hash, mailing_list, Reason.UNSUBSCRIBE.value, now)


@transaction.atomic
def unsubscribe_from_all(*, subscriber: Subscriber, now: datetime, source: str = "", mailing: int = 0) -> bool:
    """End every subscription and suppress all mail. Return True if that changed something.

    `mailing` is the number of the mailing whose link was used, as in `unsubscribe_from_list`.
    """
    person = lock_current(subscriber)
    if person is None:
        return False
    address_hash = bytes(person.address_hash)
    made = write_suppression(address_hash=address_hash, reason=Reason.UNSUBSCRIBE, now=now, mailing_list=None)
    ended = end_subscriptions(subscriber=person, reason=EndReason.UNSUBSCRIBE, now=now)
    if not made and not ended:
        return False
    record_consent_event(
        ConsentEvent(
            kind=ConsentEvent.Kind.LEFT_ALL,
            subscriber=person,
            address_hash=address_hash,
            at=now,
            source=source,
        )
    )
    count_unsubscribes([(mailing, person.pk)], now=now)
    return True
