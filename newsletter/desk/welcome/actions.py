"""Steps of a welcome: set it up, pause a mail, resume it, turn it off, change its days. Each calls one service."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from newsletter.common.errors import BadValue, NotAllowed
from newsletter.common.staff_pages import ServiceAction
from newsletter.desk.issues.issue_page import ISSUES
from newsletter.desk.welcome.page import welcome_url
from newsletter.issues.approval.hold import hold_issue, release_issue
from newsletter.issues.planning.welcome import change_delay, set_up_welcome, turn_off_welcome
from newsletter.models import Issue, Publication

_MAX_DIGITS = 3


@require_POST
def set_up(request: HttpRequest, pk: int) -> HttpResponse:
    """Draft the mails of the welcome."""
    publication = get_object_or_404(Publication.objects.select_related("brand"), pk=pk)

    def call() -> str:
        set_up_welcome(publication=publication, by=request.user, now=timezone.now())
        return _("Three mails are drafted. Read and edit each, then approve the first one to turn the welcome on.")

    action = ServiceAction(call=call, instance=publication, log_action="newsletter.welcome_set_up")
    return action.respond(request, back=welcome_url(publication))


@require_POST
def run_welcome_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """Run one step of a mail and go back to the page of the welcome."""
    issue = get_object_or_404(ISSUES.filter(kind=Issue.Kind.WELCOME), pk=pk)
    action = ServiceAction(
        call=lambda: WELCOME_STEPS[step](request, issue),
        instance=issue,
        log_action=f"newsletter.welcome_{step.replace('-', '_')}",
        keeps_form=step == "days",
    )
    return action.respond(request, back=welcome_url(issue.publication))


def _pause(request: HttpRequest, issue: Issue) -> str:
    if not (request.user.has_perm("newsletter.approve_issue") or request.user.has_perm("newsletter.change_issue")):
        raise NotAllowed("%(by)s may not pause a welcome. Ask an administrator for the right role.", by=request.user)
    hold_issue(issue=issue, reason="")
    return _("Paused. People who join now wait for it, for at most 14 days.")


def _resume(request: HttpRequest, issue: Issue) -> str:
    if not request.user.has_perm("newsletter.approve_issue"):
        raise NotAllowed(
            "%(by)s may not resume a welcome. An administrator can give the role “approver”.", by=request.user
        )
    release_issue(issue=issue)
    return _("Resumed. Whoever waits gets it within a minute.")


def _turn_off(request: HttpRequest, issue: Issue) -> str:
    turn_off_welcome(issue=issue, by=request.user, now=timezone.now())
    return _("Turned off. Whoever waited for it does not get it. Its text stays as a draft.")


def _change_days(request: HttpRequest, issue: Issue) -> str:
    days = request.POST.get("days", "").strip()
    if not days.isdecimal() or len(days) > _MAX_DIGITS:
        raise BadValue("Enter a number of days. Nothing was changed.", name="days")
    change_delay(issue=issue, days=int(days), by=request.user)
    return _("Saved. It holds for people who wait for it already.")


WELCOME_STEPS: dict[str, Callable[[HttpRequest, Issue], str]] = {
    "pause": _pause,
    "resume": _resume,
    "turn-off": _turn_off,
    "days": _change_days,
}
