"""The issue's own page beside its editor: what is in and why, checks, who gets what, approval, the receipt."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.generic import TemplateView, View
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin

from newsletter.common.errors import DomainError
from newsletter.common.translation import translate
from newsletter.desk.editor.check_panel import checks_context
from newsletter.desk.editor.preview import MAX_MODES, show_mail_part
from newsletter.desk.issues.approval import approval_context
from newsletter.desk.issues.proofs import proofs_context
from newsletter.desk.issues.recipient_counts import count_audience_for_page
from newsletter.desk.issues.variant_groups import find_issue_content
from newsletter.desk.preview.panel import show_or_explain
from newsletter.desk.publications.archive_text import find_archive_url
from newsletter.desk.publications.slot_text import format_slot
from newsletter.desk.sends.progress import describe_allowlist, describe_hold, find_send, send_context
from newsletter.desk.shell.labels import label_deliveries, label_exclusions, label_issue_state
from newsletter.desk.staff.policies import ISSUE_POLICY
from newsletter.issues.approval.approve import OPEN_STATES
from newsletter.issues.assembly.selection import Reason
from newsletter.issues.assembly.selection_reasons import explain_candidates
from newsletter.models import Issue, Send
from newsletter.sending.settling.receipt import make_receipt

ISSUES = Issue.objects.select_related("publication__brand", "publication__mailing_list", "publication__segment", "slot")


class IssuePermissionMixin(PermissionCheckedMixin):
    """Whoever may look at issues or edit them."""

    permission_policy = ISSUE_POLICY
    any_permission_required = ["view", "change", "approve", "send"]


class IssueOverview(IssuePermissionMixin, WagtailAdminTemplateMixin, TemplateView):
    template_name = "desk/issue_overview.html"
    header_icon = "mail"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        self.issue = get_object_or_404(ISSUES, pk=kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def get_page_title(self) -> str:
        return str(self.issue)

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": _("Home")},
            {"url": reverse("wagtailsnippets_newsletter_issue:list"), "label": _("Issues")},
            {"url": "", "label": str(self.issue)},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        issue = self.issue
        user: Any = self.request.user
        open_ = issue.state in (*OPEN_STATES, Issue.State.APPROVED)
        send = find_send(issue)
        context.update(
            {
                "issue": issue,
                "state": label_issue_state(issue),
                "open": open_,
                "due": format_slot(issue),
                "left": describe_time_left(issue, now=timezone.now()),
                "past": issue.slot is not None and issue.slot.due_at <= timezone.now(),
                "can_approve": user.has_perm("newsletter.approve_issue"),
                "can_edit": user.has_perm("newsletter.change_issue"),
                "edit_url": reverse("wagtailsnippets_newsletter_issue:edit", args=[issue.pk]),
                "history_url": reverse("wagtailsnippets_newsletter_issue:history", args=[issue.pk]),
                **reasons_context(issue, open_=open_, now=timezone.now()),
                "send": send,
                "archive_url": find_archive_url(issue, now=timezone.now()) if send else "",
                "hold": describe_hold(),
                "reach": describe_allowlist(),
                "can_send": user.has_perm("newsletter.send_issue"),
                **(send_context(send, now=timezone.now()) if send else {}),
                **(audience := audience_context(issue, send)),
                **(checks := checks_context(issue, limit=MAX_MODES)),
                **approval_context(issue, user=user, sha256=checks.get("sha256", ""), people=audience["recipients"]),
                **proofs_context(issue, user=user),
            }
        )
        return context


def reasons_context(issue: Issue, *, open_: bool, now: datetime) -> dict[str, Any]:
    """Why each thing is in or out: as the issue stands while it can change, as it was assembled afterwards."""
    kept = [Reason(**{"kind": "", "id": 0, "title": "", "chosen": False, "why": "", **one}) for one in issue.reasons]
    reasons = (explain_candidates(issue, now=now) if open_ and kept else []) or kept
    return {
        "reasons_in": [reason for reason in reasons if reason.chosen],
        "reasons_out": [reason for reason in reasons if not reason.chosen],
    }


def describe_time_left(issue: Issue, *, now: datetime) -> str:
    """Until the issue is due, in words; nothing where it has no slot."""
    if issue.slot is None:
        return ""
    minutes = int((issue.slot.due_at - now).total_seconds() // 60)
    if minutes < 0:
        return _("its time has passed")
    if minutes < 1:
        return _("in less than a minute")
    if minutes < 120:
        return ngettext("in %(minutes)s minute", "in %(minutes)s minutes", minutes) % {"minutes": minutes}
    if minutes < 48 * 60:
        return _("in %(value)s hours") % {"value": minutes // 60}
    return _("in %(value)s days") % {"value": minutes // (24 * 60)}


def audience_context(issue: Issue, send: Send | None) -> dict[str, Any]:
    """The audience as it is now, or as it was fixed for the send, with the receipt."""
    if send is None or send.state == Send.State.PREPARING:
        count = count_audience_for_page(issue)
        return {
            "candidates": count.candidates,
            "recipients": count.eligible,
            "excluded": label_exclusions(count.excluded),
        }
    try:
        receipt = make_receipt(send)
    except DomainError as error:
        return {"receipt_error": translate(error), "candidates": send.candidates, "recipients": send.recipients}
    return {
        "candidates": receipt.candidates,
        "recipients": receipt.recipients,
        "excluded": label_exclusions(receipt.excluded),
        "receipt": receipt,
        "deliveries": label_deliveries(receipt.deliveries, cancelled=receipt.cancelled),
    }


class IssueMail(IssuePermissionMixin, View):
    """One part of one reader's mail, for an iframe or a tab of its own."""

    def get(self, request: HttpRequest, pk: int, mode: str) -> HttpResponse:
        issue = get_object_or_404(ISSUES, pk=pk)
        return show_or_explain(
            lambda name: show_mail_part(find_issue_content(issue), mode=name, request=request), mode, request=request
        )
