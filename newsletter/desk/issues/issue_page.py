"""Shared parts of an issue's pages: the query, permission and breadcrumbs, and the facts at the top of the page."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin

from newsletter.common.database.one_reading import one_reading
from newsletter.common.staff_pages import StaffTemplatePage, make_breadcrumbs
from newsletter.desk.publications.slot_text import format_sent, format_slot
from newsletter.desk.sends.alarms import AlarmsContext, alarms_context, list_accounts_of_issue
from newsletter.desk.sends.progress import find_send
from newsletter.desk.shell.labels import IssueStateLabel, label_issue_state
from newsletter.desk.staff.policies import ISSUE_POLICY
from newsletter.issues.planning.close_issue import can_be_deleted
from newsletter.issues.variants.reader_zones import find_start
from newsletter.models import Issue, Send
from newsletter.providers.registry import OUTBOX
from subscribers.audience.kept_counts import kept_counts
from subscribers.desk.count_again import CountedContext, counted_context, wants_count

ISSUES = Issue.objects.select_related(
    "publication__brand",
    "publication__mailing_list",
    "publication__segment",
    "segment",
    "slot",
    "closed_by",
    "completes__publication",
)
FIELD_PANELS = {"subject": "inbox", "preheader": "inbox", "headline": "layout"}
"""The panel of the editor that has each field of an issue."""
EDITOR = "editor"
"""The value of ``back`` on the way from the editor to a page that leads back to it."""
_MAX_DIGITS = 9


class IssuePermissionMixin(PermissionCheckedMixin):
    """Admit staff who may view, edit, approve or send issues."""

    permission_policy = ISSUE_POLICY
    any_permission_required = ["view", "change", "approve", "send"]

    @classmethod
    def admits(cls, user: User | AnonymousUser) -> bool:
        return bool(cls.permission_policy.user_has_any_permission(user, cls.any_permission_required))


class DeskPage(IssuePermissionMixin, StaffTemplatePage):
    """A page of the desk about issues, made by a template."""


@contextmanager
def with_kept_counts(request: HttpRequest) -> Iterator[CountedContext]:
    """Show cached counts of people on a page. The context that it yields says after the block when they were made."""
    context = counted_context(request, None)
    with kept_counts(again=wants_count(request)) as cached:
        yield context
    context.update(counted_context(request, cached.counted_at))


class IssuePage(DeskPage):
    """A page about one issue, ``self.issue``. Its path is Home, Issues, the issue, and ``page_title`` if it has one."""

    issue: Issue

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        self.issue = get_object_or_404(ISSUES, pk=kwargs["pk"])
        if request.method not in ("GET", "HEAD"):
            return super().dispatch(request, *args, **kwargs)
        with one_reading():
            return super().dispatch(request, *args, **kwargs)

    def get_page_title(self) -> str:
        return str(self.page_title or self.issue)

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        issues = (_("Issues"), reverse("wagtailsnippets_newsletter_issue:list"))
        if not self.page_title:
            return make_breadcrumbs(issues, (str(self.issue), ""))
        return make_breadcrumbs(issues, (str(self.issue), overview_url(self.issue)), (str(self.page_title), ""))


class IssueHeadContext(AlarmsContext):
    """The context of the top of an issue's page, desk/decision.html and desk/parts/alarms.html."""

    issue: Issue
    state: IssueStateLabel
    is_open: bool
    due: str
    sent: str
    time_left: str
    start_left: str
    is_overdue: bool
    can_approve: bool
    can_edit: bool
    can_send: bool
    can_delete: bool
    can_change_publication: bool
    send: Send | None


def issue_head_context(issue: Issue, *, user: User | AnonymousUser, now: datetime) -> IssueHeadContext:
    """Return the issue's state, planned time and the user's actions. A welcome mail stays open while it is sent."""
    send = None if issue.is_welcome else find_send(issue)
    return {
        "issue": issue,
        "state": label_issue_state(issue, to_files=send is not None and send.provider == OUTBOX),
        "is_open": issue.state in Issue.UNSENT_STATES,
        "due": format_slot(issue),
        "sent": format_sent(issue, send.started_at if send else None),
        "time_left": describe_time_left(issue.due_at, now=now),
        "start_left": describe_time_left(find_start(issue, now=now), now=now),
        "is_overdue": issue.due_at is not None and issue.due_at <= now,
        "can_approve": user.has_perm("newsletter.approve_issue"),
        "can_edit": user.has_perm("newsletter.change_issue"),
        "can_send": user.has_perm("newsletter.send_issue"),
        "can_delete": user.has_perm("newsletter.change_issue") and can_be_deleted(issue),
        "can_change_publication": user.has_perm("newsletter.change_publication"),
        "send": send,
        **alarms_context(user, accounts=list_accounts_of_issue(issue, send)),
    }


def editor_url(issue: Issue, *, part: str = "") -> str:
    """Return the URL of the issue's editor, at a part of it: the id of a block, or the name of a field."""
    editor = reverse("wagtailsnippets_newsletter_issue:edit", args=[issue.pk])
    panel = FIELD_PANELS.get(part)
    anchor = f"panel-child-{panel}-child-{part}-wrapper" if panel else f"block-{part}-section"
    return f"{editor}#{anchor}" if part else editor


def overview_url(issue: Issue) -> str:
    return reverse("newsletter_issue_overview", args=[issue.pk])


def describe_time_left(at: datetime | None, *, now: datetime) -> str:
    """Return the time until a moment, such as “in 3 hours”, or "" if no time is planned."""
    if at is None:
        return ""
    minutes = int((at - now).total_seconds() // 60)
    if minutes < 0:
        return _("the time has passed")
    if minutes < 1:
        return _("in less than a minute")
    if minutes < 120:
        return ngettext("in %(minutes)s minute", "in %(minutes)s minutes", minutes) % {"minutes": minutes}
    if minutes < 48 * 60:
        return _("in %(hours)s hours") % {"hours": minutes // 60}
    return _("in %(days)s days") % {"days": minutes // (24 * 60)}


def read_confirmed_people(request: HttpRequest) -> int | None:
    """Return the number of people that the posted form confirms, or None if there is no valid number."""
    text = request.POST.get("people", "")
    return int(text) if text.isdecimal() and len(text) <= _MAX_DIGITS else None
