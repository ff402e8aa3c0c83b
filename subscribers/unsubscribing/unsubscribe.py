"""Leaving: one list or everything, at once, once, and for good until the person asks again."""

from collections.abc import Collection
from datetime import datetime

from django.db import InterfaceError, OperationalError, connection, transaction

from newsletter.common.database_deadlines import is_away
from subscribers.consent_events import record_event
from subscribers.models import ConsentEvent, EndReason, MailingList, Reason, Subscriber
from subscribers.unsubscribing.bulk_unsubscribe import Leaving, count_unsubscribes, write_leavings
from subscribers.unsubscribing.suppression import end_subscriptions, write_suppression
from subscribers.unsubscribing.suppression_journal import Note, note_down, note_down_now

__all__ = ["Leaving", "leave_all", "leave_list", "leave_lists"]


def leave_list(
    *, subscriber: Subscriber, mailing_list: MailingList, now: datetime, source: str = "", mailing: int = 0
) -> bool:
    """Ends the subscription and forbids mail of this list. True when something changed; a repeat changes nothing.

    `mailing` is the number of the mailing whose link was used: what changes something is counted for it, once.
    """
    one = Leaving(subscriber.pk, bytes(subscriber.address_hash), mailing_list.pk, mailing)
    return bool(leave_lists([one], now=now, source=source))


def leave_lists(leavings: Collection[Leaving], *, now: datetime, source: str = "") -> set[Leaving]:
    """Many leave at once: all or none. Those for whom something changed; each is on record once.

    Where the database breaks off it may have taken them all the same, and a repeat would then find nothing new to note:
    so they are noted at once.
    """
    chosen = list({one[:3]: one for one in reversed(list(leavings))}.values())
    if not chosen:
        return set()
    try:
        changed, barred = write_leavings(chosen, now=now, source=source)
    except (OperationalError, InterfaceError) as error:
        if is_away(error) and not connection.in_atomic_block:
            note_down_now(_note(one.address_hash, one.mailing_list, now) for one in chosen)
        raise
    note_down(_note(address_hash, mailing_list, now) for address_hash, mailing_list in barred)
    return changed


def _note(address_hash: bytes, mailing_list: int, now: datetime) -> Note:
    return Note(address_hash, mailing_list, Reason.UNSUBSCRIBE.value, now)


@transaction.atomic
def leave_all(*, subscriber: Subscriber, now: datetime, source: str = "", mailing: int = 0) -> bool:
    """Ends every subscription and forbids all mail. True when something changed; a repeat changes nothing.

    `mailing` is the number of the mailing whose link was used, as in `leave_list`.
    """
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
    count_unsubscribes([(mailing, subscriber.pk)], now=now)
    return True
