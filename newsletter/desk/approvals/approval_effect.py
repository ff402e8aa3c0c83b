"""The effect of an edit on approved issues: what issues show, such as a story or a brand, cannot change unnoticed.

The button “Withdraw the approval and edit” is here too.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from wagtail.log_actions import log

from newsletter.common.errors import NotConfirmed
from newsletter.common.staff_pages import Done, ServiceAction
from newsletter.common.translation import translate
from newsletter.desk.issues.issue_page import ISSUES, IssuePermissionMixin, overview_url
from newsletter.desk.staff.policies import ISSUE_POLICY
from newsletter.issues.approval.edits_of_approved_issues import (
    find_approved_issues_showing,
    find_automatic_issues_showing,
    find_open_approvals,
    name_approver,
    withdraw_changed_issues,
)
from newsletter.issues.approval.void_changed import find_changed_issues
from newsletter.issues.assembly.drafted_texts import update_drafted_texts
from newsletter.issues.planning.open_for_editing import open_for_editing
from newsletter.models import Issue
from subscribers.desk.editing.edit_effects import EditEffect

FIELD = "withdraw"


class ApprovalEffect(EditEffect):
    def describe(self, row: Model, *, request: HttpRequest) -> SafeString:
        return describe_approved([row], request=request)

    def saving(self, row: Model, *, request: HttpRequest) -> AbstractContextManager[None]:
        return withdrawing_approvals(row, request=request)


def describe_approved(rows: Sequence[Model], *, request: HttpRequest) -> SafeString:
    """Return the list of approved issues that show one of the rows, with the field that allows to change them."""
    issues = find_approved_issues_showing(rows)
    if not issues:
        return SafeString("")
    may_open = ISSUE_POLICY.user_has_any_permission(request.user, IssuePermissionMixin.any_permission_required)
    described = [
        (
            issue,
            overview_url(issue) if may_open else "",
            [(translate(name_approver(approval)), approval.at) for approval in find_open_approvals(issue)],
        )
        for issue in issues
    ]
    ids = [str(issue.pk) for issue in issues]
    context = {"issues": described, "ids": ",".join(ids), "confirmed": set(ids) <= _read_confirmed(request)}
    return render_to_string("desk/parts/approved_issues.html", context, request=request)


@contextmanager
def withdrawing_approvals(row: Model, *, request: HttpRequest) -> Iterator[None]:
    """Withdraw the approvals that the change of the row inside voids, and log it. Open it in a transaction.

    Raises NotConfirmed if the form did not name one of the issues.
    """
    changed_before = {issue.pk for issue in find_changed_issues()}
    automatic = find_automatic_issues_showing([row])
    yield
    now = timezone.now()
    update_drafted_texts(now=now)
    withdrawn = withdraw_changed_issues(by=request.user, now=now)
    confirmed = _read_confirmed(request)
    missing = [
        candidate
        for candidate in withdrawn
        if candidate.pk not in changed_before and str(candidate.pk) not in confirmed
    ]
    if missing:
        raise NotConfirmed(
            "Nothing was saved, because your change shows in approved issues: %(issues)s. Select “Withdraw their "
            "approval if they change”, then save again.",
            issues=", ".join(map(str, missing)),
        )
    report_withdrawn(request, withdrawn, changed=row)
    for issue in automatic:
        messages.warning(
            request,
            _("%(issue)s shows this. You edited it, so another person must approve %(issue)s, or it is not sent.")
            % {"issue": issue},
        )


def _read_confirmed(request: HttpRequest) -> set[str]:
    return set(",".join(request.POST.getlist(FIELD)).split(","))


@require_POST
def withdraw_and_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw the approvals and open the editor. If that is refused, the editor stays locked and says why."""
    issue = get_object_or_404(ISSUES, pk=pk)

    def call() -> Done:
        withdrawn = open_for_editing(issue=issue, by=request.user, now=timezone.now())
        message = _("The approval is withdrawn. You can edit the issue now.") if withdrawn else ""
        return Done(message, {"to_edit": True, "approvals": [approval.pk for approval in withdrawn]})

    action = ServiceAction(call=call, instance=issue, log_action="newsletter.withdraw")
    return action.respond(request, back=reverse("wagtailsnippets_newsletter_issue:edit", args=[pk]))


def report_withdrawn(request: HttpRequest, issues: Iterable[Issue], *, changed: Model) -> None:
    """Log that an edit of the row withdrew the approvals of these issues, and show it to the person who edited."""
    for issue in issues:
        data = {"changed": f"{changed._meta.label_lower} {changed.pk}"}
        log(instance=issue, action="newsletter.withdraw", user=request.user, data=data)
        messages.warning(
            request,
            _("%(issue)s shows this and was approved. It is a draft again: review and approve it again.")
            % {"issue": issue},
        )
