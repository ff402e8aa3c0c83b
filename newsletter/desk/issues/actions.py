"""What a person decides about an issue: approve, take an approval back, hold, release. One service call each."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from wagtail.log_actions import log

from newsletter.common.errors import DomainError, NotAllowed, NotApproved, WrongState
from newsletter.common.translation import translate
from newsletter.desk.issues.warning_acknowledgement import require_warnings_seen
from newsletter.desk.shell.confirmed_numbers import read_confirmed_people
from newsletter.issues.approval.approval_rules import require_approval_permission
from newsletter.issues.approval.approve import approve_issue, hold_issue, release_issue, withdraw_approvals
from newsletter.issues.assembly.stories_at_source import require_stories_at_source
from newsletter.models import Issue

APPROVE, WITHDRAW, HOLD, RELEASE = "approve", "withdraw", "hold", "release"


@require_POST
def run_issue_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """Do one step and go back to the issue's page with a word about it."""
    issue = get_object_or_404(Issue.objects.select_related("publication__brand", "publication__mailing_list"), pk=pk)
    try:
        message = STEPS[step](request, issue)
    except DomainError as error:
        messages.error(request, translate(error))
    else:
        log(instance=issue, action=f"newsletter.{step}", user=request.user)
        messages.success(request, message)
    return redirect("newsletter_issue_overview", issue.pk)


def _approve(request: HttpRequest, issue: Issue) -> str:
    require_approval_permission(issue, by=request.user)
    seen = request.POST.get("sha256", "")
    audience, people = request.POST.get("audience", ""), read_confirmed_people(request)
    if not seen or not audience or people is None:
        raise NotApproved(
            _(
                "An approval names what was looked at and how many people get it. Open the issue's page, read it, and "
                "approve it there."
            )
        )
    if request.user.has_perm("newsletter.approve_issue"):
        require_warnings_seen(request, issue)
        require_stories_at_source(issue=issue, now=timezone.now())
    approve_issue(
        issue=issue,
        by=request.user,
        now=timezone.now(),
        seen_sha256=seen,
        seen_audience=audience,
        seen_people=people,
    )
    issue.refresh_from_db()
    if issue.state == Issue.State.IN_REVIEW:
        return _("Your approval of %(issue)s is on record. A second person must approve it before it goes out.") % {
            "issue": issue
        }
    return _("%(issue)s is approved as it is now. Any edit takes the approval back.") % {"issue": issue}


def _withdraw(request: HttpRequest, issue: Issue) -> str:
    _require_permission(request, "approve_issue", _("take approvals back"))
    if not withdraw_approvals(issue=issue, now=timezone.now()):
        raise WrongState(
            _("%(issue)s is %(state)s; it has no approval that could be taken back.")
            % {"issue": issue, "state": issue.get_state_display()}
        )
    return _("%(issue)s is no longer approved.") % {"issue": issue}


def _hold(request: HttpRequest, issue: Issue) -> str:
    if not request.user.has_perm("newsletter.approve_issue"):
        _require_permission(request, "change_issue", _("hold issues"))
    hold_issue(issue=issue, reason=request.POST.get("reason", "").strip())
    return _("%(issue)s is held: it does not go out until somebody releases it.") % {"issue": issue}


def _release(request: HttpRequest, issue: Issue) -> str:
    _require_permission(request, "approve_issue", _("release held issues"))
    release_issue(issue=issue)
    return _("%(issue)s is no longer held.") % {"issue": issue}


def _require_permission(request: HttpRequest, permission: str, deed: str) -> None:
    if not request.user.has_perm(f"newsletter.{permission}"):
        raise NotAllowed(
            _("%(user)s may not %(deed)s. An administrator can give the right role.")
            % {"user": request.user, "deed": deed}
        )


STEPS: dict[str, Any] = {APPROVE: _approve, WITHDRAW: _withdraw, HOLD: _hold, RELEASE: _release}
