"""Whether an issue's blocks have what they are made of, said in words for staff, before it is resolved to data."""

from typing import NamedTuple

from newsletter.common.errors import NotReady
from newsletter.common.messages import Message
from newsletter.issues.snapshot.resolve import Content, resolve_content
from newsletter.models import Issue


class IncompleteBlock(NamedTuple):
    """A block, by its id, and what it still lacks, in words."""

    block: str
    message: str


def resolve_complete_content(issue: Issue) -> Content:
    """The issue's content. Raises NotReady, naming each block that still lacks what it is made of."""
    gaps = find_incomplete_blocks(issue)
    if gaps:
        raise NotReady(Message.joined((gap.message for gap in gaps), between="\n"))
    return resolve_content(issue)


def find_incomplete_blocks(issue: Issue) -> list[IncompleteBlock]:
    """The blocks that cannot be shown yet."""
    gaps = []
    for number, child in enumerate(issue.body, 1):
        message = ""
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
