"""Where a finding of the checks stands: in words, and as the address of the desk where it can be put right."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse

from newsletter.issues.content import Content
from newsletter.models import Issue
from newsletter.rendering.lint_types import Finding

_KINDS = {
    "note": "note",
    "lead_story": "lead story",
    "stories": "stories",
    "events": "events",
    "appeal": "appeal",
    "related": "further reading",
    "quote": "quote",
    "picture": "picture",
    "button": "button",
}
MOST_NAMED = 3
LONGEST_NAME = 60
_BRAND = frozenset({"postal_address", "website", "donate_url", "donor_portal_url", "social", "logo", "logo_dark"})
_INBOX = frozenset({"subject", "preheader"})
_OF_THE_STORY = frozenset({"alt-empty", "no-link"})


def say_where(content: Content, *, places: Sequence[tuple[str, str]]) -> str:
    """The blocks in words, in the mail's order. ``places`` are (block key, finding's code); an empty key is no block."""
    codes = dict(places)
    named = [
        name
        for number, block in enumerate(content["blocks"], 1)
        if block["key"] in codes
        for name in _name(block, number=number, code=codes[block["key"]])
    ]
    if not named:
        return ""
    rest = len(named) - MOST_NAMED
    return "In " + ", ".join(named[:MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def find_jump(issue: Issue, content: Content, *, finding: Finding) -> str:
    """Where in the desk it can be mended; "" where there is no one place."""
    editor = reverse("wagtailsnippets_newsletter_issue:edit", args=[issue.pk]) if issue.pk else ""
    publication = issue.publication
    if finding.field in _INBOX and not finding.block:
        return f"{editor}#panel-child-inbox-child-{finding.field}-wrapper"
    if finding.field in _BRAND and not finding.block:
        return reverse("wagtailsnippets_newsletter_brand:edit", args=[publication.brand_id])
    if finding.code == "sender-domain":
        return reverse("wagtailsnippets_newsletter_publication:edit", args=[publication.pk])
    block = next((block for block in content["blocks"] if block["key"] == finding.block), None)
    if block is None:
        return ""
    stories = [story for story in _stories(block) if _concerns(story, finding.code)]
    if stories and finding.code in _OF_THE_STORY:
        return reverse("wagtailsnippets_newsletter_story:edit", args=[stories[0]["id"]])
    return f"{editor}#block-{block['key']}-section"


def _stories(block: dict[str, Any]) -> list[dict[str, Any]]:
    return [block["story"]] if "story" in block else list(block.get("stories", []))


def _name(block: dict[str, Any], *, number: int, code: str) -> list[str]:
    kind = _KINDS.get(block["type"], block["type"].replace("_", " "))
    match block["type"]:
        case "lead_story":
            return [f"the lead story “{_short(block['story']['title'])}”"]
        case "stories":
            stories = [story for story in block["stories"] if _concerns(story, code)]
            return [f"the story “{_short(story['title'])}”" for story in stories] or [f"block {number}, {kind}"]
        case "note" | "related" if block["heading"]:
            return [f"the {kind} “{_short(block['heading'])}”"]
        case _:
            return [f"block {number}, {kind}"]


def _concerns(story: dict[str, Any], code: str) -> bool:
    if code == "alt-empty":
        return bool(story["picture"]) and not story["picture"]["alt"].strip()
    return code == "no-link" and not story["url"]


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1] + "…"
