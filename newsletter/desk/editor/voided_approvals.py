"""Withdraws approvals that an edit made stale, and warns the person who edited."""

from datetime import datetime

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.issues.approval.approve import find_current_approval, void_changed_approvals, withdraw_approvals
from newsletter.issues.assembly.drafted_texts import update_drafted_texts
from newsletter.models import Issue


class VoidApprovalsMixin:
    """For edit views of content that issues show: a story, an event, an appeal, a brand, a publication."""

    request: HttpRequest

    def form_valid(self, form: object) -> HttpResponse:
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
            update_drafted_texts(now=timezone.now())
            voided = void_changed_approvals(now=timezone.now())
        warn_about_voided(self.request, [issue for issue, _changes in voided])
        return response


def void_if_stale(*, issue: Issue, now: datetime) -> bool:
    """Withdraw the issue's approvals if its content or audience changed. Return True if any were withdrawn."""
    approvals = issue.approvals.filter(withdrawn_at__isnull=True)
    if not approvals.exists() or find_current_approval(issue) is not None:
        return False
    withdraw_approvals(issue=issue, now=now)
    return True


def warn_about_voided(request: HttpRequest, issues: list[Issue]) -> None:
    for issue in issues:
        messages.warning(
            request,
            _("%(issue)s shows this and was approved. It is a draft again: review and approve it again.")
            % {"issue": issue},
        )
