"""Sign up for a list, and confirm it. Pages must not reveal the results: they would tell strangers who is on a list."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from newsletter.common.messages import Message
from newsletter.common.text import clean_line
from subscribers.addresses.normalise import normalise
from subscribers.confirmation_quota import reset_confirmation_quota
from subscribers.consent.confirmations import queue_confirmation
from subscribers.consent_events import end_rest, record_consent_event
from subscribers.identity import identify, require_own_key
from subscribers.links.signed_links import LinkTarget
from subscribers.models import (
    Basis,
    ConsentEvent,
    FormerIdentity,
    MailingList,
    StayQuestion,
    Subscriber,
    SubscriberLocation,
    Subscription,
    Topic,
)
from subscribers.models.subscriptions import CHANGED_BY_CONFIRMING
from subscribers.person_locks import lock_people
from subscribers.unsubscribing.suppression import is_signup_blocked, is_suppressed, remove_own_suppressions


class SignupResult(StrEnum):
    """The result of a request, for staff and logs. The person always reads the same text."""

    JOINED = "joined"
    ASKED = Message("asked to confirm")
    WAITING = Message("already asked to confirm")
    KNOWN = Message("already on the list")
    BLOCKED = Message("must not be mailed")


class ConfirmationResult(StrEnum):
    """The effect of a confirmation link."""

    NOW = Message("confirmed now")
    BEFORE = Message("confirmed before")
    GONE = Message("the request is no longer open")


@dataclass(frozen=True)
class SignupRequest:
    """A request for a list, as somebody typed it. `wording` is the text that the person read, `source` where they read it."""

    email: str
    mailing_list: MailingList
    wording: str
    source: str
    name: str = ""
    language: str = ""
    place: SubscriberLocation | None = None
    topics: Iterable[Topic] = ()


@transaction.atomic
def request_subscription(request: SignupRequest, *, now: datetime, must_confirm: bool = False) -> SignupResult:
    """Request a list for an address.

    The request waits for a confirmation by mail in any of these cases: the list uses double opt-in, the address
    unsubscribed before, its consent is only implied, the person rests, or `must_confirm` is set. Details of a person whom
    we already mail do not change, because anyone can type an address.

    Raises:
        BadAddress: The address cannot be mailed.
        OtherAddressKey: Nothing was changed.
    """
    require_own_key()
    mailing_list = request.mailing_list
    address = normalise(request.email)
    address_hash = identify(address)
    if is_signup_blocked(address_hash=address_hash, mailing_list=mailing_list):
        return SignupResult.BLOCKED
    subscriber = _get_or_create_subscriber(request, address=address, address_hash=address_hash, now=now)
    current = Subscription.objects.filter(subscriber=subscriber, mailing_list=mailing_list).open()
    needs_proof = _needs_proof(subscriber, current, address_hash=address_hash, mailing_list=mailing_list)
    if not needs_proof and current.mailable().exists():
        return SignupResult.KNOWN
    must_confirm = must_confirm or mailing_list.double_opt_in or needs_proof
    opened = _open_subscription(request, subscriber=subscriber, must_confirm=must_confirm, now=now)
    queued = must_confirm and queue_confirmation(subscriber=subscriber, mailing_list=mailing_list, now=now)
    if opened or queued:
        record_consent_event(
            ConsentEvent(
                kind=ConsentEvent.Kind.REQUESTED,
                subscriber=subscriber,
                address_hash=address_hash,
                mailing_list=mailing_list,
                at=now,
                wording=request.wording,
                source=request.source,
            )
        )
    if not must_confirm:
        return SignupResult.JOINED
    return SignupResult.ASKED if queued else SignupResult.WAITING


def _needs_proof(
    subscriber: Subscriber, current: QuerySet[Subscription], *, address_hash: bytes, mailing_list: MailingList
) -> bool:
    """Return True if only the owner of the mailbox may ask: they unsubscribed, rest, or their consent is only implied."""
    return (
        is_suppressed(address_hash=address_hash, mailing_list=mailing_list)
        or current.filter(basis=Basis.CASL_IMPLIED).exists()
        or StayQuestion.objects.resting().filter(subscriber=subscriber).exists()
    )


@transaction.atomic
def confirm_subscription(
    *, target: LinkTarget, now: datetime, wording: str = "", source: str = ""
) -> ConfirmationResult:
    """Confirm the subscription that a confirmation link names, and remove the person's own suppressions of its mail."""
    lock_people(_find_by_link(target))
    subscription = (
        Subscription.objects.filter(subscriber__in=_find_by_link(target), mailing_list__public_id=target.public_id)
        .open()
        .select_related("subscriber", "mailing_list")
        .first()
    )
    if subscription is None:
        return ConfirmationResult.GONE
    subscriber, mailing_list = subscription.subscriber, subscription.mailing_list
    address_hash = bytes(subscriber.address_hash)
    rested = end_rest(subscriber, now=now)
    confirmed = _confirm(subscription, now=now)
    removed = remove_own_suppressions(address_hash=address_hash, mailing_list=mailing_list, now=now)
    if not confirmed and not removed:
        return ConfirmationResult.NOW if rested else ConfirmationResult.BEFORE
    record_consent_event(
        ConsentEvent(
            kind=ConsentEvent.Kind.CONFIRMED,
            subscriber=subscriber,
            address_hash=address_hash,
            mailing_list=mailing_list,
            at=now,
            wording=wording,
            source=source,
            data={"suppressions_lifted": removed},
        )
    )
    reset_confirmation_quota(subscriber.email)
    _queue_one_other_confirmation(subscriber=subscriber, now=now)
    return ConfirmationResult.NOW


