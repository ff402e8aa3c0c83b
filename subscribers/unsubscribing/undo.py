"""Undo an unsubscribe that was pressed by mistake, within an hour and by the link that was used.

An ended subscription is never reopened: a new one gets its basis and choices, and the log of consent says why.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from newsletter.common.messages import Message
from subscribers.consent_events import end_rest, record_consent_event
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
from subscribers.models.subscriptions import NOT_CONFIRMED
from subscribers.models.suppressions import SuppressionQuerySet
from subscribers.person_locks import lock_current
from subscribers.unsubscribing.suppression import remove_recent_unsubscribe

UNDO_PERIOD = timedelta(hours=1)
_LINK = "link"
_ALWAYS = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class _LastUnsubscribe:
    """When the last unsubscribe by link was, and the ended subscriptions that its undo replaces."""

    at: datetime
    ended: list[Subscription]


@transaction.atomic
def undo_unsubscribe(
    *,
    subscriber: Subscriber,
    mailing_list: MailingList | None,
    now: datetime,
    wording: str,
    link_list: MailingList | None = None,
    mailing: int = 0,
) -> list[MailingList]:
    """Subscribe the person again to what their last unsubscribe by link ended. Return the lists.

    ``mailing_list`` is the list whose unsubscribe is undone; None undoes that of all mail. ``link_list`` and ``mailing`` are
    those of the link. ``wording`` is the text above and on the button of the page. If the undo would start no mail again,
    nothing changes. But if unsubscribing from all mail ended nothing because the person had just left ``link_list``, its
    suppression is removed and no list is returned: the unsubscribe from ``link_list`` can be undone next.
    """
    person = lock_current(subscriber)
    if person is None:
        return []
    last = _find_last_unsubscribe(person, mailing_list, since=now - UNDO_PERIOD, now=now, link_list=link_list)
    if last is None:
        return []
    address_hash = bytes(person.address_hash)
    lists = [subscription.mailing_list for subscription in last.ended]
    for suppressed in {mailing_list, *lists}:
        remove_recent_unsubscribe(
            address_hash=address_hash,
            mailing_list=suppressed,
            since=last.at,
            reason=Message("the person pressed “Unsubscribe” by mistake"),
            now=now,
        )
    for subscription in last.ended:
        _subscribe_again(subscription, now=now, wording=wording)
    if not lists:
        record_consent_event(
            ConsentEvent(
                kind=ConsentEvent.Kind.SUPPRESSION_REMOVED,
                subscriber=person,
                address_hash=address_hash,
                at=now,
                wording=wording,
                source=Message("undo of an unsubscribe"),
                data={"reason": Reason.UNSUBSCRIBE},
            )
        )
    end_rest(person, now=now)
    _delete_counts(person, last.at, mailing=mailing)
    if mailing_list is None:
        _delete_later_counts(person, last.at, undone=lists)
    return lists


def can_undo(
    *,
    subscriber: Subscriber,
    mailing_list: MailingList | None,
    now: datetime,
    link_list: MailingList | None = None,
) -> bool:
    """Return True if an undo of the unsubscribe from this list, or from all mail if None, would do something now."""
    since = now - UNDO_PERIOD
    return _find_last_unsubscribe(subscriber, mailing_list, since=since, now=now, link_list=link_list) is not None


def is_too_late_to_undo(
    *,
    subscriber: Subscriber,
    mailing_list: MailingList | None,
    now: datetime,
    link_list: MailingList | None = None,
) -> bool:
    """Return True if only the time that has passed forbids the undo."""
    if can_undo(subscriber=subscriber, mailing_list=mailing_list, now=now, link_list=link_list):
        return False
    ever = _find_last_unsubscribe(subscriber, mailing_list, since=_ALWAYS, now=now, link_list=link_list)
    return ever is not None


def _find_last_unsubscribe(
    subscriber: Subscriber,
    mailing_list: MailingList | None,
    *,
    since: datetime,
    now: datetime,
    link_list: MailingList | None = None,
    ignoring: SuppressionQuerySet | None = None,
) -> _LastUnsubscribe | None:
    """Return the last unsubscribe from this list, or from all mail if None, if it can be undone.

    It must be later than ``since`` and by link, its suppression must be in force, and no other may forbid the mail that
    it ended, except those in ``ignoring``. Lists that the person left by link after all mail are part of the same mistake.
    """
    kind = ConsentEvent.Kind.LEFT_ALL if mailing_list is None else ConsentEvent.Kind.LEFT
    events = ConsentEvent.objects.filter(subscriber=subscriber, kind=kind, mailing_list=mailing_list)
    left = events.filter(at__gt=since, at__lte=now).order_by("-at", "-pk").first()
    if left is None or left.source != _LINK:
        return None
    live = Suppression.objects.live().filter(address_hash=bytes(subscriber.address_hash))
    own = live.filter(reason=Reason.UNSUBSCRIBE, mailing_list=mailing_list, at__gte=left.at)
    if not own.exists():
        return None
    others = live.exclude(pk__in=own.values("pk"))
    if ignoring is not None:
        others = others.exclude(pk__in=ignoring.values("pk"))
    if mailing_list is None:
        others = others.exclude(pk__in=_find_left_after(subscriber, left.at, live).values("pk"))
    found = _find_ended(subscriber, mailing_list, at=left.at, others=others, now=now)
    if found:
        return _LastUnsubscribe(left.at, found)
    if mailing_list is None and link_list is not None:
        before = _find_last_unsubscribe(subscriber, link_list, since=since, now=now, ignoring=own)
        return _LastUnsubscribe(left.at, []) if before else None
    return None


def _find_left_after(subscriber: Subscriber, at: datetime, live: SuppressionQuerySet) -> SuppressionQuerySet:
    """Return the suppressions of lists that the person left by link after this time."""
    pressed = ConsentEvent.objects.filter(
        subscriber=subscriber,
        kind=ConsentEvent.Kind.LEFT,
        source=_LINK,
        mailing_list=OuterRef("mailing_list"),
        at=OuterRef("at"),
    )
    return live.filter(Exists(pressed), reason=Reason.UNSUBSCRIBE, at__gt=at)


def _find_ended(
    subscriber: Subscriber,
    mailing_list: MailingList | None,
    *,
    at: datetime,
    others: SuppressionQuerySet,
    now: datetime,
) -> list[Subscription]:
    """Return the subscriptions that a press ended, that got mail before it and would again without its suppressions."""
    ended = Subscription.objects.filter(subscriber=subscriber, ended_at=at, end_reason=EndReason.UNSUBSCRIBE)
    if mailing_list is not None:
        ended = ended.filter(mailing_list=mailing_list)
    lasting = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    again = Subscription.objects.filter(subscriber=subscriber, mailing_list=OuterRef("mailing_list")).open()
    suppressed = others.covering(OuterRef("mailing_list"))
    found = ended.exclude(NOT_CONFIRMED).filter(lasting).exclude(Exists(again)).exclude(Exists(suppressed))
    return list(found.select_related("mailing_list", "subscriber"))


def _delete_counts(subscriber: Subscriber, at: datetime, *, mailing: int) -> None:
    """Delete the counts of one press. Presses at the same instant differ by the mailing of the link."""
    counts = _find_counts(subscriber).filter(at=at)
    is_alone = _find_presses(subscriber).filter(at=at).count() == 1
    (counts if is_alone else counts.filter(mailing=mailing)).delete()


def _delete_later_counts(subscriber: Subscriber, at: datetime, *, undone: Collection[MailingList]) -> None:
    """Delete the counts of later presses from lists that are undone too. A moment with a press that stays keeps its counts."""
    later = _find_presses(subscriber).filter(at__gt=at)
    gone = later.filter(mailing_list__in=undone).values("at")
    times = later.exclude(mailing_list__in=undone).values("at")
    _find_counts(subscriber).filter(at__in=gone).exclude(at__in=times).delete()


def _find_counts(subscriber: Subscriber) -> QuerySet[CountedUnsubscribe]:
    """Return the counts of a person. Those of a record that was merged into theirs may still have its number."""
    merges = ConsentEvent.objects.filter(subscriber=subscriber, kind=ConsentEvent.Kind.MERGED)
    absorbed = list(merges.values_list("data__absorbed", flat=True))
    return CountedUnsubscribe.objects.filter(subscriber_id__in=[subscriber.pk, *absorbed])


def _find_presses(subscriber: Subscriber) -> QuerySet[ConsentEvent]:
    kinds = (ConsentEvent.Kind.LEFT, ConsentEvent.Kind.LEFT_ALL)
    return ConsentEvent.objects.filter(subscriber=subscriber, kind__in=kinds)


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
        import_batch_id=ended.import_batch_id,
    )
    record_consent_event(
        ConsentEvent(
            kind=ConsentEvent.Kind.REQUESTED,
            subscriber=ended.subscriber,
            address_hash=bytes(ended.subscriber.address_hash),
            mailing_list=ended.mailing_list,
            at=now,
            wording=wording,
            source=Message("undo of an unsubscribe"),
            data={"basis": ended.basis},
        )
    )
