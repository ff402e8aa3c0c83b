"""An issue's content without some of its stories: for readers whom they must not reach, and after they were withdrawn.

Pure. Where the lead story goes, the next one leads; where the subject or the preheader told of it, they tell of what is left.
"""

from collections.abc import Collection, Iterator
from typing import Any

from newsletter.content.parsing.page_urls import normalise_url
from newsletter.issues.snapshot.plain_text import escape_merge_fields, shorten
from newsletter.issues.snapshot.written_links import find_written_links

Content = dict[str, Any]
_TITLE_PREFIX_LENGTH = 30


def iter_stories(content: Content) -> Iterator[Content]:
    """Every story of the content, in the order of its blocks."""
    for block in content["blocks"]:
        if "story" in block:
            yield block["story"]
        yield from block.get("stories", [])


def remove_stories(content: Content, *, stories: Collection[int | str]) -> Content:
    """The content without the stories of these ids, and without what links to them or to these addresses, however written.

    Of further reading the link goes, of staff's own words the block: they tell of the story. The same content where it has
    none of them.
    """
    gone = [story for story in iter_stories(content) if story["id"] in stories]
    asked = {normalise_url(one) for one in stories if isinstance(one, str)}
    linked = {normalise_url(link) for block in content["blocks"] for link in find_written_links(block)}
    if not gone and linked.isdisjoint(asked):
        return content
    pages = {make_own_page_key(story) for story in gone} | asked
    kept = (_redact_block(block, stories, pages) for block in content["blocks"])
    blocks = [block for block in kept if block]
    left = {**content, "blocks": _ensure_lead_story(blocks) if _has_lead_story(content) else blocks}
    titles = [title for story in gone for title in (story["title"], story["own_title"])]
    others = [escape_merge_fields(story["title"]) for story in iter_stories(left)]
    if mentions_title(content["subject"], titles=titles):
        left["subject"] = shorten(others[0], 150) if others else content["publication"]["name"]
    if mentions_title(content["preheader"], titles=[*titles, *(story["teaser"] for story in gone)]):
        left["preheader"] = shorten(" · ".join(others[1:4]), 100)
    return left


def make_own_page_key(story: Content) -> str:
    """The name of a story's own page, wherever staff let it lead."""
    return normalise_url(story.get("own_url", story["url"]))


def mentions_title(text: str, *, titles: list[str]) -> bool:
    """Whether a line names one of the titles, also where it was cut."""
    return any(escape_merge_fields(title)[:_TITLE_PREFIX_LENGTH] in text for title in titles if title.strip())


def _has_lead_story(content: Content) -> bool:
    return any(block["type"] == "lead_story" for block in content["blocks"])


def _redact_block(block: Content, stories: Collection[int | str], pages: set[str]) -> Content | None:
    match block["type"]:
        case _ if "story" in block:
            gone = block["story"]["id"] in stories
            return None if gone else {**block, "story": _restore_own_link(block["story"], pages)}
        case _ if "stories" in block:
            kept = [_restore_own_link(story, pages) for story in block["stories"] if story["id"] not in stories]
            return {**block, "stories": kept} if kept else None
        case "related":
            links = [link for link in block["links"] if normalise_url(link[1]) not in pages]
            return {**block, "links": links} if links else None
        case _:
            return block if pages.isdisjoint(map(normalise_url, find_written_links(block))) else None


def _restore_own_link(story: Content, pages: set[str]) -> Content:
    """The story, leading to its own page where staff let it lead to one that is gone."""
    if "own_url" not in story or normalise_url(story["url"]) not in pages:
        return story
    return {**{name: value for name, value in story.items() if name != "own_url"}, "url": story["own_url"]}


def _ensure_lead_story(blocks: list[Content]) -> list[Content]:
    """The first of the other stories leads where there is no lead story any more."""
    if _has_lead_story({"blocks": blocks}):
        return blocks
    for at, block in enumerate(blocks):
        if block["type"] == "stories":
            first, *rest = block["stories"]
            lead = {"type": "lead_story", "key": f"{block['key']}-lead", "story": first}
            return [*blocks[:at], lead, *([{**block, "stories": rest}] if rest else []), *blocks[at + 1 :]]
    return blocks
