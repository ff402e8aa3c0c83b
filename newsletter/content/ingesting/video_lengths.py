"""Add the length of a video whose feed does not say it, as YouTube's do not: from the video's page, once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from newsletter.content.fetching.errors import FetchError
from newsletter.content.fetching.fetcher import PAGE, Fetcher
from newsletter.content.ingesting.read_source import robots
from newsletter.content.parsing.entries import StoryEntry
from newsletter.content.parsing.feeds.recordings import VIDEO, read_duration
from newsletter.content.parsing.parse import Document
from newsletter.content.parsing.sandbox.process import ParserCrashed, ResourceLimitExceeded, parse_in_sandbox
from newsletter.models import Source, Story

MAX_PAGES = 5


def add_video_lengths(
    source: Source, stories: Sequence[StoryEntry], *, fetcher: Fetcher, now: datetime
) -> tuple[StoryEntry, ...]:
    """Return the stories with the lengths that are known. Of new videos, at most five pages are read in one visit.

    A page that cannot be read gives no length; the story is used without one.
    """
    unsaid = [story.external_id[:500] for story in stories if story.media == VIDEO and not story.seconds]
    if not unsaid:
        return tuple(stories)
    rows = Story.objects.filter(source=source, external_id__in=unsaid)
    lengths = dict(rows.values_list("external_id", "seconds"))
    new = [story for story in stories if story.external_id[:500] in unsaid and story.external_id[:500] not in lengths]
    for story in new[:MAX_PAGES]:
        lengths[story.external_id[:500]] = _read_length(story.url, fetcher=fetcher, now=now)
    return tuple(
        replace(story, seconds=lengths.get(story.external_id[:500], 0)) if story.external_id[:500] in unsaid else story
        for story in stories
    )


def _read_length(url: str, *, fetcher: Fetcher, now: datetime) -> int:
    try:
        robots.check(url, fetcher=fetcher, now=now)
        page = fetcher.fetch(url, limits=PAGE)
        document = Document("page_picture", page.body, page.url, page.content_type, now)
        return read_duration(parse_in_sandbox(document).extra.get("duration", ""))
    except (FetchError, ResourceLimitExceeded, ParserCrashed):
        return 0
