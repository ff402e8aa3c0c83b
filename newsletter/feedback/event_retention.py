"""Lets go of events that nobody will tell again. Their keys are kept as long as a provider may repeat them (W2)."""

from datetime import datetime, timedelta

from django.db.models import Q

from newsletter.feedback.apply import DELETABLE_KINDS
from newsletter.models import ProviderEvent
from newsletter.providers.base.webhooks.events import FeedbackKind

KEPT = timedelta(days=14)
TOKENS_KEPT = timedelta(days=2)
_ROWS_A_DELETE = 5000


def delete_old_events(*, now: datetime, limit: int = 100_000) -> int:
    """Delete applied events that came more than two weeks ago, the oldest first. Returns how many.

    What is kept for its token alone goes after two days: a signature older than one is refused anyway.
    """
    gone = 0
    while gone < limit:
        old = Q(received_at__lt=now - KEPT) | Q(received_at__lt=now - TOKENS_KEPT, kind__in=DELETABLE_KINDS)
        applied = ProviderEvent.objects.filter(old, applied_at__isnull=False)
        chosen = list(
            applied.exclude(kind=FeedbackKind.SUBSCRIPTION.value)
            .order_by("pk")
            .values_list("pk", flat=True)[:_ROWS_A_DELETE]
        )
        if not chosen:
            break
        ProviderEvent.objects.filter(pk__in=chosen).delete()
        gone += len(chosen)
    return gone


def list_topics_to_confirm() -> list[ProviderEvent]:
    """Amazon's questions whether a topic may report here; ``body["link"]`` is for a person to open, never for us (W3)."""
    return list(ProviderEvent.objects.filter(kind=FeedbackKind.SUBSCRIPTION.value).order_by("-received_at")[:20])
