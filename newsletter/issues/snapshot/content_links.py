"""The web addresses in an issue's content: those that staff wrote, and all that readers can follow. No database."""

import re
from collections.abc import Iterator
from html import unescape

from pydantic import JsonValue

from newsletter.issues.snapshot.records.blocks import (
    Block,
    CustomBlock,
    EventCardBlock,
    EventsBlock,
    LeadStoryBlock,
    StoriesBlock,
    list_pictures,
    list_stories,
)
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.fields import to_json

_HREF = re.compile(r'\bhref="([^"]+)"')
_PICTURES = frozenset({"picture", "logo", "logo_dark"})
_URL_FIELDS = frozenset({"url", "website", "donate_url", "donor_portal_url", "host_url"})


def find_written_links(block: Block) -> Iterator[str]:
    """Yield the addresses that staff wrote into a block: further reading, buttons, appeals, links in texts.

    The picture of another story counts as a link to that story. Addresses that come from the rows of stories and events
    are left out.
    """
    if not isinstance(block, LeadStoryBlock | StoriesBlock | EventsBlock | EventCardBlock):
        yield from _find_written(to_json(block))
    for story in list_stories(block):
        if story.own_url is not None:
            yield story.url
    yield from find_picture_pages(block)


def find_picture_pages(block: Block) -> set[str]:
    """Return the pages of the stories whose pictures staff chose for this block."""
    return {picture.story_url for picture in list_pictures(block) if picture.story_url}


def find_web_links(content: IssueContent) -> dict[str, str]:
    """Return every web address that readers can follow, with the key of its block ("" for the brand's)."""
    found: dict[str, str] = {}
    for part in (content.brand, content.publication):
        found.update(dict.fromkeys(_find_followed(to_json(part)), ""))
    for block in content.all_blocks:
        links = _find_written if isinstance(block, CustomBlock) else _find_followed
        for url in links(to_json(block)):
            found.setdefault(url, block.key)
    return {url: key for url, key in found.items() if url.startswith(("http://", "https://"))}


def _find_written(value: JsonValue, *, name: str = "") -> Iterator[str]:
    match value:
        case str() if name == "html":
            yield from _find_hrefs(value)
        case str() if value.startswith(("http://", "https://")) and " " not in value.strip():
            yield value
        case list():
            for item in value:
                yield from _find_written(item, name=name)
        case dict():
            for key, item in value.items():
                if key not in _PICTURES and not _is_picture(item):
                    yield from _find_written(item, name=key)


def _find_followed(value: JsonValue, *, name: str = "") -> Iterator[str]:
    match value:
        case str() if name in _URL_FIELDS and value:
            yield value
        case str() if name == "html":
            yield from _find_hrefs(value)
        case [str(), str(url)] if name in ("links", "social"):
            yield url
        case list():
            for item in value:
                yield from _find_followed(item, name=name)
        case dict():
            for key, item in value.items():
                if key not in _PICTURES:
                    yield from _find_followed(item, name=key)


def _find_hrefs(html: str) -> Iterator[str]:
    return map(unescape, _HREF.findall(html))


def _is_picture(value: JsonValue) -> bool:
    return isinstance(value, dict) and "weight" in value
