"""Delete confirmations that were never mailed, and give back what they used of their mailboxes' quotas."""

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from subscribers.consent.throttle import give_back_confirmation_quota
from subscribers.models import Confirmation, Subscription


@transaction.atomic(savepoint=False)
def delete_unsent_requests(requests: QuerySet[Confirmation]) -> None:
    """Delete those of these confirmations that nobody claimed to send. Their mailboxes may get as many others.

    The caller has locked the people. A confirmation before counts as a whole quota, so an earlier request adds nothing.
    """
    confirmed = Subscription.objects.filter(
        subscriber=OuterRef("subscriber"), confirmed_at__gte=OuterRef("requested_at")
    )
    unsent = requests.filter(sent_at__isnull=True).order_by("subscriber", "pk").annotate(was_reset=Exists(confirmed))
    rows = list(unsent.select_related("subscriber").select_for_update(of=("self",)))
    if not rows:
        return
    Confirmation.objects.filter(pk__in=[row.pk for row in rows]).delete()
    for row in rows:
        if not row.was_reset:
            give_back_confirmation_quota(row.subscriber.email, used_at=row.requested_at)
