"""Lock an issue's form while it is approved or its sending has begun."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from wagtail.locks import BaseLock

from newsletter.common.translation import translate
from newsletter.issues.approval.edits_of_approved_issues import find_open_approvals, name_approver
from newsletter.issues.snapshot.revisions import SEALED_STATES
from newsletter.models import Approval, Issue


class ApprovedLock(BaseLock):
    def __init__(self, issue: Issue, *, approvals: list[Approval], request: HttpRequest) -> None:
        super().__init__(issue)
        self.approvals = approvals
        self.request = request

    def for_user(self, user: object) -> bool:
        return True

    def get_message(self, user: object) -> str:
        approvals = [(translate(name_approver(approval)), approval.at) for approval in self.approvals]
        context = {"issue": self.object, "approvals": approvals}
        return render_to_string("desk/approved_lock.html", context, request=self.request)

    def get_locked_by(self, user: object) -> str:
        return _("Approved")

    def get_description(self, user: object) -> str:
        return _("Editing withdraws the approval.")


def find_issue_lock(issue: Issue, *, request: HttpRequest) -> BaseLock | None:
    """Return the lock of an issue that is approved or can no longer change, or None."""
    if issue.state in SEALED_STATES:
        return SealedLock(issue)
    approvals = find_open_approvals(issue)
    return ApprovedLock(issue, approvals=approvals, request=request) if approvals else None


class SealedLock(BaseLock):
    def for_user(self, user: object) -> bool:
        return True

    def get_message(self, user: object) -> str:
        text = {
            "sending": _("%(issue)s is being sent, so its content cannot be changed. You can still view it."),
            "sent": _("%(issue)s has been sent, so its content cannot be changed. You can still view it."),
            "cancelled": _("%(issue)s was cancelled, so its content cannot be changed. You can still view it."),
        }[self.object.state]
        return text % {"issue": self.object}

    def get_locked_by(self, user: object) -> str:
        return _("Read-only")

    def get_description(self, user: object) -> str:
        return _("Content that was sent cannot be changed.")
