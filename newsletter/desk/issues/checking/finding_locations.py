"""Locations of check findings: a label such as “In the lead story “…””, and the desk's URL to fix them."""

from collections.abc import Sequence
from typing import NamedTuple

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.common.translation import translate
from newsletter.issues.snapshot.completeness import find_incomplete_blocks
from newsletter.issues.snapshot.records.blocks import (
    Block,
    LeadStoryBlock,
    NoteBlock,
    RelatedBlock,
    StoriesBlock,
    list_stories,
)
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.stories import StoryRecord
from newsletter.models import Issue
from newsletter.rendering.errors import MergeError
from newsletter.rendering.lint.findings import Finding

_KINDS = {
    "note": gettext_lazy("note"),
    "lead_story": gettext_lazy("lead story"),
    "stories": gettext_lazy("stories"),
    "events": gettext_lazy("events"),
    "appeal": gettext_lazy("appeal"),
    "related": gettext_lazy("further reading"),
    "quote": gettext_lazy("quote"),
    "picture": gettext_lazy("picture"),
    "button": gettext_lazy("button"),
}
MAX_BLOCKS_NAMED = 3
MAX_NAME_LENGTH = 60
_BRAND_FIELDS = frozenset(
    {"postal_address", "website", "donate_url", "donor_portal_url", "social", "logo", "logo_dark", "brand"}
)
_INBOX_FIELDS = frozenset({"subject", "preheader"})
_STORY_CODES = frozenset({"alt-empty", "no-link"})


class FixLink(NamedTuple):
    """The page where a finding can be fixed, and its name. Both are "" if there is no one page."""

    url: str = ""
    label: str = ""


NO_PAGE = FixLink()


class MissingPart(NamedTuple):
    """Something that an issue still lacks before it can become a mail. ``fix_url`` is "" if there is no one place."""

    message: str
    fix_url: str


def describe_locations(content: IssueContent, *, findings: Sequence[Finding]) -> str:
    """Return the blocks of the findings as text, in the mail's order, or "" if they are in no block."""
    codes = {finding.block: finding.code for finding in findings}
    labels = [
        label
        for number, block in enumerate(content.blocks, 1)
        if block.key in codes
        for label in _label_block(block, number=number, code=codes[block.key])
    ]
    if not labels:
        return ""
    rest = len(labels) - MAX_BLOCKS_NAMED
    where = ", ".join(labels[:MAX_BLOCKS_NAMED])
    if rest > 0:
        return _("In %(where)s and %(rest)s more") % {"where": where, "rest": rest}
    return _("In %(where)s") % {"where": where}


def list_missing_parts(issue: Issue, error: Exception) -> list[MissingPart]:
    """Return what keeps the issue from becoming a mail. ``error`` is what resolving or rendering it raised."""
    if isinstance(error, MergeError):
        return [MissingPart(translate(error), _editor_url(issue, error.block))]
    if incomplete := find_incomplete_blocks(issue):
        return [MissingPart(translate(part.message), _editor_url(issue, part.block)) for part in incomplete]
    return [MissingPart(line, "") for line in translate(error).splitlines()]


def find_fix_link(issue: Issue, content: IssueContent, *, finding: Finding) -> FixLink:
    """Return the page of the desk where the finding can be fixed."""
    publication = issue.publication
    if finding.field in _INBOX_FIELDS and not finding.block:
        return _editor_link(issue, finding.field)
    if finding.field in _BRAND_FIELDS and not finding.block:
        url = reverse("wagtailsnippets_newsletter_brand:edit", args=[publication.brand_id])
        return FixLink(url, _("Open the brand"))
    if finding.code == "sender-domain" or finding.field == "publication":
        url = reverse("wagtailsnippets_newsletter_publication:edit", args=[publication.pk])
        return FixLink(url, _("Open the publication"))
    block = next((block for block in content.blocks if block.key == finding.block), None)
    if block is None:
        return NO_PAGE
    concerned = [story.id for story in list_stories(block) if _concerns(story, finding.code)]
    story = finding.story or (concerned[0] if concerned and finding.code in _STORY_CODES else 0)
    if story:
        return FixLink(reverse("wagtailsnippets_newsletter_story:edit", args=[story]), _("Open the story"))
    return _editor_link(issue, block.key)


def _editor_link(issue: Issue, block: str) -> FixLink:
    url = _editor_url(issue, block)
    return FixLink(url, _("Edit it in the issue")) if url else NO_PAGE


def _editor_url(issue: Issue, block: str) -> str:
    """Return the URL of a block, of the subject or of the preheader in the issue's editor."""
    if not (issue.pk and block):
        return ""
    editor = reverse("wagtailsnippets_newsletter_issue:edit", args=[issue.pk])
    anchor = f"panel-child-inbox-child-{block}-wrapper" if block in _INBOX_FIELDS else f"block-{block}-section"
    return f"{editor}#{anchor}"


def _label_block(block: Block, *, number: int, code: str) -> list[str]:
    kind = _KINDS.get(block.type, block.type.replace("_", " "))
    match block:
        case LeadStoryBlock():
            return [_("the lead story “%(value)s”") % {"value": _truncate(block.story.title)}]
        case StoriesBlock():
            stories = [story for story in block.stories if _concerns(story, code)]
            return [_("the story “%(value)s”") % {"value": _truncate(story.title)} for story in stories] or [
                _("block %(number)s, %(kind)s") % {"number": number, "kind": kind}
            ]
        case NoteBlock() | RelatedBlock() if block.heading:
            return [_("the %(kind)s “%(value)s”") % {"kind": kind, "value": _truncate(block.heading)}]
        case _:
            return [_("block %(number)s, %(kind)s") % {"number": number, "kind": kind}]


def _concerns(story: StoryRecord, code: str) -> bool:
    if code == "alt-empty":
        return story.picture is not None and not story.picture.alt.strip()
    return code == "no-link" and not story.url


def _truncate(text: str) -> str:
    return text if len(text) <= MAX_NAME_LENGTH else text[: MAX_NAME_LENGTH - 1] + "…"
