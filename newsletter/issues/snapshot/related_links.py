"""Links of an issue that lead to stories of ours: words that link tell of the person too, so they may stand only where they may.

What is merely listed is left out by itself; where staff wrote of a story, a person has to look.
"""

from collections.abc import Collection, Iterator
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q

from newsletter.common.errors import NotReady
from newsletter.common.messages import Message
from newsletter.content.parsing.page_urls import make_url_search_key, normalise_url
from newsletter.issues.snapshot.consent_rules import EMAIL, find_display_restriction, make_consent_record
from newsletter.issues.snapshot.redact import iter_stories, make_own_page_key
from newsletter.issues.snapshot.written_links import find_written_links
from newsletter.models import Story
from newsletter.rendering.lint.findings import Finding

Content = dict[str, Any]


def find_related_links(content: Content) -> Iterator[str]:
    """The addresses of its further reading."""
    for block in content["blocks"]:
        if block["type"] == "related":
            yield from (url for _title, url in block["links"])


def find_related_and_written_links(content: Content) -> set[str]:
    """The addresses of its further reading, and those in what staff wrote."""
    return {link for block in content["blocks"] for link in find_written_links(block)}


def find_linked_stories(content: Content) -> set[int]:
    """The ids of the stories that these lead to."""
    return {story.pk for story in _find_stories_by_url(find_related_and_written_links(content))}


def find_restricted_links(urls: Collection[str], *, channel: str, at: datetime, required: bool) -> frozenset[str]:
    """Those that lead to a story which may not be shown then, or not everywhere: a link is the same for all readers.

    ``required``: the publication shows no story without a consent, whatever the story says of itself.
    """
    unfit = _find_restricted_pages(urls, channel=channel, at=at, required=required)
    return frozenset(url for url in urls if normalise_url(url) in unfit)


def check_linked_stories(content: Content, *, at: datetime) -> Iterator[Finding]:
    """An error for each block that links to a story which may not be mailed at that moment.

    A story that is in the issue is judged there, and who may not see it does not get what links to it.
    """
    required = content["publication"]["consent_required"]
    inside = {make_own_page_key(story) for story in iter_stories(content)}
    links = {link for link in find_related_and_written_links(content) if normalise_url(link) not in inside}
    unfit = _find_restricted_pages(links, channel=EMAIL, at=at, required=required)
    for block in content["blocks"] if unfit else ():
        for page in dict.fromkeys(map(normalise_url, find_written_links(block))):
            if page in unfit:
                message = Message(
                    "A link leads to a story that may not be shown: %(unfit)s. Take the link and what it says out.",
                    unfit=unfit[page],
                )
                yield Finding("error", "linked-story", message, block=block["key"])


def require_unrestricted_links(content: Content, *, at: datetime) -> None:
    """Raises NotReady where one of the links tells of a story that may not be mailed at that moment."""
    finding = next(check_linked_stories(content, at=at), None)
    if finding:
        raise NotReady("%(message)s Nothing was sent.", message=finding.message)


def _find_restricted_pages(urls: Collection[str], *, channel: str, at: datetime, required: bool) -> dict[str, str]:
    """Of the pages that lead to a story which may not be shown, why not."""
    unfit = {}
    for story in _find_stories_by_url(urls):
        fault = find_display_restriction(make_consent_record(story), channel=channel, at=at, required=required)
        fault = fault or (
            Message("is kept from some regions, and a link is the same for all") if story.not_in_regions else ""
        )
        if fault:
            unfit[normalise_url(story.url)] = f"“{story.title}” {fault}"
    return unfit


def _find_stories_by_url(urls: Collection[str]) -> list[Story]:
    """The stories of these pages, however either address is written."""
    if not urls:
        return []
    names = {normalise_url(url) for url in urls}
    alike = reduce(or_, (Q(url__icontains=mark) for mark in {make_url_search_key(url) for url in urls}))
    return [story for story in Story.objects.filter(alike) if normalise_url(story.url) in names]
