"""Stories that their source no longer lists: which of them to ask about, because they may be gone and not merely old."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q

from newsletter.content.fetching.fetcher import Fetcher
from newsletter.content.ingesting.source_visibility import VisibilityReport, update_source_visibility
from newsletter.content.parsing.entries import Parsed
from newsletter.models import Source, Story

MAX_STORIES_CHECKED = 20
_RECHECK_AFTER = timedelta(hours=6)
_SECONDS = 8.0
_COMPLETE_KINDS = (Source.Kind.WORDPRESS, Source.Kind.PAGE)


def check_missing_stories(
    source: Source, parsed: Parsed, *, now: datetime, fetcher: Fetcher, since: datetime
) -> VisibilityReport:
    """Ask about stories told after ``since`` that this reading should have named, and about those that were gone.

    A feed names its newest entries only: what is older than its oldest dated entry merely slid off.
    """
    named = {story.external_id[:500] for story in parsed.stories}
    dates = [story.published_at for story in parsed.stories if story.published_at]
    whole = source.kind in _COMPLETE_KINDS
    oldest = since if whole else max(min(dates), since) if dates else None
    stories = Story.objects.filter(source=source, same_as__isnull=True)
    gone = stories.filter(gone_at__isnull=False, seen_at__gte=since)
    ahead = stories.none() if oldest is None else stories.published_or_seen_since(oldest).exclude(external_id__in=named)
    recently = Q(checked_at__isnull=True) | Q(checked_at__lte=now - _RECHECK_AFTER)
    missing = ahead.filter(gone_at__isnull=True).filter(recently).order_by("-seen_at")[:MAX_STORIES_CHECKED]
    returned = [story for story in gone.order_by("-gone_at")[:MAX_STORIES_CHECKED] if _may_be_back(story, named, now)]
    return update_source_visibility(
        _attach_source(source, [*missing, *returned]), now=now, fetcher=fetcher, seconds=_SECONDS
    )


def _may_be_back(story: Story, named: Iterable[str], now: datetime) -> bool:
    """Return True if its source names it again, or nobody asked for some hours."""
    return story.external_id in named or story.checked_at is None or story.checked_at <= now - _RECHECK_AFTER


def _attach_source(source: Source, stories: Iterable[Story]) -> list[Story]:
    found = list(stories)
    for story in found:
        story.source = source
    return found
