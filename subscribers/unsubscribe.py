"""Leaving: one list or everything, at once, once, and for good until the person asks again."""

from datetime import datetime

from django.db import transaction

from subscribers.consent import record_event
from subscribers.models import ConsentEvent, EndReason, MailingList, Reason, Subscriber
from subscribers.suppression import end_subscriptions, write_suppression


def leave_list(*, subscriber: Subscriber, mailing_list: MailingList, now: datetime, source: str = "") -> bool:
    """Ends the subscription and forbids mail of this list. True when something changed; a repeat changes nothing."""
    return _leave(subscriber=subscriber, mailing_list=mailing_list, now=now, source=source)


def leave_all(*, subscriber: Subscriber, now: datetime, source: str = "") -> bool:
    """Ends every subscription and forbids all mail. True when something changed; a repeat changes nothing."""
    return _leave(subscriber=subscriber, mailing_list=None, now=now, source=source)


@transaction.atomic
def _leave(*, subscriber: Subscriber, mailing_list: MailingList | None, now: datetime, source: str) -> bool:
    address_hash = bytes(subscriber.address_hash)
    made = write_suppression(address_hash=address_hash, reason=Reason.UNSUBSCRIBE, now=now, mailing_list=mailing_list)
    ended = end_subscriptions(subscriber=subscriber, mailing_list=mailing_list, reason=EndReason.UNSUBSCRIBE, now=now)
    if not made and not ended:
        return False
    record_event(
        kind=ConsentEvent.Kind.LEFT if mailing_list else ConsentEvent.Kind.LEFT_ALL,
        subscriber=subscriber,
        address_hash=address_hash,
        mailing_list=mailing_list,
        now=now,
        source=source,
    )
    return True
