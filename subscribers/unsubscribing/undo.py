"""Undo an unsubscribe that was pressed by mistake, within an hour and by the link that was used.

An ended subscription is never reopened: a new one takes its basis and its choices, and the log of consent says why.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from newsletter.common.messages import Message
from subscribers.consent_events import record_consent_event
from subscribers.models import (
    ConsentEvent,
    CountedUnsubscribe,
    EndReason,
    MailingList,
    Reason,
    Subscriber,
    Subscription,
    Suppression,
)
from subscribers.person_locks import lock_current
from subscribers.unsubscribing.suppression import remove_recent_unsubscribe

UNDO_PERIOD = timedelta(hours=1)
_LINK = "link"


@dataclass(frozen=True)
class _LastUnsubscribe:
    """When the last unsubscribe by link was, and the ended subscriptions that its undo replaces."""

    at: datetime
    ended: list[Subscription]


@transaction.atomic
def undo_unsubscribe(
    *, subscriber: Subscriber, mailing_list: MailingList | None, now: datetime, wording: str
) -> list[MailingList]:
    """Subscribe the person again to what their last unsubscribe by link ended. Return the lists.

    ``mailing_list`` is the list whose unsubscribe is undone; None undoes that of all mail. ``wording`` is the text of the
    button. If the undo would bring no mail back, nothing changes.
    """
    person = lock_current(subscriber)
    if person is None:
        return []
    last = _find_last_unsubscribe(person, mailing_list, now=now)
    if last is None:
        return []
    remove_recent_unsubscribe(
        address_hash=bytes(person.address_hash),
        mailing_list=mailing_list,
        since=last.at,
        reason=Message("the person pressed “Unsubscribe” by mistake"),
        now=now,
    )
    for subscription in last.ended:
        _subscribe_again(subscription, now=now, wording=wording)
    CountedUnsubscribe.objects.filter(subscriber_id=person.pk, at=last.at).delete()
    return [subscription.mailing_list for subscription in last.ended]


def can_undo(*, subscriber: Subscriber, mailing_list: MailingList | None, now: datetime) -> bool:
    """Return True if an undo of the unsubscribe from this list, or from all mail if None, would bring mail back."""
    return _find_last_unsubscribe(subscriber, mailing_list, now=now) is not None


def _find_last_unsubscribe(
    subscriber: Subscriber, mailing_list: MailingList | None, *, now: datetime
) -> _LastUnsubscribe | None:
    """Return the last unsubscribe from this list, or from all mail if None, if it can be undone.

    It must be recent and by link, its suppression must be in force, and no other may forbid the mail that it ended.
    """
    kind = ConsentEvent.Kind.LEFT_ALL if mailing_list is None else ConsentEvent.Kind.LEFT
    events = ConsentEvent.objects.filter(subscriber=subscriber, kind=kind, mailing_list=mailing_list)
    left = events.filter(at__gt=now - UNDO_PERIOD, at__lte=now).order_by("-at", "-pk").first()
    if left is None or left.source != _LINK:
        return None
    live = Suppression.objects.live().filter(address_hash=bytes(subscriber.address_hash))
    own = live.filter(reason=Reason.UNSUBSCRIBE, mailing_list=mailing_list, at__gte=left.at)
    if not own.exists():
        return None
    others = live.exclude(pk__in=own.values("pk"))
    ended = Subscription.objects.filter(subscriber=subscriber, ended_at=left.at, end_reason=EndReason.UNSUBSCRIBE)
    if mailing_list is not None:
        ended = ended.filter(mailing_list=mailing_list)
    again = Subscription.objects.filter(subscriber=subscriber, mailing_list=OuterRef("mailing_list")).open()
    suppressed = others.covering(OuterRef("mailing_list"))
    found = list(ended.exclude(Exists(again)).exclude(Exists(suppressed)).select_related("mailing_list", "subscriber"))
    return _LastUnsubscribe(left.at, found) if found else None


def _subscribe_again(ended: Subscription, *, now: datetime, wording: str) -> None:
    """Open a subscription like the ended one."""
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
        address_hash=bytes(ended.subscriber.address_hash),
        mailing_list=ended.mailing_list,
        now=now,
        wording=wording,
        source=Message("undo of an unsubscribe"),
        data={"basis": ended.basis},
    )
