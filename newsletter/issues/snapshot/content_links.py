"""The web addresses in an issue's content: those that staff wrote, and all that readers can follow.

Links and images that lead to our stories obey the consent rules of those stories. Further reading about a story that may not be
shown is removed. A text by staff needs a person to look at it.
"""

import re
from collections.abc import Collection, Iterator
from datetime import datetime
from functools import reduce
from html import unescape
from operator import or_

from django.db.models import Q
from pydantic import JsonValue

from newsletter.common.errors import NotReady
from newsletter.common.messages import Message
from newsletter.content.parsing.urls import make_url_search_key, normalise_url
from newsletter.issues.snapshot.consent_rules import EMAIL, find_display_restriction, make_consent_record
from newsletter.issues.snapshot.records.blocks import (
    Block,
    CustomBlock,
    EventCardBlock,
    EventsBlock,
    LeadStoryBlock,
    RelatedBlock,
    StoriesBlock,
    list_pictures,
    list_stories,
)
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.fields import to_json
from newsletter.models import Story
from newsletter.models.content.stories import read_story_name
from newsletter.rendering.lint.findings import Finding

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
    block_by_url: dict[str, str] = {}
    for part in (content.brand, content.publication):
        block_by_url.update(dict.fromkeys(_find_followed(to_json(part)), ""))
    for block in content.all_blocks:
        links = _find_written if isinstance(block, CustomBlock) else _find_followed
        for url in links(to_json(block)):
            block_by_url.setdefault(url, block.key)
    return {url: key for url, key in block_by_url.items() if url.startswith(("http://", "https://"))}


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


def find_related_links(content: IssueContent) -> Iterator[str]:
    """Yield the addresses of the content's further reading."""
    for block in content.all_blocks:
        if isinstance(block, RelatedBlock):
            yield from (url for _title, url in block.links)


def find_related_and_written_links(content: IssueContent) -> set[str]:
    """Return the addresses of further reading and those in texts by staff."""
    return {link for block in content.all_blocks for link in find_written_links(block)}


def find_linked_stories(content: IssueContent) -> set[int]:
    """Return the ids of the stories that these addresses lead to."""
    return {story.pk for story in _find_stories_by_url(find_related_and_written_links(content))}


def find_restricted_links(urls: Collection[str], *, channel: str, at: datetime, required: bool) -> frozenset[str]:
    """Return the addresses that lead to a story which may not be shown then, or not in every region.

    ``required``: the publication shows only stories with a consent, even if a story needs none.
    """
    restricted = _find_restricted_pages(urls, channel=channel, at=at, required=required)
    return frozenset(url for url in urls if normalise_url(url) in restricted)


def check_linked_stories(content: IssueContent, *, at: datetime) -> Iterator[Finding]:
    """Yield an error for each block that links to a story which may not be mailed at that moment.

    Stories that are in the issue are checked elsewhere: readers who must not see one do not get a link to it either.
    """
    inside = {story.page_key for version in content.all_versions for story in version.stories}
    links = {link for link in find_related_and_written_links(content) if normalise_url(link) not in inside}
    restricted = _find_restricted_pages(links, channel=EMAIL, at=at, required=content.publication.consent_required)
    reported: set[tuple[str, str]] = set()
    for block in content.all_blocks if restricted else ():
        pictured = set(map(normalise_url, find_picture_pages(block)))
        for page in dict.fromkeys(map(normalise_url, find_written_links(block))):
            if page in restricted and (block.key, page) not in reported:
                reported.add((block.key, page))
                message = _describe_use(restricted[page], pictured=page in pictured)
                yield Finding("error", "linked-story", message, block=block.key)


def require_unrestricted_links(content: IssueContent, *, at: datetime) -> None:
    """Raise NotReady if a link leads to a story that may not be mailed at that moment."""
    finding = next(check_linked_stories(content, at=at), None)
    if finding:
        raise NotReady("%(message)s Nothing was sent.", message=finding.message)


def _describe_use(unfit: Message, *, pictured: bool) -> Message:
    if pictured:
        return Message("An image is of a story that may not be shown: %(unfit)s. Choose another image.", unfit=unfit)
    return Message(
        "A link leads to a story that may not be shown: %(unfit)s. Take the link and what it says out.", unfit=unfit
    )


def find_use_restriction(story: Story, *, channel: str, at: datetime, required: bool) -> Message | None:
    """Return why nothing but the story itself may show its picture or a link to it, or None if other parts may."""
    reason = find_display_restriction(make_consent_record(story), channel=channel, at=at, required=required)
    if not reason and story.not_in_regions:
        return Message("is kept from some regions, and a link or image is the same for all")
    return reason


def _find_restricted_pages(urls: Collection[str], *, channel: str, at: datetime, required: bool) -> dict[str, Message]:
    """Return the reason for each page of a story that may not be shown, by the page's normalised address."""
    restricted = {}
    for story in _find_stories_by_url(urls):
        reason = find_use_restriction(story, channel=channel, at=at, required=required)
        if reason:
            restricted[normalise_url(story.address)] = Message(
                "“%(title)s” %(reason)s", title=story.title, reason=reason
            )
    return restricted


def _find_stories_by_url(urls: Collection[str]) -> list[Story]:
    """Return the stories of these pages, however either address is written."""
    if not urls:
        return []
    names = {normalise_url(url) for url in urls}
    similar = reduce(or_, (Q(url__icontains=mark) for mark in {make_url_search_key(url) for url in urls}))
    rows = Story.objects.filter(similar | Q(url="", pk__in=filter(None, map(read_story_name, urls))))
    return [story for story in rows if normalise_url(story.address) in names]
