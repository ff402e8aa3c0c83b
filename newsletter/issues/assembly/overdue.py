"""Issues that may go out, whose time came, and that nothing began: what a scheduler that stands still leaves behind."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from newsletter.issues.approval.publication_switches import make_switched_off_filter
from newsletter.models import Approval, Issue, Publication, Send

OVERDUE_AFTER = timedelta(minutes=10)


def find_overdue(*, now: datetime) -> QuerySet[Issue]:
    """Return issues that may go out, were due ten minutes ago or more, and were neither approved nor released since."""
    late = now - OVERDUE_AFTER
    by_itself = Q(
        state=Issue.State.DRAFT,
        publication__approval=Publication.ApprovalPolicy.AUTO,
    ) & ~Q(kind=Issue.Kind.CORRECTION)
    new_approval = Approval.objects.filter(issue=OuterRef("pk"), withdrawn_at__isnull=True, at__gt=late)
    live = Send.objects.filter(issue=OuterRef("pk")).exclude(state=Send.State.CANCELLED)
    return (
        Issue.objects.filter(Q(state=Issue.State.APPROVED) | by_itself, held=False, slot__due_at__lt=late)
        .filter(~Exists(new_approval), ~Exists(live))
        .exclude(make_switched_off_filter())
        .exclude(released_at__gt=late)
        .select_related("publication", "slot")
        .order_by("slot__due_at", "pk")
    )
