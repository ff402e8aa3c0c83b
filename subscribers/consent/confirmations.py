"""The queue of confirmation mails. `newsletter.jobs.confirmation_mails` sends the due mails."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from subscribers.confirmation_quota import CONFIRMATION_INTERVAL, delete_unsent_requests, use_confirmation_quota
from subscribers.links.signed_links import LIFETIMES, Purpose, make_link
from subscribers.models import Confirmation, MailingList, StayQuestion, Subscriber, Subscription, Suppression
from subscribers.models.subscriptions import CHANGED_BY_CONFIRMING
from subscribers.unsubscribing.suppression import REASONS_REMOVED_BY_CONFIRMING

MAX_UNCONFIRMED_REQUESTS = 3
_LIFETIME = LIFETIMES[Purpose.CONFIRM] or timedelta.max


def queue_confirmation(*, subscriber: Subscriber, mailing_list: MailingList, now: datetime) -> bool:
    """Queue a confirmation mail. Return False if this mailbox has had as many as it may get.

    A mailbox gets at most one in 24 hours, and three until it confirms. All spellings of a mailbox share the limit.
    Requests that were never mailed leave it when they expire.
    """
    forget_unsent_requests([subscriber.pk], now=now)
    requests = Confirmation.objects.filter(subscriber=subscriber)
    confirmed = Subscription.objects.filter(subscriber=subscriber).aggregate(last=Max("confirmed_at"))["last"]
    if confirmed is not None:
        requests = requests.filter(requested_at__gt=confirmed)
    times = list(requests.order_by("-requested_at").values_list("requested_at", flat=True)[:MAX_UNCONFIRMED_REQUESTS])
    if len(times) >= MAX_UNCONFIRMED_REQUESTS or (times and now - times[0] < CONFIRMATION_INTERVAL):
        return False
    if Confirmation.objects.unsent().filter(subscriber=subscriber, mailing_list=mailing_list).exists():
        return False
    if not use_confirmation_quota(subscriber.email, now=now):
        return False
    _, created = Confirmation.objects.get_or_create(
        subscriber=subscriber, mailing_list=mailing_list, sent_at=None, defaults={"requested_at": now}
    )
    return created


def list_unsent_requests(*, now: datetime) -> QuerySet[Confirmation]:
    """Return the confirmations that were not sent in time and cannot be any more, by person."""
    expired = Confirmation.objects.filter(sent_at__isnull=True, requested_at__lte=now - _LIFETIME)
    return expired.order_by("subscriber", "pk")


def forget_unsent_requests(people: Collection[int], *, now: datetime) -> None:
    """Delete the confirmations of these people that were not sent in time. The caller has locked the people."""
    delete_unsent_requests(list_unsent_requests(now=now).filter(subscriber__in=people))


def list_due_confirmations(*, now: datetime) -> QuerySet[Confirmation]:
    """Return the confirmations to send now, oldest first: not expired, not suppressed, and confirming changes something.

    It does for a subscription that waits or has implied consent only, for a person who rests, and if the person unsubscribed.
    One that got no answer from the provider is sent again, unless the person asked again since.
    """
    opened = Subscription.objects.open().filter(
        subscriber=OuterRef("subscriber"), mailing_list=OuterRef("mailing_list")
    )
    unproven = opened.filter(CHANGED_BY_CONFIRMING)
    resting = StayQuestion.objects.resting().filter(subscriber=OuterRef("subscriber"))
    suppressed = Suppression.objects.covering(OuterRef("mailing_list")).filter(
        address_hash=OuterRef("subscriber__address_hash")
    )
    own_suppression = suppressed.filter(reason__in=REASONS_REMOVED_BY_CONFIRMING)
    blocked = suppressed.exclude(reason__in=REASONS_REMOVED_BY_CONFIRMING)
    newer = Confirmation.objects.filter(
        subscriber=OuterRef("subscriber"), mailing_list=OuterRef("mailing_list"), pk__gt=OuterRef("pk")
    )
    return (
        Confirmation.objects.filter(Confirmation.due_by(now), Q(sent_at__isnull=True) | ~Exists(newer))
        .filter(Exists(opened), Exists(unproven) | Exists(resting) | Exists(own_suppression), ~Exists(blocked))
        .filter(requested_at__gt=now - _LIFETIME)
        .select_related("subscriber", "mailing_list")
        .order_by("requested_at", "pk")
    )


def make_confirmation_url(*, confirmation: Confirmation, now: datetime) -> str:
    """Return the link for the mail. It is valid for seven days from `now`."""
    return make_link(
        purpose=Purpose.CONFIRM,
        subscriber_uuid=confirmation.subscriber.uuid,
        public_id=confirmation.mailing_list.public_id,
        now=now,
    )
