"""The sends whose batches may be claimed now."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from newsletter.issues.approval.publication_switches import make_switched_off_filter
from newsletter.models import Installation, Issue, ProtectedTerm, Send


def find_running_sends(*, now: datetime) -> QuerySet[Send]:
    """Return the sends whose batches may be claimed now.

    They are not paused or put off, their publication is switched on, and this installation is not held. After a
    protected term is added, no send continues until its mails have been searched for the term.
    """
    open_now = Q(not_before__isnull=True) | Q(not_before__lte=now)
    held = Installation.objects.filter(held=True)
    newer_term = ProtectedTerm.objects.filter(pk__gt=OuterRef("newest_term_searched")).order_by()
    switched_off = Issue.objects.filter(make_switched_off_filter(), pk=OuterRef("issue")).order_by()
    return Send.objects.filter(
        open_now, ~Exists(held), ~Exists(newer_term), ~Exists(switched_off), state=Send.State.SUBMITTING
    )
