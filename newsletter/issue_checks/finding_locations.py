"""Places of check findings in an issue: a label such as “In the lead story “…””, for people in their language."""

from collections.abc import Sequence
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.issues.snapshot.records.blocks import (
    Block,
    LeadStoryBlock,
    NoteBlock,
    PictureBlock,
    RelatedBlock,
    StoriesBlock,
)
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.stories import StoryRecord
from newsletter.rendering.lint.findings import Finding

BLOCK_KINDS = {
    "note": gettext_lazy("note"),
    "lead_story": gettext_lazy("lead story"),
    "stories": gettext_lazy("stories"),
    "events": gettext_lazy("events"),
    "appeal": gettext_lazy("appeal"),
    "related": gettext_lazy("further reading"),
    "quote": gettext_lazy("quote"),
    "picture": gettext_lazy("image"),
    "button": gettext_lazy("button"),
}
MAX_BLOCKS_NAMED = 3
MAX_NAME_LENGTH = 60


class Place(NamedTuple):
    """A block of an issue that a finding is about, or one story in it. ``story`` is its id, or 0."""

    label: str
    block: str
    story: int = 0


def describe_locations(content: IssueContent, *, findings: Sequence[Finding]) -> str:
    """Return the blocks of the findings as text, in the mail's order, or "" if they are in no block."""
    labels = [place.label for place in list_places(content, findings=findings)]
    if not labels:
        return ""
    more = len(labels) - MAX_BLOCKS_NAMED
    where = ", ".join(labels[:MAX_BLOCKS_NAMED])
    if more > 0:
        return _("In %(where)s and %(rest)s more") % {"where": where, "rest": more}
    return _("In %(where)s") % {"where": where}


def list_places(content: IssueContent, *, findings: Sequence[Finding]) -> list[Place]:
    by_block = {finding.block: finding for finding in findings}
    return [
        place
        for number, block in enumerate(content.blocks, 1)
        if block.key in by_block
        for place in _find_places(block, number=number, finding=by_block[block.key])
    ]


def _find_places(block: Block, *, number: int, finding: Finding) -> list[Place]:
    kind = BLOCK_KINDS.get(block.type, block.type.replace("_", " "))
    whole_block = Place(_("block %(number)s, %(kind)s") % {"number": number, "kind": kind}, block.key)
    match block:
        case LeadStoryBlock(story=story):
            return [Place(_("the lead story “%(title)s”") % {"title": _truncate(story.title)}, block.key, story.id)]
        case StoriesBlock():
            return [
                Place(_("the story “%(title)s”") % {"title": _truncate(story.title)}, block.key, story.id)
                for story in block.stories
                if concerns_story(story, finding)
            ] or [whole_block]
        case NoteBlock(heading=title) | RelatedBlock(heading=title) | PictureBlock(caption=title) if title:
            return [Place(_("the %(kind)s “%(title)s”") % {"kind": kind, "title": _truncate(title)}, block.key)]
        case _:
            return [whole_block]


def concerns_story(story: StoryRecord, finding: Finding) -> bool:
    if finding.story:
        return finding.story == story.id
    if finding.code == "alt-empty":
        return story.picture is not None and not story.picture.alt.strip()
    return finding.code == "no-link" and not story.url


def _truncate(text: str) -> str:
    return text if len(text) <= MAX_NAME_LENGTH else text[: MAX_NAME_LENGTH - 1] + "…"
