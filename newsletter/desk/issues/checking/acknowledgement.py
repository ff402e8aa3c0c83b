"""Acknowledgement of an issue's warnings: the form on its page, and the one that comes with an approval."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from newsletter.common.errors import NotReady
from newsletter.common.messages import Message
from newsletter.common.staff_pages import Done, ServiceAction
from newsletter.desk.editor.check_panel import checks_context
from newsletter.desk.editor.preview import MAX_MODES
from newsletter.desk.issues.issue_page import ISSUES, overview_url
from newsletter.desk.staff.policies import ISSUE_POLICY
from newsletter.issues.approval.acknowledge import acknowledge, require_acknowledged
from newsletter.models import Issue


def require_warnings_acknowledged(request: HttpRequest, issue: Issue) -> None:
    """Record the warnings that the approval form acknowledges.

    Raises NotReady if a check fails or a warning is not acknowledged.
    """
    context = checks_context(issue, limit=MAX_MODES)
    errors = [check.message for check in context.get("checks", []) if check.level == "error"]
    if errors:
        raise NotReady(
            "%(issue)s cannot be approved yet: a check failed. %(error)s%(more)s",
            issue=issue,
            error=errors[0],
            more=Message(" More problems: %(count)s.", count=len(errors) - 1) if len(errors) > 1 else "",
        )
    warnings = [(check.name, check.message) for check in context.get("unacknowledged", [])]
    if not warnings:
        return
    if request.POST.get("looked"):
        posted = set(request.POST.getlist("warning"))
        reviewed = [(name, message) for name, message in warnings if name in posted]
        acknowledge(issue=issue, sha256=context["sha256"], warnings=reviewed, by=request.user, now=timezone.now())
    require_acknowledged(issue, sha256=context["sha256"], warnings=warnings)


@require_POST
def acknowledge_warnings(request: HttpRequest, pk: int) -> HttpResponse:
    """Record the selected warnings, if the issue's content is still that of the page, and go back to the page."""
    if not ISSUE_POLICY.user_has_any_permission(request.user, ["change", "approve"]):
        raise PermissionDenied
    issue = get_object_or_404(ISSUES, pk=pk)
    back = overview_url(issue) + "#nl-checks"
    context = checks_context(issue, limit=MAX_MODES)
    sha256, selected = context.get("sha256", ""), set(request.POST.getlist("warning"))
    warnings = [(check.name, check.message) for check in context.get("unacknowledged", []) if check.name in selected]
    if not sha256 or request.POST.get("sha256") != sha256:
        messages.error(request, _("The issue was edited after you opened this page. Review its checks again."))
        return redirect(back)
    if not warnings:
        changed = _("The warnings changed after you opened this page. Review them again.")
        messages.warning(request, changed if selected else _("You selected nothing."))
        return redirect(back)

    def call() -> Done:
        count = acknowledge(issue=issue, sha256=sha256, warnings=warnings, by=request.user, now=timezone.now())
        message = ngettext(
            "You marked %(count)s warning as reviewed.", "You marked %(count)s warnings as reviewed.", count
        )
        return Done(message % {"count": count}, {"warnings": count})

    return ServiceAction(call=call, instance=issue, log_action="newsletter.acknowledge").respond(request, back=back)
