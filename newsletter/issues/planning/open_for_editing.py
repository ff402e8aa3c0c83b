"""Withdraw the approvals of an issue, so that it can be edited."""

from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction

from newsletter.issues.approval.edits_of_approved_issues import require_editor, withdraw_for_edit
from newsletter.issues.planning.change_time import lock_unsent
from newsletter.models import Approval, Issue


@transaction.atomic
def open_for_editing(*, issue: Issue, by: User | AnonymousUser, now: datetime) -> list[Approval]:
    """Withdraw the approvals of an unsent issue, and notify the approvers. Return the approvals; safe to repeat.

    Raises NotAllowed; WrongState if its send has begun or it is over.
    """
    require_editor(by)
    return withdraw_for_edit(issue=lock_unsent(issue), by=by, now=now)
