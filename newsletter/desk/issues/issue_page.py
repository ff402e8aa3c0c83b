"""Shared parts of an issue's pages: the query, permission and breadcrumbs, and the facts at the top of the page."""

from datetime import datetime
from typing import Any, TypedDict

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin

from newsletter.common.staff_pages import make_breadcrumbs
from newsletter.desk.publications.slot_text import format_slot
from newsletter.desk.sends.progress import describe_allowlist, describe_hold, find_send
from newsletter.desk.shell.labels import IssueStateLabel, label_issue_state
from newsletter.desk.staff.policies import ISSUE_POLICY
from newsletter.issues.approval.approve import OPEN_STATES
from newsletter.issues.planning.close_issue import can_be_deleted
from newsletter.models import Issue, Send

ISSUES = Issue.objects.select_related(
    "publication__brand", "publication__mailing_list", "publication__segment", "segment", "slot", "closed_by"
)
EDITABLE_STATES = (*OPEN_STATES, Issue.State.APPROVED)
_MAX_DIGITS = 9


class IssuePermissionMixin(PermissionCheckedMixin):
    """Admit staff who may view, edit, approve or send issues."""

    permission_policy = ISSUE_POLICY
    any_permission_required = ["view", "change", "approve", "send"]


class DeskPage(IssuePermissionMixin, WagtailAdminTemplateMixin, TemplateView):
    """A page of the desk about issues, made by a template."""


class IssuePage(DeskPage):
    """A page about one issue, ``self.issue``. Its path is Home, Issues, the issue, and ``page_title`` if it has one."""

    issue: Issue

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> Any:
        self.issue = get_object_or_404(ISSUES, pk=kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def get_page_title(self) -> str:
        return str(self.page_title or self.issue)

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        issues = (_("Issues"), reverse("wagtailsnippets_newsletter_issue:list"))
        if not self.page_title:
            return make_breadcrumbs(issues, (str(self.issue), ""))
        return make_breadcrumbs(issues, (str(self.issue), overview_url(self.issue)), (str(self.page_title), ""))


class IssueHeadContext(TypedDict):
    """The context of the top of an issue's page, desk/decision.html and desk/parts/alarms.html."""

    issue: Issue
    state: IssueStateLabel
    is_open: bool
    due: str
    time_left: str
    is_overdue: bool
    can_approve: bool
    can_edit: bool
    can_send: bool
    can_delete: bool
    send: Send | None
    sending_hold: str
    allowlist_notice: str


def issue_head_context(issue: Issue, *, user: Any, now: datetime) -> IssueHeadContext:
    """Return the issue's state and planned time, and what the user may do with it."""
    return {
        "issue": issue,
        "state": label_issue_state(issue),
        "is_open": issue.state in EDITABLE_STATES,
        "due": format_slot(issue),
        "time_left": describe_time_left(issue, now=now),
        "is_overdue": issue.due_at is not None and issue.due_at <= now,
        "can_approve": user.has_perm("newsletter.approve_issue"),
        "can_edit": user.has_perm("newsletter.change_issue"),
        "can_send": user.has_perm("newsletter.send_issue"),
        "can_delete": user.has_perm("newsletter.change_issue") and can_be_deleted(issue),
        "send": find_send(issue),
        "sending_hold": describe_hold(),
        "allowlist_notice": describe_allowlist(),
    }


def overview_url(issue: Issue) -> str:
    return reverse("newsletter_issue_overview", args=[issue.pk])


def describe_time_left(issue: Issue, *, now: datetime) -> str:
    """Return the time until the issue is due, such as “in 3 hours”, or "" if no time is planned."""
    if issue.due_at is None:
        return ""
    minutes = int((issue.due_at - now).total_seconds() // 60)
    if minutes < 0:
        return _("the time has passed")
    if minutes < 1:
        return _("in less than a minute")
    if minutes < 120:
        return ngettext("in %(minutes)s minute", "in %(minutes)s minutes", minutes) % {"minutes": minutes}
    if minutes < 48 * 60:
        return _("in %(value)s hours") % {"value": minutes // 60}
    return _("in %(value)s days") % {"value": minutes // (24 * 60)}


def read_confirmed_people(request: HttpRequest) -> int | None:
    """Return the number of people that the posted form confirms, or None if there is no valid number."""
    text = request.POST.get("people", "")
    return int(text) if text.isdecimal() and len(text) <= _MAX_DIGITS else None
