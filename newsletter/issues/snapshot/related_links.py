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
from newsletter.content.parsing.same_page import mark_page, name_page
from newsletter.issues.snapshot.consent_rules import EMAIL, care_of, find_fault
from newsletter.issues.snapshot.redact import own_page, stories_of
from newsletter.issues.snapshot.written_links import written_links
from newsletter.models import Story
from newsletter.rendering.lint.findings import Finding

Content = dict[str, Any]


def find_links(content: Content) -> Iterator[str]:
    """The addresses of its further reading."""
    for block in content["blocks"]:
        if block["type"] == "related":
            yield from (url for _title, url in block["links"])


def find_all_links(content: Content) -> set[str]:
    """The addresses of its further reading, and those in what staff wrote."""
    return {link for block in content["blocks"] for link in written_links(block)}


def find_linked_stories(content: Content) -> set[int]:
    """The ids of the stories that these lead to."""
    return {story.pk for story in _stories_at(find_all_links(content))}


def find_unfit_links(urls: Collection[str], *, channel: str, at: datetime, required: bool) -> frozenset[str]:
    """Those that lead to a story which may not be shown then, or not everywhere: a link is the same for all readers.

    ``required``: the publication shows no story without a consent, whatever the story says of itself.
    """
    unfit = _find_unfit(urls, channel=channel, at=at, required=required)
    return frozenset(url for url in urls if name_page(url) in unfit)


def check_links(content: Content, *, at: datetime) -> Iterator[Finding]:
    """An error for each block that links to a story which may not be mailed at that moment.

    A story that is in the issue is judged there, and who may not see it does not get what links to it.
    """
    required = content["publication"]["consent_required"]
    inside = {own_page(story) for story in stories_of(content)}
    links = {link for link in find_all_links(content) if name_page(link) not in inside}
    unfit = _find_unfit(links, channel=EMAIL, at=at, required=required)
    for block in content["blocks"] if unfit else ():
        for page in dict.fromkeys(map(name_page, written_links(block))):
            if page in unfit:
                message = Message(
                    "A link leads to a story that may not be shown: %(unfit)s. Take the link and what it says out.",
                    unfit=unfit[page],
                )
                yield Finding("error", "linked-story", message, block=block["key"])


def require_fit_links(content: Content, *, at: datetime) -> None:
    """Raises NotReady where one of the links tells of a story that may not be mailed at that moment."""
    finding = next(check_links(content, at=at), None)
    if finding:
        raise NotReady("%(message)s Nothing was sent.", message=finding.message)


def _find_unfit(urls: Collection[str], *, channel: str, at: datetime, required: bool) -> dict[str, str]:
    """Of the pages that lead to a story which may not be shown, why not."""
    unfit = {}
    for story in _stories_at(urls):
        fault = find_fault(care_of(story), channel=channel, at=at, required=required)
        fault = fault or (
            Message("is kept from some regions, and a link is the same for all") if story.not_in_regions else ""
        )
        if fault:
            unfit[name_page(story.url)] = f"“{story.title}” {fault}"
    return unfit


def _stories_at(urls: Collection[str]) -> list[Story]:
    """The stories of these pages, however either address is written."""
    if not urls:
        return []
    names = {name_page(url) for url in urls}
    alike = reduce(or_, (Q(url__icontains=mark) for mark in {mark_page(url) for url in urls}))
    return [story for story in Story.objects.filter(alike) if name_page(story.url) in names]
