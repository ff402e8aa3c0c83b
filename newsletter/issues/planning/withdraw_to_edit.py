"""Withdraw the approvals of an issue, so that it can be edited."""

from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction

from newsletter.common.errors import NotAllowed
from newsletter.issues.approval.withdraw_for_edit import withdraw_for_edit
from newsletter.issues.planning.change_time import lock_unsent
from newsletter.models import Approval, Issue


@transaction.atomic
def withdraw_to_edit(*, issue: Issue, by: User | AnonymousUser, now: datetime) -> list[Approval]:
    """Withdraw the approvals of an unsent issue, and notify the approvers. Return the approvals; safe to repeat.

    Raises NotAllowed; WrongState if its send has begun or it is over.
    """
    if not by.has_perm("newsletter.change_issue"):
        raise NotAllowed("%(by)s may not edit issues. An administrator can give the role “writer” or “editor”.", by=by)
    return withdraw_for_edit(issue=lock_unsent(issue), by=by, now=now)
