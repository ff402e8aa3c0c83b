"""Steps of an issue: approve, ask for approval, withdraw approval, hold, release, check links again. Each calls one service."""

from collections.abc import Callable
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from wagtail.admin.templatetags.wagtailadmin_tags import user_display_name
from wagtail.log_actions import log

from newsletter.common.errors import NotAllowed, NotApproved, WrongState
from newsletter.common.messages import Message
from newsletter.common.staff_pages import ServiceAction
from newsletter.common.text import require_length
from newsletter.desk.issues.checking.acknowledgement import require_warnings_acknowledged
from newsletter.desk.issues.issue_page import ISSUES, overview_url, read_confirmed_people
from newsletter.desk.issues.planning.subject_test_page import remove_test_step
from newsletter.issues.approval.approval_rules import require_approval_permission
from newsletter.issues.approval.approve import approve_issue, withdraw_approvals
from newsletter.issues.approval.hold import hold_issue, release_issue
from newsletter.issues.approval.open_comments import require_comments_resolved
from newsletter.issues.approval.request_approval import request_approval
from newsletter.issues.approval.write_notices import notify_hold
from newsletter.issues.assembly.stories_at_source import require_stories_at_source
from newsletter.issues.checks.links import check_links_again
from newsletter.models import Issue

MAX_REASON = 500


@require_POST
def run_issue_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """Run one step and go back to the issue's page."""
    issue = get_object_or_404(ISSUES, pk=pk)
    action = ServiceAction(
        call=lambda: ISSUE_STEPS[step](request, issue),
        instance=issue,
        log_action=None if step == "approve" else f"newsletter.{step.replace('-', '_')}",
        keeps_form=step == "hold",
    )
    return action.respond(request, back=overview_url(issue))


def _approve(request: HttpRequest, issue: Issue) -> str:
    require_approval_permission(issue, by=request.user)
    seen_sha256, seen_audience = request.POST.get("sha256", ""), request.POST.get("audience", "")
    people = read_confirmed_people(request)
    if not seen_sha256 or not seen_audience or people is None:
        raise NotApproved(
            "Approve the issue on its own page, so that your approval covers what you saw and how many people get it."
        )
    now = timezone.now()
    if request.user.has_perm("newsletter.approve_issue"):
        require_warnings_acknowledged(request, issue)
        require_stories_at_source(issue=issue, now=now)
    approve_issue(
        issue=issue,
        by=request.user,
        now=now,
        seen_sha256=seen_sha256,
        seen_audience=seen_audience,
        seen_people=people,
        write_entry=partial(log, instance=issue, action="newsletter.approve", user=request.user),
    )
    issue.refresh_from_db()
    if issue.state == Issue.State.IN_REVIEW:
        return _("You approved %(issue)s. A second person must approve it before it is sent.") % {"issue": issue}
    if issue.is_welcome:
        return _("%(issue)s is approved. Everybody who joins from now on gets it.") % {"issue": issue}
    return _("%(issue)s is approved. If you edit it, it will need approving again.") % {"issue": issue}


def _ask(request: HttpRequest, issue: Issue) -> str:
    _require_permission(request, "change_issue", Message("ask for approval"))
    asked_by = user_display_name(request.user)
    notified = request_approval(issue=issue, asked_by=asked_by, by=request.user, now=timezone.now())
    if not notified:
        return _(
            "Those who may approve %(issue)s were asked about this version before, and their links still work. "
            "They are not asked again."
        ) % {"issue": issue}
    return ngettext(
        "%(count)s person who may approve it gets a mail with a link within minutes.",
        "%(count)s people who may approve it get a mail with a link within minutes.",
        notified,
    ) % {"count": notified}


def _withdraw(request: HttpRequest, issue: Issue) -> str:
    _require_permission(request, "approve_issue", Message("withdraw approvals"))
    if not withdraw_approvals(issue=issue, now=timezone.now()):
        raise WrongState(
            "%(issue)s has no approval to withdraw. Its state is “%(state)s”.",
            issue=issue,
            state=issue.get_state_display(),
        )
    return _("%(issue)s is no longer approved.") % {"issue": issue}


def _hold(request: HttpRequest, issue: Issue) -> str:
    if not request.user.has_perm("newsletter.approve_issue"):
        _require_permission(request, "change_issue", Message("put issues on hold"))
    typed = require_length(request.POST.get("reason", "").strip(), limit=MAX_REASON, name="reason")
    person, day = user_display_name(request.user), timezone.localdate()
    reason = (
        Message("put on hold by %(person)s on %(day)s: %(reason)s", person=person, day=day, reason=typed)
        if typed
        else Message("put on hold by %(person)s on %(day)s", person=person, day=day)
    )
    hold_issue(issue=issue, reason=reason)
    notify_hold(issue, now=timezone.now(), by=request.user)
    return _("%(issue)s is on hold. It will not be sent until an approver releases it.") % {"issue": issue}


def _release(request: HttpRequest, issue: Issue) -> str:
    _require_permission(request, "approve_issue", Message("release held issues"))
    if issue.due_at is not None and issue.due_at <= timezone.now():
        require_comments_resolved(issue)
    release_issue(issue=issue)
    return _("%(issue)s is no longer on hold.") % {"issue": issue}


def _check_links(request: HttpRequest, issue: Issue) -> str:
    count = check_links_again(issue=issue, by=request.user, now=timezone.now())
    return ngettext(
        "%(count)s link is being checked again. Open this page again in a minute or two.",
        "%(count)s links are being checked again. Open this page again in a minute or two.",
        count,
    ) % {"count": count}


def _require_permission(request: HttpRequest, permission: str, deed: Message) -> None:
    if not request.user.has_perm(f"newsletter.{permission}"):
        raise NotAllowed(
            "%(user)s may not %(deed)s. Ask an administrator for the right role.", user=request.user, deed=deed
        )


ISSUE_STEPS: dict[str, Callable[[HttpRequest, Issue], str]] = {
    "approve": _approve,
    "ask": _ask,
    "withdraw": _withdraw,
    "hold": _hold,
    "release": _release,
    "check-links": _check_links,
    "remove-subject-test": remove_test_step,
}
