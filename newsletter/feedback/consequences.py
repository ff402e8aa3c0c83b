"""The consequences of events for people: suppressions and unsubscribes. Events can never add anybody to a list."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from newsletter.common.messages import Message
from newsletter.models import Delivery, DeliveryException, Send
from newsletter.models.feedback import Bounce
from newsletter.sending.settling.delivered_bitmap import find_delivered
from subscribers.models import MailingList, Reason, Subscriber, Subscription
from subscribers.person_locks import lock_people
from subscribers.unsubscribing.suppression import suppress
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_all, unsubscribe_from_list

SOFT_IN_A_ROW = 3
SOFT_SPAN = timedelta(days=15)
_LOOK_BACK = 60
_NOT_ABOUT_ADDRESS = (Bounce.Class.BLOCK, Bounce.Class.SUPPRESSED)

_PastMail = tuple[str | None, datetime | None, bool]
"""The class of a mail's bounce and its time, None if it did not bounce; and whether the mail was reported as delivered."""


@dataclass(frozen=True)
class ProviderUnsubscribe:
    """Somebody who unsubscribed at the provider. ``send`` tells from which list; if it is None, that is unknown."""

    address_hash: bytes
    send: int | None
    at: datetime


@dataclass
class Consequences:
    """The consequences of a round of events, collected before they are applied.

    ``hard_bounces`` and ``complaints`` map an address hash to a note for staff; ``soft_bounces`` maps a subscriber id to an
    address hash.
    """

    hard_bounces: dict[bytes, str] = field(default_factory=dict)
    complaints: dict[bytes, str] = field(default_factory=dict)
    soft_bounces: dict[int, bytes] = field(default_factory=dict)
    unsubscribed: list[ProviderUnsubscribe] = field(default_factory=list)


def apply_consequences(consequences: Consequences, *, now: datetime) -> None:
    """Suppress people and end subscriptions. A repeat changes nothing."""
    _lock_people(consequences)
    for address_hash, note in sorted(consequences.complaints.items()):
        suppress(address_hash=address_hash, reason=Reason.COMPLAINT, now=now, note=note)
    for address_hash, note in sorted(consequences.hard_bounces.items()):
        suppress(address_hash=address_hash, reason=Reason.HARD, now=now, note=note)
    for address_hash in sorted(
        consequences.soft_bounces[person] for person in _find_soft_failing(consequences.soft_bounces)
    ):
        suppress(
            address_hash=address_hash,
            reason=Reason.SOFT_LIMIT,
            now=now,
            note=Message(
                "%(issues)s or more issues in a row could not be delivered, over %(days)s days or more",
                issues=SOFT_IN_A_ROW,
                days=SOFT_SPAN.days,
            ),
        )
    lists = _find_lists(request.send for request in consequences.unsubscribed if request.send is not None)
    for request in consequences.unsubscribed:
        _unsubscribe(request, mailing_list=lists.get(request.send) if request.send is not None else None, now=now)


def _lock_people(consequences: Consequences) -> None:
    """Lock all these people at once: `suppress` locks one after the other, in the order of the reports."""
    hashes = {
        *consequences.complaints,
        *consequences.hard_bounces,
        *consequences.soft_bounces.values(),
        *(request.address_hash for request in consequences.unsubscribed),
    }
    if hashes:
        lock_people(Subscriber.objects.filter(address_hash__in=hashes).only("pk"))


def find_known_hashes(hashes: Collection[bytes]) -> set[bytes]:
    """Return the hashes that belong to subscribers."""
    existing = Subscriber.objects.filter(address_hash__in=list(hashes)).values_list("address_hash", flat=True)
    return {bytes(address_hash) for address_hash in existing}


def _unsubscribe(request: ProviderUnsubscribe, *, mailing_list: MailingList | None, now: datetime) -> None:
    person = Subscriber.objects.filter(address_hash=request.address_hash).first()
    if person is None:
        suppress(address_hash=request.address_hash, reason=Reason.UNSUBSCRIBE, now=now, mailing_list=mailing_list)
        return
    if mailing_list is None:
        unsubscribe_from_all(subscriber=person, now=now, source=Message("the provider’s own unsubscribe"))
        return
    newer = Subscription.objects.filter(subscriber=person, mailing_list=mailing_list, requested_at__gt=request.at)
    if not newer.open().exists():
        unsubscribe_from_list(
            subscriber=person, mailing_list=mailing_list, now=now, source=Message("the provider’s own unsubscribe")
        )


def _find_lists(sends: Iterable[int]) -> dict[int, MailingList]:
    rows = Send.objects.filter(pk__in=set(sends)).select_related("issue__publication__mailing_list")
    return {send.pk: send.issue.publication.mailing_list for send in rows}


def _find_soft_failing(subscribers: Collection[int]) -> set[int]:
    """Return the subscribers with enough soft bounces in a row, over enough days."""
    if not subscribers:
        return set()
    history: dict[int, list[tuple[int, int, str | None, datetime | None]]] = {}
    rows = (
        Delivery.objects.filter(subscriber_id__in=list(subscribers), proof=False)
        .exclude(exception__state__in=[DeliveryException.State.SKIPPED, DeliveryException.State.REJECTED])
        .order_by("subscriber_id", "-pk")
        .values_list("subscriber_id", "pk", "batch__send_id", "bounce__bounce_class", "bounce__at")
    )
    for subscriber, delivery, send, bounce_class, at in rows:
        newest = history.setdefault(subscriber, [])
        if len(newest) < _LOOK_BACK:
            newest.append((delivery, send, bounce_class, at))
    delivered = find_delivered({pk: send for past in history.values() for pk, send, _, _ in past})
    return {
        subscriber
        for subscriber, past in history.items()
        if _has_failed_in_a_row((bounce_class, at, pk in delivered) for pk, _, bounce_class, at in past)
    }


def _has_failed_in_a_row(past: Iterable[_PastMail]) -> bool:
    """Return True if the newest SOFT_IN_A_ROW reports are soft bounces over at least SOFT_SPAN.

    Ignore mails refused because of the sender, those that the provider did not try to send, and the newest while they have
    no report. An older mail without a report arrived.
    """
    failed: list[datetime] = []
    for bounce_class, at, delivered in past:
        if bounce_class == Bounce.Class.SOFT and at is not None:
            failed.append(at)
        elif bounce_class in _NOT_ABOUT_ADDRESS or (not delivered and bounce_class is None and not failed):
            continue
        else:
            break
    return len(failed) >= SOFT_IN_A_ROW and max(failed) - min(failed) >= SOFT_SPAN
