"""Links and images that lead to our stories obey the consent rules of those stories.

Further reading about a story that may not be shown is removed. A text by staff needs a person to look at it.
"""

from collections.abc import Collection, Iterator
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import Q

from newsletter.common.errors import NotReady
from newsletter.common.messages import Message
from newsletter.content.parsing.urls import make_url_search_key, normalise_url
from newsletter.issues.snapshot.consent_rules import EMAIL, find_display_restriction, make_consent_record
from newsletter.issues.snapshot.content_links import find_picture_pages, find_written_links
from newsletter.issues.snapshot.records.blocks import RelatedBlock
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.redact import make_own_page_key
from newsletter.models import Story
from newsletter.models.content.stories import read_story_name
from newsletter.rendering.lint.findings import Finding


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

    ``required``: the publication shows no story without a consent, whatever the story says of itself.
    """
    restricted = _find_restricted_pages(urls, channel=channel, at=at, required=required)
    return frozenset(url for url in urls if normalise_url(url) in restricted)


def check_linked_stories(content: IssueContent, *, at: datetime) -> Iterator[Finding]:
    """Yield an error for each block that links to a story which may not be mailed at that moment.

    Stories that are in the issue are checked elsewhere: readers who must not see one do not get a link to it either.
    """
    inside = {make_own_page_key(story) for version in content.all_versions for story in version.stories}
    links = {link for link in find_related_and_written_links(content) if normalise_url(link) not in inside}
    restricted = _find_restricted_pages(links, channel=EMAIL, at=at, required=content.publication.consent_required)
    found: set[tuple[str, str]] = set()
    for block in content.all_blocks if restricted else ():
        pictured = set(map(normalise_url, find_picture_pages(block)))
        for page in dict.fromkeys(map(normalise_url, find_written_links(block))):
            if page in restricted and (block.key, page) not in found:
                found.add((block.key, page))
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
