"""Find blocks of an issue that cannot be shown yet, because staff have not filled them in."""

from typing import NamedTuple

from newsletter.common.errors import NotReady
from newsletter.common.messages import Message
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Issue


class IncompleteBlock(NamedTuple):
    """The key of a block, and a sentence on what it lacks."""

    block: str
    message: str


def resolve_complete_content(issue: Issue) -> IssueContent:
    """Return the issue's content. Raise NotReady, with a line for each block that cannot be shown yet."""
    gaps = find_incomplete_blocks(issue)
    if gaps:
        raise NotReady(Message.joined((gap.message for gap in gaps), between="\n"))
    return resolve_content(issue)


def find_incomplete_blocks(issue: Issue) -> list[IncompleteBlock]:
    """Return the blocks that cannot be shown yet, in their order."""
    gaps = []
    for number, child in enumerate(issue.body, 1):
        message = None
        match child.block_type:
            case "lead_story" if not child.value["story"]:
                message = Message(
                    "Block %(number)s, the lead story, has no story yet. Choose one, or delete the block.",
                    number=number,
                )
            case "picture" if not child.value["image"]:
                message = Message(
                    "Block %(number)s, the picture, has no picture yet. Choose one, or delete the block.", number=number
                )
            case "note" if child.value["text"] is None:
                message = Message(
                    "Block %(number)s, the note, has no text yet. Write some, or delete the block.", number=number
                )
        if message:
            gaps.append(IncompleteBlock(block=child.id or "", message=message))
    return gaps
