"""Save a block of an issue under a name, and insert it into another issue."""

import uuid
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from newsletter.common.errors import NotFound, WrongState
from newsletter.issues.approval.withdraw_for_edit import find_open_approvals
from newsletter.issues.planning.change_time import lock_unsent
from newsletter.issues.reuse.names import require_editor, require_free_name
from newsletter.models import Issue, SavedBlock

AT_START, AT_END = "start", "end"
"""Positions of an inserted block. Any other position is the id of the block before it."""


def save_block(*, issue: Issue, block: str, name: str, by: User, now: datetime) -> SavedBlock:
    """Save the block with this id as it is now. Raises NotAllowed, NotFound, NotReady (no name), WrongState (name in use)."""
    require_editor(by)
    found = next((child for child in issue.body.get_prep_value() if child["id"] == block), None)
    if found is None:
        raise NotFound("The block was deleted or not saved yet. Choose another block.")
    name = require_free_name(SavedBlock, name)
    body = issue.body.stream_block.to_python([{"type": found["type"], "value": found["value"]}])
    return SavedBlock.objects.create(name=name, body=body, made_by=by, made_at=now)


@transaction.atomic
def insert_block(*, issue: Issue, saved: SavedBlock, position: str, by: User, now: datetime) -> None:
    """Insert a copy of the saved block, as a new revision of the issue. The copy changes nothing of the saved block.

    Raises NotAllowed; NotFound if the block before it is gone; WrongState if the issue is approved, sent or cancelled.
    """
    require_editor(by)
    changed = lock_unsent(issue)
    if find_open_approvals(changed):
        raise WrongState(
            "%(issue)s is approved. Withdraw the approval in its editor first, then insert.", issue=changed
        )
    blocks = changed.body.get_prep_value()
    ids = [block["id"] for block in blocks]
    if position not in (AT_START, AT_END, *ids):
        raise NotFound("The block to insert after was deleted. Choose another position.")
    index = {AT_START: 0, AT_END: len(blocks)}.get(position)
    if index is None:
        index = ids.index(position) + 1
    new = saved.body.get_prep_value()[0]
    blocks.insert(index, {"type": new["type"], "value": new["value"], "id": str(uuid.uuid4())})
    changed.body = changed.body.stream_block.to_python(blocks)
    changed.save()
    changed.save_revision(user=by, log_action=False)
