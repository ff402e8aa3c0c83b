"""Delete people and counters when their retention ends. Suppressions, keyed hashes and the consent log stay.

The periods are promises to readers: if you change one, change docs/reference/privacy.md too.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from newsletter.common.database.sqlite_pragmas import larger_sqlite_cache
from newsletter.common.messages import Message
from subscribers.confirmation_quota import CONFIRMATION_QUOTA_RETENTION
from subscribers.consent.confirmations import forget_unsent_requests, list_unsent_requests
from subscribers.consent.implied_consent import end_lapsed_subscriptions
from subscribers.exporting.export_requests import delete_old_exports
from subscribers.importing.writing.bulk_removal import delete_people, record_events
from subscribers.models import (
    Basis,
    Confirmation,
    ConfirmationQuota,
    ConsentEvent,
    EndReason,
    HeldSignup,
    MailedLink,
    RateCounter,
    SpentProof,
    Subscriber,
    Subscription,
)
from subscribers.outbound_events import record_erasures
from subscribers.people.mailed_links import forget_unsent_links
from subscribers.person_locks import lock_ids_to_delete, lock_people

UNCONFIRMED_RETENTION = timedelta(days=7)
UNSUBSCRIBED_RETENTION = timedelta(days=28)
HELD_SIGNUP_RETENTION = timedelta(days=7)
MAILED_LINK_RETENTION = timedelta(days=7)
COUNTER_RETENTION = timedelta(days=2)
BATCH_SIZE = 500
MAX_PEOPLE = 20_000
"""How many people of each kind one round deletes. The job runs every hour."""
CACHE_MB = 16
_FINAL_END_REASONS = (
    EndReason.UNSUBSCRIBE,
    EndReason.COMPLAINT,
    EndReason.IMPORT_UNDONE,
    EndReason.EXPIRED,
    EndReason.MERGED,
    EndReason.LAPSED,
)


@dataclass(frozen=True)
class PurgeCounts:
    """The number of people and requests deleted in this round. The next round takes the rest."""

    unconfirmed: int
    requests: int
    left: int


def purge_expired_data(*, now: datetime) -> PurgeCounts:
    """Run one round: people who never confirmed, people who left long ago, and rows kept only for a time."""
    HeldSignup.objects.filter(at__lt=now - HELD_SIGNUP_RETENTION).delete()
    _forget_unsent_links(now)
    MailedLink.objects.filter(asked_at__lt=now - MAILED_LINK_RETENTION).delete()
    RateCounter.objects.filter(starts_at__lt=now - COUNTER_RETENTION).delete()
    SpentProof.objects.filter(expires_at__lt=now).delete()
    ConfirmationQuota.objects.filter(last_requested_at__lt=now - CONFIRMATION_QUOTA_RETENTION).delete()
    delete_old_exports(now=now)
    _forget_unsent_requests(now)
    unconfirmed = _delete_people(_list_never_confirmed(now), reason=Message("never confirmed"), now=now)
    requests = _end_old_requests(now)
    end_lapsed_subscriptions(now=now)
    return PurgeCounts(
        unconfirmed=unconfirmed,
        requests=requests,
        left=_delete_people(_list_unsubscribed_long_ago(now), reason=Message("unsubscribed 28 days ago"), now=now),
    )


def _forget_unsent_links(now: datetime) -> None:
    """Forget links to confirm a new address that were not sent in time, oldest first: of up to `MAX_PEOPLE`, in batches."""
    unsent = MailedLink.objects.unsent().filter(
        kind=MailedLink.Kind.CONFIRM_ADDRESS, asked_at__lte=now - MailedLink.MAX_SENDING_DELAY
    )
    for _ in range(0, MAX_PEOPLE, BATCH_SIZE):
        with transaction.atomic():
            batch = list(unsent.values_list("subscriber", flat=True)[:BATCH_SIZE])
            lock_people(Subscriber.objects.filter(pk__in=batch))
            forget_unsent_links(unsent.filter(subscriber__in=batch), now=now)
        if len(batch) < BATCH_SIZE:
            break


def _forget_unsent_requests(now: datetime) -> None:
    """Forget confirmations that were not sent in time, before the people are deleted: of up to `MAX_PEOPLE`, in batches."""
    for _ in range(0, MAX_PEOPLE, BATCH_SIZE):
        with transaction.atomic():
            people = list_unsent_requests(now=now).values_list("subscriber", flat=True).distinct()
            batch = list(people.order_by("subscriber")[:BATCH_SIZE])
            lock_people(Subscriber.objects.filter(pk__in=batch))
            forget_unsent_requests(batch, now=now)
        if len(batch) < BATCH_SIZE:
            break


def _list_never_confirmed(now: datetime) -> QuerySet[Subscriber]:
    """Return people who have only unconfirmed requests, the last one more than seven days ago."""
    waiting = Q(basis=Basis.DOUBLE_OPT_IN, confirmed_at__isnull=True)
    old = Subscription.objects.filter(waiting, subscriber=OuterRef("pk"), requested_at__lt=now - UNCONFIRMED_RETENTION)
    other_subscription = Subscription.objects.filter(subscriber=OuterRef("pk")).exclude(
        waiting & Q(requested_at__lt=now - UNCONFIRMED_RETENTION)
    )
    requests = Confirmation.objects.filter(subscriber=OuterRef("pk"), requested_at__gte=now - UNCONFIRMED_RETENTION)
    return Subscriber.objects.filter(Exists(old), ~Exists(other_subscription), ~Exists(requests))


def _list_unsubscribed_long_ago(now: datetime) -> QuerySet[Subscriber]:
    """Return people all of whose subscriptions ended, the last one more than 28 days ago."""
    left = Subscription.objects.filter(
        subscriber=OuterRef("pk"),
        ended_at__lt=now - UNSUBSCRIBED_RETENTION,
        end_reason__in=[EndReason.UNSUBSCRIBE, EndReason.COMPLAINT, EndReason.IMPORT_UNDONE, EndReason.LAPSED],
    )
    other_subscription = Subscription.objects.filter(subscriber=OuterRef("pk")).exclude(
        ended_at__lt=now - UNSUBSCRIBED_RETENTION, end_reason__in=_FINAL_END_REASONS
    )
    return Subscriber.objects.filter(Exists(left), ~Exists(other_subscription))


def _end_old_requests(now: datetime) -> int:
    """End requests that were never confirmed, of people who have other subscriptions: up to `MAX_PEOPLE`, in batches."""
    ended = 0
    for _ in range(0, MAX_PEOPLE, BATCH_SIZE):
        count, ended_of_found = _end_batch_of_requests(now)
        ended += ended_of_found
        if count < BATCH_SIZE:
            break
    return ended


@transaction.atomic
def _end_batch_of_requests(now: datetime) -> tuple[int, int]:
    """End up to `BATCH_SIZE` of them. Return how many were found, and how many of those ended."""
    old = Subscription.objects.filter(
        basis=Basis.DOUBLE_OPT_IN, confirmed_at__isnull=True, requested_at__lt=now - UNCONFIRMED_RETENTION
    ).open()
    newer_requests = Confirmation.objects.filter(
        subscriber=OuterRef("subscriber"),
        mailing_list=OuterRef("mailing_list"),
        requested_at__gte=now - UNCONFIRMED_RETENTION,
    )
    old = old.filter(~Exists(newer_requests))
    requests = list(old.order_by("pk").values_list("pk", "subscriber_id")[:BATCH_SIZE])
    lock_people(Subscriber.objects.filter(pk__in=[person for _, person in requests]))
    ended = old.filter(pk__in=[pk for pk, _ in requests]).update(ended_at=now, end_reason=EndReason.EXPIRED)
    return len(requests), ended


def _delete_people(people: QuerySet[Subscriber], *, reason: str, now: datetime) -> int:
    """Delete up to `MAX_PEOPLE`. They are checked again under their lock, because they may just have confirmed."""
    ids = list(people.order_by("pk").values_list("pk", flat=True)[:MAX_PEOPLE])
    deleted = 0
    with larger_sqlite_cache(megabytes=CACHE_MB):
        for start in range(0, len(ids), BATCH_SIZE):
            with transaction.atomic():
                chosen = ids[start : start + BATCH_SIZE]
                lock_ids_to_delete(chosen)
                deletable = list(people.filter(pk__in=chosen).values_list("pk", flat=True))
                record_events(
                    deletable,
                    {
                        "kind": str(ConsentEvent.Kind.ERASED),
                        "at": now,
                        "source": Message("retention ended: %(reason)s", reason=reason),
                    },
                    named=False,
                )
                record_erasures(deletable, now=now)
                delete_people(deletable)
                deleted += len(deletable)
    return deleted
