"""The button “Withdraw the approval and edit”, and the log of approvals that an edit withdrew."""

from collections.abc import Iterable

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from wagtail.log_actions import log

from newsletter.common.staff_pages import Done, ServiceAction
from newsletter.desk.issues.issue_page import ISSUES
from newsletter.issues.planning.withdraw_to_edit import withdraw_to_edit
from newsletter.models import Issue


@require_POST
def withdraw_and_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw the approvals and open the editor. If that is refused, the editor stays locked and says why."""
    issue = get_object_or_404(ISSUES, pk=pk)

    def call() -> Done:
        withdrawn = withdraw_to_edit(issue=issue, by=request.user, now=timezone.now())
        message = _("The approval is withdrawn. You can edit the issue now.") if withdrawn else ""
        return Done(message, {"to_edit": True, "approvals": [approval.pk for approval in withdrawn]})

    action = ServiceAction(call=call, instance=issue, log_action="newsletter.withdraw")
    return action.respond(request, back=reverse("wagtailsnippets_newsletter_issue:edit", args=[pk]))


def report_withdrawn(request: HttpRequest, issues: Iterable[Issue], *, changed: Model) -> None:
    """Log that an edit of the row withdrew the approvals of these issues, and tell the person who edited."""
    for issue in issues:
        data = {"changed": f"{changed._meta.label_lower} {changed.pk}"}
        log(instance=issue, action="newsletter.withdraw", user=request.user, data=data)
        messages.warning(
            request,
            _("%(issue)s shows this and was approved. It is a draft again: review and approve it again.")
            % {"issue": issue},
        )
