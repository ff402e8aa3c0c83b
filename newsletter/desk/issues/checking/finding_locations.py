"""Locations of check findings: a label such as “In the lead story “…””, and the desk's URL to fix them."""

from collections.abc import Sequence
from typing import NamedTuple

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.common.translation import translate
from newsletter.desk.issues.issue_page import FIELD_PANELS, editor_url
from newsletter.issues.snapshot.incomplete_parts import find_incomplete_parts
from newsletter.issues.snapshot.records.blocks import (
    Block,
    LeadStoryBlock,
    NoteBlock,
    PictureBlock,
    RelatedBlock,
    StoriesBlock,
    list_stories,
)
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.stories import StoryRecord
from newsletter.models import Issue
from newsletter.rendering.errors import MergeError
from newsletter.rendering.lint.findings import Finding

BLOCK_KINDS = {
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
_STORY_CODES = frozenset({"alt-empty", "no-link"})


class FixLink(NamedTuple):
    """The page where a finding can be fixed, and its name. Both are "" if there is no one page."""

    url: str = ""
    label: str = ""


NO_PAGE = FixLink()


class Place(NamedTuple):
    """A block of an issue that a finding is about, or one story in it. ``story`` is its id, or 0."""

    label: str
    block: str
    story: int = 0


class MissingPart(NamedTuple):
    """Something that an issue still lacks before it can become a mail. ``fix_url`` is "" if there is no one place."""

    message: str
    fix_url: str


def describe_locations(content: IssueContent, *, findings: Sequence[Finding]) -> str:
    """Return the blocks of the findings as text, in the mail's order, or "" if they are in no block."""
    labels = [place.label for place in _list_places(content, findings=findings)]
    if not labels:
        return ""
    rest = len(labels) - MAX_BLOCKS_NAMED
    where = ", ".join(labels[:MAX_BLOCKS_NAMED])
    if rest > 0:
        return _("In %(where)s and %(rest)s more") % {"where": where, "rest": rest}
    return _("In %(where)s") % {"where": where}


def _list_places(content: IssueContent, *, findings: Sequence[Finding]) -> list[Place]:
    by_block = {finding.block: finding for finding in findings}
    return [
        place
        for number, block in enumerate(content.blocks, 1)
        if block.key in by_block
        for place in _find_places(block, number=number, finding=by_block[block.key])
    ]


def list_missing_parts(issue: Issue, error: Exception) -> list[MissingPart]:
    """Return what keeps the issue from becoming a mail. ``error`` is what resolving or rendering it raised."""
    if isinstance(error, MergeError):
        return [MissingPart(translate(error), _editor_url(issue, error.block))]
    if incomplete := find_incomplete_parts(issue):
        return [MissingPart(translate(part.message), _editor_url(issue, part.key)) for part in incomplete]
    return [MissingPart(line, "") for line in translate(error).splitlines()]


def find_fix_link(issue: Issue, content: IssueContent, *, finding: Finding) -> FixLink:
    """Return the page of the desk where the finding can be fixed."""
    publication = issue.publication
    if finding.field in FIELD_PANELS and not finding.block:
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
    if finding.code == "source-name":
        return _editor_link(issue, block.key)
    concerned = [story.id for story in list_stories(block) if _concerns(story, finding)]
    story = finding.story or (concerned[0] if concerned and finding.code in _STORY_CODES else 0)
    if story:
        return FixLink(_story_url(story), _("Open the story"))
    return _editor_link(issue, block.key)


def list_fix_links(issue: Issue, content: IssueContent, *, findings: Sequence[Finding]) -> tuple[FixLink, ...]:
    """Return a link to each place of the findings, named after it; none if there are not several places."""
    places = _list_places(content, findings=findings)
    if len(places) < 2:
        return ()
    opens_story = findings[0].code in _STORY_CODES
    return tuple(
        FixLink(
            _story_url(place.story) if opens_story and place.story else _editor_url(issue, place.block),
            capfirst(place.label),
        )
        for place in places
    )


def _story_url(story: int) -> str:
    return reverse("wagtailsnippets_newsletter_story:edit", args=[story])


def _editor_link(issue: Issue, block: str) -> FixLink:
    url = _editor_url(issue, block)
    return FixLink(url, _("Edit it in the issue")) if url else NO_PAGE


def _editor_url(issue: Issue, block: str) -> str:
    return editor_url(issue, part=block) if issue.pk and block else ""


def _find_places(block: Block, *, number: int, finding: Finding) -> list[Place]:
    kind = BLOCK_KINDS.get(block.type, block.type.replace("_", " "))
    whole = Place(_("block %(number)s, %(kind)s") % {"number": number, "kind": kind}, block.key)
    match block:
        case LeadStoryBlock(story=story):
            return [Place(_("the lead story “%(title)s”") % {"title": _truncate(story.title)}, block.key, story.id)]
        case StoriesBlock():
            return [
                Place(_("the story “%(title)s”") % {"title": _truncate(story.title)}, block.key, story.id)
                for story in block.stories
                if _concerns(story, finding)
            ] or [whole]
        case NoteBlock(heading=title) | RelatedBlock(heading=title) | PictureBlock(caption=title) if title:
            return [Place(_("the %(kind)s “%(title)s”") % {"kind": kind, "title": _truncate(title)}, block.key)]
        case _:
            return [whole]


def _concerns(story: StoryRecord, finding: Finding) -> bool:
    if finding.story:
        return finding.story == story.id
    if finding.code == "alt-empty":
        return story.picture is not None and not story.picture.alt.strip()
    return finding.code == "no-link" and not story.url


def _truncate(text: str) -> str:
    return text if len(text) <= MAX_NAME_LENGTH else text[: MAX_NAME_LENGTH - 1] + "…"