def _confirm(subscription: Subscription, *, now: datetime) -> bool:
    """Return False if it was confirmed before or needs no confirmation."""
    unproven = Subscription.objects.filter(CHANGED_BY_CONFIRMING, pk=subscription.pk).open()
    return unproven.update(confirmed_at=now, basis=Basis.DOUBLE_OPT_IN, expires_at=None) > 0


def _find_by_link(target: LinkTarget) -> QuerySet[Subscriber]:
    """Return the person of a link, also if they were merged into another since it was mailed."""
    former = FormerIdentity.objects.filter(uuid=target.subscriber_uuid).values("subscriber")
    return Subscriber.objects.filter(Q(uuid=target.subscriber_uuid) | Q(pk__in=former))


def _get_or_create_subscriber(
    request: SignupRequest, *, address: str, address_hash: bytes, now: datetime
) -> Subscriber:
    """Return the subscriber of an address, locked until this transaction ends.

    Without the lock, an erasure, a merge or the undo of an import could delete the row at this moment.
    """
    details: dict[str, str | SubscriberLocation | None] = {
        "name": clean_line(request.name),
        "language": request.language,
        "place": request.place,
    }
    subscriber, created = None, False
    while subscriber is None:
        person, created = Subscriber.objects.get_or_create(
            address_hash=address_hash,
            defaults={"email": address, "source": request.source[:120], "created_at": now, **details},
        )
        same = Subscriber.objects.filter(pk=person.pk, address_hash=address_hash)
        subscriber = person if created else next(iter(lock_people(same)), None)
    if not created and Subscription.objects.filter(subscriber=subscriber).mailable().exists():
        return subscriber
    missing = {field: value for field, value in details.items() if value and not getattr(subscriber, field)}
    if missing:
        for field, value in missing.items():
            setattr(subscriber, field, value)
        subscriber.save(update_fields=missing)
    subscriber.topics.add(*request.topics)
    return subscriber


def _open_subscription(request: SignupRequest, *, subscriber: Subscriber, must_confirm: bool, now: datetime) -> bool:
    """Open a subscription. Return False if one is already open."""
    if Subscription.objects.filter(subscriber=subscriber, mailing_list=request.mailing_list).open().exists():
        return False
    try:
        with transaction.atomic():
            Subscription.objects.create(
                subscriber=subscriber,
                mailing_list=request.mailing_list,
                basis=Basis.DOUBLE_OPT_IN if must_confirm else Basis.CONSENT,
                evidence=request.wording,
                requested_at=now,
            )
    except IntegrityError:
        return False
    return True


def _queue_one_other_confirmation(*, subscriber: Subscriber, now: datetime) -> None:
    """Queue one confirmation that the limit held back: the owner of the address has now proven it."""
    waiting = Subscription.objects.filter(subscriber=subscriber, basis=Basis.DOUBLE_OPT_IN, confirmed_at__isnull=True)
    for subscription in waiting.open().select_related("mailing_list").order_by("requested_at")[:1]:
        queue_confirmation(subscriber=subscriber, mailing_list=subscription.mailing_list, now=now)
