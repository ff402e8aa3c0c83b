"""Undo an unsubscribe that was pressed by mistake, within an hour and by the link that was used.

An ended subscription is never reopened: a new one takes its basis and its choices, and the log of consent says why.
"""

from datetime import datetime, timedelta

from django.db import transaction

from newsletter.common.messages import Message
from subscribers.consent_events import record_consent_event
from subscribers.models import ConsentEvent, CountedUnsubscribe, EndReason, MailingList, Subscriber, Subscription
from subscribers.person_locks import lock_people
from subscribers.unsubscribing.suppression import is_suppressed, remove_recent_unsubscribe

UNDO_PERIOD = timedelta(hours=1)
_KINDS = (ConsentEvent.Kind.LEFT, ConsentEvent.Kind.LEFT_ALL)
_LINK = "link"


@transaction.atomic
def undo_unsubscribe(
    *, subscriber: Subscriber, mailing_list: MailingList, now: datetime, wording: str
) -> list[MailingList]:
    """Subscribe the person again to what the last unsubscribe by link ended. Return the lists; none if there is nothing to undo.

    ``mailing_list`` is that of the link. ``wording`` is the text of the button. Suppressions for other reasons stay.
    """
    if not lock_people(Subscriber.objects.filter(pk=subscriber.pk)):
        return []
    left = _find_last_unsubscribe(subscriber, mailing_list, now=now)
    if left is None:
        return []
    remove_recent_unsubscribe(
        address_hash=bytes(subscriber.address_hash),
        mailing_list=None if left.kind == ConsentEvent.Kind.LEFT_ALL else mailing_list,
        since=left.at,
        reason=Message("the person pressed “Unsubscribe” by mistake"),
        now=now,
    )
    ended = Subscription.objects.filter(
        subscriber=subscriber, ended_at=left.at, end_reason=EndReason.UNSUBSCRIBE
    ).select_related("mailing_list")
    if left.kind == ConsentEvent.Kind.LEFT:
        ended = ended.filter(mailing_list=mailing_list)
    reopened = [
        subscription.mailing_list for subscription in ended if _subscribe_again(subscription, now=now, wording=wording)
    ]
    if reopened:
        CountedUnsubscribe.objects.filter(subscriber_id=subscriber.pk, at=left.at).delete()
    return reopened


def can_undo(*, subscriber: Subscriber, mailing_list: MailingList, now: datetime) -> bool:
    """Return True if the person unsubscribed by link within the last hour."""
    return _find_last_unsubscribe(subscriber, mailing_list, now=now) is not None


def _find_last_unsubscribe(subscriber: Subscriber, mailing_list: MailingList, *, now: datetime) -> ConsentEvent | None:
    """Return the last unsubscribe from this list or from all mail, if it came by link and is recent."""
    events = ConsentEvent.objects.filter(subscriber=subscriber, kind__in=_KINDS, at__gt=now - UNDO_PERIOD, at__lte=now)
    own = events.filter(mailing_list=mailing_list) | events.filter(mailing_list__isnull=True)
    last = own.order_by("-at", "-pk").first()
    return last if last is not None and last.source == _LINK else None


def _subscribe_again(ended: Subscription, *, now: datetime, wording: str) -> bool:
    """Open a subscription like the ended one. Return False if one is open already, or another suppression forbids mail."""
    address_hash = bytes(ended.subscriber.address_hash)
    same = Subscription.objects.filter(subscriber=ended.subscriber_id, mailing_list=ended.mailing_list_id)
    if same.open().exists() or is_suppressed(address_hash=address_hash, mailing_list=ended.mailing_list):
        return False
    Subscription.objects.create(
        subscriber_id=ended.subscriber_id,
        mailing_list_id=ended.mailing_list_id,
        basis=ended.basis,
        evidence=ended.evidence,
        requested_at=ended.requested_at,
        confirmed_at=ended.confirmed_at,
        expires_at=ended.expires_at,
        frequency=ended.frequency,
        paused_until=ended.paused_until,
    )
    record_consent_event(
        kind=ConsentEvent.Kind.REQUESTED,
        subscriber=ended.subscriber,
        address_hash=address_hash,
        mailing_list=ended.mailing_list,
        now=now,
        wording=wording,
        source=Message("undo of an unsubscribe"),
        data={"basis": ended.basis},
    )
    return True
