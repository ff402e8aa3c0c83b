"""Ask the people of one chunk to confirm that they want the list."""

from datetime import datetime

from django.db.backends.utils import CursorWrapper
from django.db.models import Exists, OuterRef, Q

from subscribers.confirmation_quota import use_confirmation_quotas
from subscribers.consent.confirmations import forget_unsent_requests, queue_confirmation
from subscribers.models import Confirmation, ImportBatch, Subscription

_UNCONFIRMED = """
SELECT line, subscriber_id, email, created FROM import_stage WHERE kind = 'join' AND suppressed_before IS NULL
AND subscriber_id IS NOT NULL AND (status_before IS NULL OR status_before IN ('waiting', 'own')) ORDER BY line
"""


def ask_to_confirm(cursor: CursorWrapper, batch: ImportBatch, *, now: datetime) -> list[int]:
    """Ask the people who have not been asked yet. Return the lines of those whose mailbox may not get another mail now.

    After a restart, that includes people whom an earlier run of the same import put on the list.
    """
    cursor.execute(_UNCONFIRMED)
    rows = cursor.fetchall()
    requested = _ask_new_people({pk: email for _, pk, email, created in rows if created}, batch, now=now)
    requested |= _ask_known_people([pk for _, pk, _, created in rows if not created], batch, now=now)
    return [line for line, pk, _, _ in rows if pk not in requested]


def _ask_new_people(addresses: dict[int, str], batch: ImportBatch, *, now: datetime) -> set[int]:
    """Ask the people whom this chunk created, with a few statements. Return whom."""
    allowed = use_confirmation_quotas(list(addresses.values()), now=now)
    requested = [pk for pk, email in addresses.items() if email in allowed]
    Confirmation.objects.bulk_create(
        Confirmation(subscriber_id=pk, mailing_list_id=batch.mailing_list_id, requested_at=now) for pk in requested
    )
    return set(requested)


def _ask_known_people(people: list[int], batch: ImportBatch, *, now: datetime) -> set[int]:
    """Ask those of the people who have no request. Return who has one then."""
    forget_unsent_requests(people, now=now)
    requests = Confirmation.objects.filter(
        Q(sent_at__isnull=True) | Q(requested_at__gte=OuterRef("requested_at")),
        subscriber=OuterRef("subscriber"),
        mailing_list=OuterRef("mailing_list"),
    )
    unasked = Subscription.objects.open().filter(
        ~Exists(requests), mailing_list=batch.mailing_list, subscriber__in=people, confirmed_at__isnull=True
    )
    refused = {
        subscription.subscriber_id
        for subscription in unasked.select_related("subscriber").order_by("subscriber")
        if not queue_confirmation(subscriber=subscription.subscriber, mailing_list=batch.mailing_list, now=now)
    }
    return set(people) - refused
