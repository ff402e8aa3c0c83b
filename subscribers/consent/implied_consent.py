"""Implied consent (CASL) ends on a date. List the subscriptions that end soon, and end those that are over."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from newsletter.common.messages import Message
from subscribers.consent_events import record_consent_events
from subscribers.models import Confirmation, ConsentEvent, EndReason, Subscriber, Subscription
from subscribers.person_locks import lock_people

EXPIRY_NOTICE_PERIOD = timedelta(days=60)
BATCH_SIZE = 500
MAX_BATCHES = 100
PENDING_REQUEST_PERIOD = timedelta(days=7)


def list_expiring_subscriptions(*, now: datetime) -> QuerySet[Subscription]:
    """Return the open subscriptions whose implied consent ends within 60 days, the earliest first."""
    soon = Subscription.objects.open().filter(expires_at__gt=now, expires_at__lte=now + EXPIRY_NOTICE_PERIOD)
    return soon.select_related("subscriber", "mailing_list").order_by("expires_at", "pk")


def end_lapsed_subscriptions(*, now: datetime) -> int:
    """End the subscriptions whose implied consent has ended. Return how many.

    People with a pending confirmation mail stay until it expires.
    """
    ended = 0
    for _ in range(MAX_BATCHES):
        count, ended_of_found = _end_batch(now)
        ended += ended_of_found
        if count < BATCH_SIZE:
            break
    return ended


@transaction.atomic
def _end_batch(now: datetime) -> tuple[int, int]:
    """End up to `BATCH_SIZE` of them and record each. Return how many were found, and how many of those ended.

    A person may act between the two, and then keeps the subscription.
    """
    requests = Confirmation.objects.filter(
        subscriber=OuterRef("subscriber"),
        mailing_list=OuterRef("mailing_list"),
        requested_at__gte=now - PENDING_REQUEST_PERIOD,
    )
    over = Subscription.objects.open().filter(~Exists(requests), expires_at__lte=now).select_related("subscriber")
    lapsed = list(over.order_by("expires_at", "pk").values_list("pk", "subscriber_id")[:BATCH_SIZE])
    lock_people(Subscriber.objects.filter(pk__in=[person for _, person in lapsed]))
    rows = list(over.select_for_update(of=("self",)).filter(pk__in=[pk for pk, _ in lapsed]))
    ended = Subscription.objects.open().filter(pk__in=[row.pk for row in rows])
    ended.update(ended_at=now, end_reason=EndReason.LAPSED)
    record_consent_events(
        ConsentEvent(
            subscriber_id=row.subscriber_id,
            address_hash=row.subscriber.address_hash,
            mailing_list_id=row.mailing_list_id,
            kind=ConsentEvent.Kind.ENDED,
            at=now,
            source=Message("implied consent ran out"),
            by=Message("the system"),
        )
        for row in rows
    )
    return len(lapsed), len(rows)
