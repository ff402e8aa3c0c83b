"""Find issues that are due and were not sent, as when the scheduler does not run."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from newsletter.issues.approval.publication_switches import make_switched_off_filter
from newsletter.models import Approval, Issue, Publication, Send

OVERDUE_AFTER = timedelta(minutes=10)


def find_overdue(*, now: datetime) -> QuerySet[Issue]:
    """Return issues that may be sent, were due ten minutes ago or more, and were not approved or released since."""
    late = now - OVERDUE_AFTER
    automatic = Q(
        state=Issue.State.DRAFT,
        publication__approval=Publication.ApprovalPolicy.AUTO,
        slot__isnull=False,
    )
    new_approval = Approval.objects.filter(issue=OuterRef("pk"), withdrawn_at__isnull=True, at__gt=late)
    live = Send.objects.filter(issue=OuterRef("pk")).exclude(state=Send.State.CANCELLED)
    return (
        Issue.objects.filter(Q(state=Issue.State.APPROVED) | automatic, held=False, due_at__lt=late)
        .filter(~Exists(new_approval), ~Exists(live))
        .exclude(make_switched_off_filter())
        .exclude(released_at__gt=late)
        .select_related("publication", "slot")
        .order_by("due_at", "pk")
    )
