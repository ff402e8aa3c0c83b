"""Record which stories their sources still show: choose the stories to check, and update their rows."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import F, Q, QuerySet

from newsletter.common.database.future_times import is_ahead, make_ahead_filter
from newsletter.content.fetching.fetcher import Fetcher
from newsletter.content.images.hosting import make_fetcher
from newsletter.content.ingesting.story_check import (
    DOUBTFUL,
    SHOWN,
    UNKNOWN,
    VisibilityAnswer,
    VisibilityQuestion,
    check_stories,
)
from newsletter.content.parsing.alternates import Alternates
from newsletter.content.parsing.entries import Parsed
from newsletter.content.parsing.source_kind import SOURCE_KINDS
from newsletter.models import Source, Story
from newsletter.outbound.publishing_facts import report_story
from subscribers.models import EventKind

DESK_ID_PREFIX = "desk:"
CHECK_SECONDS = 8.0
_MAX_OTHERS = 10
MAX_STORIES_CHECKED = 20
_RECHECK_AFTER = timedelta(hours=6)
_FIRST_RECHECK_AFTER = timedelta(minutes=10)
MISSING_CHECK_SECONDS = 8.0


@dataclass(frozen=True)
class VisibilityReport:
    """The result of a check: stories that are gone now, that are back, and those of which nothing is known, with the reason.

    ``doubtful`` are the unknown ones that their site reports as removed, together with its other pages. ``translations`` has the
    pages in other languages that a story's page names, by the story's address.
    """

    gone: list[Story] = field(default_factory=list)
    back: list[Story] = field(default_factory=list)
    unknown: list[tuple[Story, str]] = field(default_factory=list)
    doubtful: list[tuple[Story, str]] = field(default_factory=list)
    translations: dict[str, Alternates] = field(default_factory=dict)


def update_source_visibility(
    stories: Iterable[Story],
    *,
    now: datetime,
    fetcher: Fetcher | None = None,
    fresh: timedelta = timedelta(),
    seconds: float = CHECK_SECONDS,
) -> VisibilityReport:
    """Ask the sites of these stories, and record the answers. Never call it inside a transaction: it waits for others.

    Skip stories that were checked less than ``fresh`` ago, and those that staff wrote here.
    """
    to_check = {story.pk: story for story in stories if is_checkable(story) and not _is_fresh(story, fresh, now)}
    if not to_check:
        return VisibilityReport()
    others = _list_others(to_check.values())
    questions = [_make_question(story, others.get(story.source_id or 0, ())) for story in to_check.values()]
    answers = check_stories(questions, fetcher=fetcher or make_fetcher(), seconds=seconds)
    checked = VisibilityReport()
    with transaction.atomic():
        for pk, answer in answers.items():
            _record(to_check[pk], answer, checked, now=now)
    return checked


def is_checkable(story: Story) -> bool:
    """Return True if the story has a source whose site can be asked. A story that staff wrote here has none."""
    ours = story.source is None or story.external_id.startswith(DESK_ID_PREFIX)
    return not ours and story.url.startswith(("http://", "https://"))


def _is_fresh(story: Story, fresh: timedelta, now: datetime) -> bool:
    return _was_checked(story, within=fresh, now=now) and not story.check_failed


def _was_checked(story: Story, *, within: timedelta, now: datetime) -> bool:
    """Return True if the story was checked recently, and not by a clock that was ahead."""
    return story.checked_at is not None and story.checked_at > now - within and not is_ahead(story.checked_at, now=now)


def _make_question(story: Story, others: tuple[str, ...]) -> VisibilityQuestion:
    source = story.source
    numbered = source is not None and source.kind == Source.Kind.WORDPRESS and "url" not in story.edited_fields
    return VisibilityQuestion(
        key=story.pk,
        url=story.url,
        etag=story.page_etag,
        last_modified=story.page_modified,
        site=source.url if source is not None and numbered else "",
        identity=story.external_id if numbered else "",
        others=others,
    )


def _list_others(stories: Collection[Story]) -> dict[int, tuple[str, ...]]:
    """Return the addresses of other stories by source, the most recently listed first."""
    rows = Story.objects.filter(gone_at__isnull=True, same_as__isnull=True)
    rows = rows.exclude(pk__in=[story.pk for story in stories]).exclude(external_id__startswith=DESK_ID_PREFIX)
    return {
        source: tuple(
            rows.filter(source=source).order_by("-seen_at", "-pk").values_list("url", flat=True)[:_MAX_OTHERS]
        )
        for source in {story.source_id for story in stories if story.source_id}
    }


def _record(story: Story, answer: VisibilityAnswer, checked: VisibilityReport, *, now: datetime) -> None:
    if answer.code in (UNKNOWN, DOUBTFUL):
        checked.unknown.append((story, answer.reason))
        if answer.code == DOUBTFUL:
            checked.doubtful.append((story, answer.reason))
        _save(story, check_failed=answer.reason)
        return
    is_shown = answer.code == SHOWN
    if answer.translations:
        checked.translations[story.url] = answer.translations
    if is_shown and story.gone_at is not None:
        checked.back.append(story)
        report_story(EventKind.STORY_CORRECTED, story, now=now)
    if not is_shown and story.gone_at is None:
        checked.gone.append(story)
        report_story(EventKind.STORY_WITHDRAWN, story, now=now)
    _save(
        story,
        gone_at=None if is_shown else story.gone_at or now,
        gone_code="" if is_shown else answer.code,
        checked_at=now,
        check_failed="",
        page_etag=answer.etag,
        page_modified=answer.last_modified,
    )


def _save(story: Story, **changes: object) -> None:
    """Write the changes to the story and to the rows that it replaces."""
    Story.objects.filter(Q(pk=story.pk) | Q(same_as=story.pk)).update(**changes)
    for name, value in changes.items():
        setattr(story, name, value)


def check_missing_stories(
    source: Source, parsed: Parsed, *, now: datetime, fetcher: Fetcher, since: datetime
) -> VisibilityReport:
    """Check stories published after ``since`` that this reading should list, and those that were gone.

    A feed lists its newest entries only: a story older than its oldest dated entry is not missing.
    """
    listed_ids = {story.external_id[:500] for story in parsed.stories}
    dates = [story.published_at for story in parsed.stories if story.published_at]
    whole = source.kind in SOURCE_KINDS and SOURCE_KINDS[source.kind].lists_all
    oldest = since if whole else max(min(dates), since) if dates else None
    stories = Story.objects.filter(source=source, same_as__isnull=True)
    gone = stories.filter(gone_at__isnull=False, seen_at__gte=since)
    ahead = (
        stories.none()
        if oldest is None
        else stories.published_or_seen_since(oldest).exclude(external_id__in=listed_ids)
    )
    due = (
        Q(checked_at__isnull=True) | Q(checked_at__lte=now - _RECHECK_AFTER) | make_ahead_filter("checked_at", now=now)
    )
    missing = ahead.filter(gone_at__isnull=True).filter(due).order_by("-seen_at")[:MAX_STORIES_CHECKED]
    returned = _list_possibly_back(gone, listed_ids=listed_ids, now=now)
    return update_source_visibility(
        _attach_source(source, [*missing, *returned]), now=now, fetcher=fetcher, seconds=MISSING_CHECK_SECONDS
    )


def check_gone_stories(source: Source, *, now: datetime, fetcher: Fetcher, since: datetime) -> VisibilityReport:
    """Check stories published after ``since`` that were gone: a page can be back although its source is unchanged."""
    gone = Story.objects.filter(source=source, same_as__isnull=True, gone_at__isnull=False, seen_at__gte=since)
    returned = _list_possibly_back(gone, listed_ids=(), now=now)
    return update_source_visibility(
        _attach_source(source, returned), now=now, fetcher=fetcher, seconds=MISSING_CHECK_SECONDS
    )


def _list_possibly_back(gone: QuerySet[Story], *, listed_ids: Collection[str], now: datetime) -> list[Story]:
    """Return the stories to check, the longest unchecked first, so that each has its turn. Those without an answer come last."""
    oldest_first = gone.order_by("check_failed", F("checked_at").asc(nulls_first=True), "pk")
    due = (story for story in oldest_first if _may_be_back(story, listed_ids, now))
    return list(islice(due, MAX_STORIES_CHECKED))


def _may_be_back(story: Story, listed_ids: Collection[str], now: datetime) -> bool:
    """Return True if its source lists the story again, or if it was not checked for some time.

    The longer a story is gone, the less often it is checked: the time doubles, from ten minutes to six hours.
    """
    if story.external_id in listed_ids or story.checked_at is None or story.gone_at is None:
        return True
    wait = min(max(story.checked_at - story.gone_at, _FIRST_RECHECK_AFTER), _RECHECK_AFTER)
    return not _was_checked(story, within=wait, now=now)


def _attach_source(source: Source, stories: Iterable[Story]) -> list[Story]:
    found = list(stories)
    for story in found:
        story.source = source
    return found
