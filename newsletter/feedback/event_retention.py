"""Delete old events. Their keys are kept for as long as a provider may repeat them."""

from datetime import datetime, timedelta

from django.db.models import Q

from newsletter.feedback.apply import DELETABLE_KINDS
from newsletter.models import ProviderEvent
from newsletter.providers.base.webhooks.events import FeedbackKind

RETENTION = timedelta(days=14)
TOKENS_KEPT = timedelta(days=2)
_ROWS_A_DELETE, _MAX_ROWS = 5_000, 100_000


def delete_old_events(*, now: datetime) -> int:
    """Delete events that were applied and are older than two weeks, the oldest first. Return how many.

    Events that are kept only for their token are deleted after two days: an older signature is refused anyway.
    """
    deleted = 0
    while deleted < _MAX_ROWS:
        old = Q(received_at__lt=now - RETENTION) | Q(received_at__lt=now - TOKENS_KEPT, kind__in=DELETABLE_KINDS)
        applied = ProviderEvent.objects.filter(old, applied_at__isnull=False)
        chosen = list(
            applied.exclude(kind=FeedbackKind.SUBSCRIPTION.value)
            .order_by("pk")
            .values_list("pk", flat=True)[:_ROWS_A_DELETE]
        )
        if not chosen:
            break
        ProviderEvent.objects.filter(pk__in=chosen).delete()
        deleted += len(chosen)
    return deleted
