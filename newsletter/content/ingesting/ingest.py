"""Ingest sources: store their entries, one row each. An update never overwrites a field that staff edited."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from newsletter.common.database.change_watch import ending_no_rest
from newsletter.common.database.future_times import make_ahead_filter
from newsletter.common.errors import NotReady
from newsletter.common.extension_registry import MissingExtension
from newsletter.content.fetching.errors import FetchError
from newsletter.content.fetching.fetcher import PAGE, Fetcher
from newsletter.content.images.hosting import make_fetcher
from newsletter.content.ingesting.apis.source_keys import open_key
from newsletter.content.ingesting.link_translations import link_translations
from newsletter.content.ingesting.missing_events import cancel_missing_events, cancel_private_events
from newsletter.content.ingesting.moved_events import match_moved_events
from newsletter.content.ingesting.read_source import describe_failed_reading, read_source, robots
from newsletter.content.ingesting.source_visibility import (
    check_gone_stories,
    check_missing_stories,
    update_source_visibility,
)
from newsletter.content.ingesting.store_events import store_event
from newsletter.content.ingesting.store_stories import ListedEntry, find_shared_addresses, store_story
from newsletter.content.ingesting.story_images import StoryImageFetcher
from newsletter.content.parsing.documents import Document
from newsletter.content.parsing.entries import Parsed, SetAside, StoryEntry
from newsletter.content.parsing.feeds.recordings import VIDEO, read_duration
from newsletter.content.parsing.sandbox.process import ParserCrashed, ResourceLimitExceeded, parse_in_sandbox
from newsletter.content.parsing.source_kind import gives_events
from newsletter.models import SetAsideEntry, Source, Story

MAX_BACK_OFF = timedelta(days=1)
CLAIM_PERIOD = timedelta(minutes=5)
MISSING_STORY_WINDOW = timedelta(days=90)
MAX_PAGES = 5
_SETTINGS = ("kind", "url", "region", "language", "floating_zone")
"""If staff change one of these while the source is read, it is read again at once and completely."""


@dataclass
class IngestReport:
    """The result of reading one source. ``error`` is for staff.

    ``pictures_waiting`` means that at least one image is fetched again at the next reading.
    """

    id: int
    name: str
    kind: str
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    cancelled: int = 0
    gone: int = 0
    set_aside: list[SetAside] = field(default_factory=list)
    error: str = ""
    pictures_waiting: bool = False

    @property
    def has_changes(self) -> bool:
        return bool(self.new or self.updated or self.cancelled or self.gone)

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def ingest_due(*, now: datetime) -> list[IngestReport]:
    """Ingest every source that is due. Each is claimed first, so that two workers share them.

    A source that was read in the future is due too: a clock was ahead then.
    """
    was_ahead = make_ahead_filter("looked_at", now=now) & Q(due_at__gt=now + CLAIM_PERIOD)
    due = Source.objects.filter(Q(due_at__isnull=True) | Q(due_at__lte=now) | was_ahead, enabled=True)
    return [ingest_source(source=source, now=now) for source in due if _claim(source, now=now)]


def _claim(source: Source, *, now: datetime) -> bool:
    with ending_no_rest():
        claimed = Source.objects.filter(pk=source.pk, due_at=source.due_at).update(due_at=now + CLAIM_PERIOD)
    return bool(claimed)


def find_unread_sources() -> QuerySet[Source]:
    """Return the sources in use that were never read, not even without success."""
    return Source.objects.filter(enabled=True, looked_at__isnull=True)


def ingest_source(*, source: Source, now: datetime, fetcher: Fetcher | None = None) -> IngestReport:
    """Ingest one source now. A source that fails is read less often. Its earlier content stays."""
    report = IngestReport(id=source.pk, name=source.name, kind=source.kind)
    fetcher = fetcher or make_fetcher()
    may_fetch_pages = source.kind != Source.Kind.PAGE
    pictures = StoryImageFetcher(source_url=source.url, fetcher=fetcher, now=now, may_fetch_pages=may_fetch_pages)
    try:
        reading = read_source(
            kind=source.kind,
            url=source.url,
            etag=source.etag,
            last_modified=source.last_modified,
            key=open_key(source),
            fetcher=fetcher,
            now=now,
        )
    except (FetchError, ResourceLimitExceeded, ParserCrashed, NotReady, MissingExtension) as error:
        _check_story_page(source, report, fetcher=fetcher, now=now)
        reason = describe_failed_reading(error)
        return _record_failure(source, report, reason, now, retry_after=getattr(error, "retry_after", None))
    if reading.parsed.error:
        _check_story_page(source, report, fetcher=fetcher, now=now)
        return _record_failure(source, report, reading.parsed.error, now, retry_after=None)
    events_held = False
    if reading.unchanged:
        report.unchanged = source.origins.count() + source.events.count()
        check_gone_stories(source, now=now, fetcher=fetcher, since=now - MISSING_STORY_WINDOW)
    else:
        events_held = _store_entries(source, reading.parsed, report, pictures=pictures, fetcher=fetcher, now=now)
    source.etag, source.last_modified = reading.etag[:500], reading.last_modified[:100]
    if report.pictures_waiting or events_held:
        # Force a complete reading next time: after “not modified”, held events and missing images would never be handled.
        source.etag = source.last_modified = ""
    source.failures, source.failing_since, source.error, source.last_success_at = 0, None, "", now
    wait = max(timedelta(minutes=source.every_minutes), timedelta(seconds=reading.retry_after or 0))
    _save_schedule(source, now=now, wait=wait)
    return report


def _record_failure(
    source: Source, report: IngestReport, error: str, now: datetime, *, retry_after: float | None
) -> IngestReport:
    report.error = error
    source.failures += 1
    source.failing_since = source.failing_since or now
    source.error = error
    wait = timedelta(minutes=source.every_minutes) * 2 ** min(source.failures - 1, 8)
    if retry_after:
        wait = max(wait, timedelta(seconds=retry_after))
    _save_schedule(source, now=now, wait=min(wait, max(MAX_BACK_OFF, timedelta(minutes=source.every_minutes))))
    return report


def _save_schedule(source: Source, *, now: datetime, wait: timedelta) -> None:
    # The assembly of a new publication waits for the first reading of each source.
    is_first, source.looked_at, source.due_at = source.looked_at is None, now, now + wait
    with nullcontext() if is_first else ending_no_rest():
        source.save(
            update_fields=[
                "last_event_count",
                "failures",
                "failing_since",
                "error",
                "last_success_at",
                "looked_at",
            ]
        )
        unchanged = Source.objects.filter(pk=source.pk, **{name: getattr(source, name) for name in _SETTINGS})
        unchanged.update(etag=source.etag, last_modified=source.last_modified, due_at=source.due_at)


def _store_entries(
    source: Source,
    parsed: Parsed,
    report: IngestReport,
    *,
    pictures: StoryImageFetcher,
    fetcher: Fetcher,
    now: datetime,
) -> bool:
    """Store all entries of one reading. Return True if missing events are held until the next one."""
    report.set_aside = list(parsed.set_aside)
    report.set_aside += [SetAside(entry=story.title, reason=story.note) for story in parsed.stories if story.note]
    held: SetAside | None = None
    stories = add_video_lengths(source, parsed.stories, fetcher=fetcher, now=now)
    shared = find_shared_addresses(parsed.stories)
    external_ids = frozenset(story.external_id[:500] for story in parsed.stories)
    for story in stories:
        listing = ListedEntry(source, story, named=external_ids, shared=shared)
        outcome, failure = store_story(listing, pictures=pictures, now=now)
        _count(report, outcome)
        if failure:
            report.set_aside.append(SetAside(entry=story.title, reason=failure))
    link_translations((story.url, story.translations) for story in parsed.stories)
    report.set_aside += pictures.list_postponed()
    if gives_events(source.kind):
        report.cancelled = cancel_private_events(source, parsed, now=now)
        match_moved_events(source, parsed, now=now)
    for event in parsed.events:
        _count(report, store_event(source, event, now=now))
    if gives_events(source.kind):
        missing, held = cancel_missing_events(source, parsed, now=now)
        report.cancelled += missing
        if held is None:
            # While events are held, the earlier count decides at the next reading.
            source.last_event_count = parsed.listed
    if not gives_events(source.kind):
        checked = check_missing_stories(source, parsed, now=now, fetcher=fetcher, since=now - MISSING_STORY_WINDOW)
        report.gone += len(checked.gone)
    report.pictures_waiting = pictures.waiting
    _save_set_aside(source, report, held=held, now=now)
    return held is not None


def _save_set_aside(source: Source, report: IngestReport, *, held: SetAside | None, now: datetime) -> None:
    code = SetAsideEntry.Code
    rows = [(aside, code.ENTRY) for aside in report.set_aside] + ([(held, code.EVENTS_HELD)] if held else [])
    report.set_aside = [aside for aside, _ in rows]
    with transaction.atomic():
        source.set_aside.all().delete()
        SetAsideEntry.objects.bulk_create(
            SetAsideEntry(source=source, code=code, entry=aside.entry, reason=aside.reason, at=now)
            for aside, code in rows
        )


def _count(report: IngestReport, outcome: str) -> None:
    setattr(report, outcome, getattr(report, outcome) + 1)


def _check_story_page(source: Source, report: IngestReport, *, fetcher: Fetcher, now: datetime) -> None:
    """Check the story of a source that is one page: the source may have failed because the story is gone."""
    if source.kind == Source.Kind.PAGE:
        report.gone += len(
            update_source_visibility(source.stories.select_related("source"), now=now, fetcher=fetcher).gone
        )


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
