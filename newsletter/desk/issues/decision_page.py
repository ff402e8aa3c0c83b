"""The page to which the mail about a new issue leads: what it says, what changed since, and the decision.

Looking changes nothing; deciding is a POST to `issue_steps`.
"""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from newsletter.common.errors import BadLink
from newsletter.common.translation import translate
from newsletter.desk.editor.check_panel import checks_context
from newsletter.desk.editor.preview import MAX_MODES
from newsletter.desk.issues.approval import approval_context
from newsletter.desk.issues.overview import ISSUES, IssuePermissionMixin, describe_time_left
from newsletter.desk.publications.slot_text import format_slot
from newsletter.desk.sends.progress import describe_allowlist, describe_hold, find_send
from newsletter.desk.shell.labels import label_issue_state
from newsletter.issues.approval.approve import OPEN_STATES
from newsletter.issues.approval.changes_since_approval import find_changes
from newsletter.issues.approval.decision_links import read_decision
from newsletter.models import Issue


def decision_context(issue: Issue, *, user: Any) -> dict[str, Any]:
    """Everything that the part of a page needs on which one decides."""
    checks = checks_context(issue, limit=MAX_MODES)
    return {
        "issue": issue,
        "state": label_issue_state(issue),
        "open": issue.state in (*OPEN_STATES, Issue.State.APPROVED),
        "due": format_slot(issue),
        "left": describe_time_left(issue, now=timezone.now()),
        "past": issue.slot is not None and issue.slot.due_at <= timezone.now(),
        "can_approve": user.has_perm("newsletter.approve_issue"),
        "can_edit": user.has_perm("newsletter.change_issue"),
        "can_send": user.has_perm("newsletter.send_issue"),
        "send": find_send(issue),
        "hold": describe_hold(),
        "reach": describe_allowlist(),
        **checks,
        **approval_context(issue, user=user, sha256=checks.get("sha256", "")),
    }


class DecisionPage(IssuePermissionMixin, WagtailAdminTemplateMixin, TemplateView):
    """The page behind the link in the mail: what was announced, what changed since, and the two buttons."""

    template_name = "desk/decide_page.html"
    header_icon = "mail"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            self.decision = read_decision(kwargs["token"], person=request.user.pk or 0, now=timezone.now())
        except BadLink as error:
            messages.error(request, translate(error))
            return redirect("wagtailadmin_home")
        found = ISSUES.filter(public_id=self.decision.issue).first()
        if found is None:
            messages.error(request, _("The issue of this link is not there any more."))
            return redirect("wagtailadmin_home")
        self.issue: Issue = found
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        response["Referrer-Policy"] = "no-referrer"
        response["Cache-Control"] = "no-store"
        return response

    def get_page_title(self) -> str:
        return str(self.issue)

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": _("Home")},
            {"url": reverse("newsletter_issue_overview", args=[self.issue.pk]), "label": str(self.issue)},
            {"url": "", "label": _("Approve or hold")},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        decision = decision_context(self.issue, user=self.request.user)
        changed = not decision.get("sha256", "").startswith(self.decision.sha256)
        return {
            **context,
            **decision,
            "changed": changed,
            "changes": [translate(one) for one in find_changes(self.issue)] if changed else [],
        }
