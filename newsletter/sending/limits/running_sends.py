"""The sends whose batches may be claimed now."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from newsletter.issues.approval.publication_switches import make_switched_off_filter
from newsletter.models import Installation, Issue, ProtectedTerm, Publication, Send


def find_running_sends(*, now: datetime) -> QuerySet[Send]:
    """Return the sends whose batches may be claimed now: those that may send mail, except those that wait for a canary."""
    stops = Issue.objects.filter(pk=OuterRef("issue"), publication__canary=Publication.Canary.STOP).order_by()
    uses = Issue.objects.filter(pk=OuterRef("issue")).exclude(publication__canary=Publication.Canary.OFF).order_by()
    undecided, watched = Send.CanaryDecision.NONE, Send.CanaryDecision.WATCHED
    return find_open_sends(now=now).exclude(
        Q(canary_decision=undecided) & Exists(uses) | Q(canary_decision=watched) & Exists(stops), period=""
    )


def find_open_sends(*, now: datetime) -> QuerySet[Send]:
    """Return the sends that are submitting and may send mail now, also those that wait for a canary."""
    open_now = Q(not_before__isnull=True) | Q(not_before__lte=now)
    return find_unhindered_sends().filter(open_now, state=Send.State.SUBMITTING)


def find_unhindered_sends() -> QuerySet[Send]:
    """Return the sends, in any state, whose mails nothing stops.

    Their publication is switched on, and this installation is not held. After a protected term is added, no send
    continues until its mails have been searched for the term.
    """
    held = Installation.objects.filter(held=True)
    newer_term = ProtectedTerm.objects.filter(pk__gt=OuterRef("newest_term_searched")).order_by()
    switched_off = Issue.objects.filter(make_switched_off_filter(), pk=OuterRef("issue")).order_by()
    return Send.objects.filter(~Exists(held), ~Exists(newer_term), ~Exists(switched_off))
