"""Bare links of an issue that lead to stories of ours: a title tells of the person too, so it may stand only where they may."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from django.db.models import Q

from newsletter.content.same_page import CAMPAIGN, name_page, spell_page
from newsletter.errors import NotReady
from newsletter.issues.care import EMAIL, care_of, find_fault
from newsletter.models import Story

Content = dict[str, Any]


def find_links(content: Content) -> Iterator[str]:
    """The addresses of its further reading."""
    for block in content["blocks"]:
        if block["type"] == "related":
            yield from (url for _title, url in block["links"])


def find_linked_stories(content: Content) -> set[int]:
    """The ids of the stories that its further reading leads to."""
    return {story.pk for story in _stories_at(set(find_links(content)))}


def find_unfit_links(urls: Collection[str], *, channel: str, at: datetime, required: bool) -> frozenset[str]:
    """Those that lead to a story which may not be shown then, or not everywhere: a link is the same for all readers.

    ``required``: the publication shows no story without a consent, whatever the story says of itself.
    """
    unfit = {
        name_page(story.url)
        for story in _stories_at(urls)
        if story.not_in_regions or find_fault(care_of(story), channel=channel, at=at, required=required)
    }
    return frozenset(url for url in urls if name_page(url) in unfit)


def require_fit_links(content: Content, *, at: datetime) -> None:
    """Raises NotReady where one of the links tells of a story that may not be mailed at that moment."""
    required = content["publication"]["consent_required"]
    unfit = find_unfit_links(list(find_links(content)), channel=EMAIL, at=at, required=required)
    if unfit:
        raise NotReady(
            "Its further reading links to a story that may not be shown now: its consent or its embargo is in the way. "
            "Nothing was sent. Take the link out, or wait."
        )


def _stories_at(urls: Collection[str]) -> list[Story]:
    """The stories of these pages, however either address is written."""
    if not urls:
        return []
    names = {name_page(url) for url in urls}
    spelled = {way for url in urls for way in (url, *spell_page(url))}
    found = Story.objects.filter(Q(url__in=spelled) | Q(url__contains=CAMPAIGN))
    return [story for story in found if name_page(story.url) in names]
