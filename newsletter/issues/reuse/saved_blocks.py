"""Save a block of an issue under a name, and insert it into another issue."""

import uuid
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from newsletter.common.errors import NotFound, WrongState
from newsletter.issues.approval.edits_of_approved_issues import find_open_approvals, require_editor
from newsletter.issues.planning.change_time import lock_unsent
from newsletter.issues.planning.edit_blocks import insert_raw_block
from newsletter.issues.reuse.templates import require_free_name
from newsletter.models import Issue, SavedBlock


def save_block(*, issue: Issue, block: str, name: str, by: User, now: datetime) -> SavedBlock:
    """Save the block with this id as it is now. Raises NotAllowed, NotFound, NotReady (no name), WrongState (name in use)."""
    require_editor(by)
    raw_block = next((child for child in issue.body.get_prep_value() if child["id"] == block), None)
    if raw_block is None:
        raise NotFound("The block was deleted or not saved yet. Choose another block.")
    name = require_free_name(SavedBlock, name)
    body = issue.body.stream_block.to_python([{"type": raw_block["type"], "value": raw_block["value"]}])
    return SavedBlock.objects.create(name=name, body=body, made_by=by, made_at=now)


@transaction.atomic
def insert_block(*, issue: Issue, saved: SavedBlock, position: str, by: User, now: datetime) -> None:
    """Insert a copy of the saved block, as a new revision of the issue. The copy changes nothing of the saved block.

    Raises NotAllowed; NotFound if the block before it is gone; WrongState if the issue is approved, sent or cancelled.
    """
    require_editor(by)
    changed = lock_unsent(issue)
    require_unapproved(changed)
    blocks = changed.body.get_prep_value()
    new = saved.body.get_prep_value()[0]
    insert_raw_block(blocks, {"type": new["type"], "value": new["value"], "id": str(uuid.uuid4())}, after=position)
    changed.body = changed.body.stream_block.to_python(blocks)
    changed.save()
    changed.store_revision(by=by)


def require_unapproved(issue: Issue) -> None:
    """Raise WrongState if the issue has an approval, which an inserted block would make void."""
    if find_open_approvals(issue):
        raise WrongState("%(issue)s is approved. Withdraw the approval in its editor first, then insert.", issue=issue)
