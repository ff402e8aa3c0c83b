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
from newsletter.desk.editor.check_panel import say_checks
from newsletter.desk.editor.preview import MOST_MODES, show_part
from newsletter.desk.issues.approval import say_approval
from newsletter.desk.issues.proof_step import say_proofs
from newsletter.desk.issues.recipient_counts import count_for_page
from newsletter.desk.issues.variant_groups import content_of
from newsletter.desk.preview.preview import show_or_say
from newsletter.desk.publications.archive_text import find_archive_url
from newsletter.desk.publications.slot_text import say_slot
from newsletter.desk.sends.progress import find_send, say_hold, say_reach, say_send
from newsletter.desk.shell.labels import say_deliveries, say_excluded, say_issue_state
from newsletter.desk.staff.policies import ISSUE_POLICY
from newsletter.issues.approval.approve import OPEN_STATES
from newsletter.issues.assembly.reasons import explain_candidates
from newsletter.issues.assembly.selection import Reason
from newsletter.models import Issue, Send
from newsletter.sending.settling.receipt import make_receipt

ISSUES = Issue.objects.select_related("publication__brand", "publication__mailing_list", "publication__segment", "slot")


class IssuePermission(PermissionCheckedMixin):
    """Whoever may look at issues or edit them."""

    permission_policy = ISSUE_POLICY
    any_permission_required = ["view", "change", "approve", "send"]


class IssueOverview(IssuePermission, WagtailAdminTemplateMixin, TemplateView):
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
                "state": say_issue_state(issue),
                "open": open_,
                "due": say_slot(issue),
                "left": time_left(issue, now=timezone.now()),
                "past": issue.slot is not None and issue.slot.due_at <= timezone.now(),
                "may_approve": user.has_perm("newsletter.approve_issue"),
                "may_edit": user.has_perm("newsletter.change_issue"),
                "edit_url": reverse("wagtailsnippets_newsletter_issue:edit", args=[issue.pk]),
                "history_url": reverse("wagtailsnippets_newsletter_issue:history", args=[issue.pk]),
                **say_reasons(issue, open_=open_, now=timezone.now()),
                "send": send,
                "archive_url": find_archive_url(issue, now=timezone.now()) if send else "",
                "hold": say_hold(),
                "reach": say_reach(),
                "may_send": user.has_perm("newsletter.send_issue"),
                **(say_send(send, now=timezone.now()) if send else {}),
                **(audience := say_audience(issue, send)),
                **(checks := say_checks(issue, most=MOST_MODES)),
                **say_approval(issue, user=user, sha256=checks.get("sha256", ""), people=audience["recipients"]),
                **say_proofs(issue, user=user),
            }
        )
        return context


def say_reasons(issue: Issue, *, open_: bool, now: datetime) -> dict[str, Any]:
    """Why each thing is in or out: as the issue stands while it can change, as it was assembled afterwards."""
    kept = [Reason(**{"kind": "", "id": 0, "title": "", "chosen": False, "why": "", **one}) for one in issue.reasons]
    reasons = (explain_candidates(issue, now=now) if open_ and kept else []) or kept
    return {
        "reasons_in": [reason for reason in reasons if reason.chosen],
        "reasons_out": [reason for reason in reasons if not reason.chosen],
    }


def time_left(issue: Issue, *, now: datetime) -> str:
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


def say_audience(issue: Issue, send: Send | None) -> dict[str, Any]:
    """The audience as it is now, or as it was fixed for the send, with the receipt."""
    if send is None or send.state == Send.State.PREPARING:
        count = count_for_page(issue)
        return {"candidates": count.candidates, "recipients": count.eligible, "excluded": say_excluded(count.excluded)}
    try:
        receipt = make_receipt(send)
    except DomainError as error:
        return {"receipt_error": translate(error), "candidates": send.candidates, "recipients": send.recipients}
    return {
        "candidates": receipt.candidates,
        "recipients": receipt.recipients,
        "excluded": say_excluded(receipt.excluded),
        "receipt": receipt,
        "deliveries": say_deliveries(receipt.deliveries, cancelled=receipt.cancelled),
    }


class IssueMail(IssuePermission, View):
    """One part of one reader's mail, for an iframe or a tab of its own."""

    def get(self, request: HttpRequest, pk: int, mode: str) -> HttpResponse:
        issue = get_object_or_404(ISSUES, pk=pk)
        return show_or_say(lambda name: show_part(content_of(issue), mode=name, request=request), mode, request=request)
