"""Go back to the content of an earlier revision of an issue."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from wagtail.models import Revision

from newsletter.common.errors import NotConfirmed
from newsletter.issues.approval.edits_of_approved_issues import require_editor, withdraw_if_changed
from newsletter.issues.planning.change_time import lock_unsent
from newsletter.models import Issue

RESTORED_FIELDS = ("subject", "preheader", "layout", "charitable", "headline", "body")


@transaction.atomic
def restore_revision(*, issue: Issue, revision: Revision, by: User, now: datetime, may_withdraw: bool = False) -> bool:
    """Give the issue the content of the revision, as a new revision. Return True if approvals were withdrawn.

    State, time, list and segment stay as they are. Raises NotAllowed; WrongState if its send has begun or it is over;
    NotConfirmed if it is approved, would change and ``may_withdraw`` is False.
    """
    require_editor(by)
    restored = lock_unsent(issue)
    earlier = revision.as_object()
    for name in RESTORED_FIELDS:
        setattr(restored, name, getattr(earlier, name))
    restored.save()
    restored.store_revision(by=by)
    withdrawn = withdraw_if_changed(issue=restored, by=by, now=now)
    if withdrawn and not may_withdraw:
        raise NotConfirmed(
            "%(issue)s is approved, and going back would withdraw its approval. Confirm this first. "
            "Nothing was changed.",
            issue=issue,
        )
    return withdrawn
