"""The tick “I have seen this warning” on an issue's page: one service call for what was ticked."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from wagtail.log_actions import log

from newsletter.common.errors import DomainError, NotReady
from newsletter.common.translation import translate
from newsletter.desk.editor.check_panel import checks_context
from newsletter.desk.editor.preview import MAX_MODES
from newsletter.desk.staff.policies import ISSUE_POLICY
from newsletter.issues.approval.acknowledge import acknowledge, require_acknowledged
from newsletter.models import Issue


def require_warnings_seen(request: HttpRequest, issue: Issue) -> None:
    """Before an approval: record the warnings that the form says were looked at. Raises NotReady where one is left."""
    said = checks_context(issue, limit=MAX_MODES)
    faults = [translate(check.message) for check in said.get("checks", []) if check.level == "error"]
    if faults:
        more = _(" (and %(value)s more)") % {"value": len(faults) - 1} if len(faults) > 1 else ""
        raise NotReady(
            _("%(issue)s fails a check: %(value)s%(more)s") % {"issue": issue, "value": faults[0], "more": more}
        )
    unseen = [(check.name, translate(check.message)) for check in said.get("unseen", [])]
    if not unseen:
        return
    if request.POST.get("looked"):
        named = set(request.POST.getlist("warning"))
        looked = [(name, message) for name, message in unseen if name in named]
        acknowledge(issue=issue, sha256=said["sha256"], warnings=looked, by=request.user, now=timezone.now())
    require_acknowledged(issue, sha256=said["sha256"], warnings=unseen)


@require_POST
def acknowledge_warnings(request: HttpRequest, pk: int) -> HttpResponse:
    """Record the ticked warnings, if the issue still says what the page showed, and go back to it."""
    issues = Issue.objects.select_related(
        "publication__brand", "publication__mailing_list", "publication__segment", "slot"
    )
    if not ISSUE_POLICY.user_has_any_permission(request.user, ["change", "approve"]):
        raise PermissionDenied
    issue = get_object_or_404(issues, pk=pk)
    said = checks_context(issue, limit=MAX_MODES)
    ticked = set(request.POST.getlist("warning"))
    warnings = [(check.name, check.message) for check in said.get("unseen", []) if check.name in ticked]
    try:
        if request.POST.get("sha256") != said.get("sha256"):
            messages.error(request, _("The issue was edited after you looked at its checks. Look again."))
        elif not warnings:
            messages.warning(request, _("Nothing was ticked."))
        else:
            seen = acknowledge(
                issue=issue, sha256=said["sha256"], warnings=warnings, by=request.user, now=timezone.now()
            )
            log(instance=issue, action="newsletter.acknowledge", user=request.user, data={"warnings": seen})
            messages.success(request, _("It is on record that you saw %(seen)s of its warnings.") % {"seen": seen})
    except DomainError as error:
        messages.error(request, translate(error))
    return redirect(reverse("newsletter_issue_overview", args=[pk]) + "#nl-checks")
