"""What every editor of content does beside saving: void approvals that the edit made stale, and say so."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.issues.approval.approve import void_changed_approvals
from newsletter.models import Issue


class VoidApprovalsMixin:
    """Mixed into an edit view of something that issues show: a story, an event, an appeal, a brand, a publication."""

    request: HttpRequest

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
            voided = void_changed_approvals(now=timezone.now())
        warn_about_voided(self.request, [issue for issue, _changes in voided])
        return response


def warn_about_voided(request: HttpRequest, issues: list[Issue]) -> None:
    for issue in issues:
        messages.warning(
            request,
            _("%(issue)s shows this and had been approved. It is a draft again: look at it and approve it anew.")
            % {"issue": issue},
        )
