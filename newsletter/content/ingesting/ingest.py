"""Brings what sources say into the tables: one row an entry, updated in place, never over what staff edited."""

import logging
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from newsletter.content.fetching.errors import FetchError
from newsletter.content.fetching.fetcher import Fetcher
from newsletter.content.images.hosting import make_fetcher
from newsletter.content.ingesting.location_questions import (
    apply_remembered_location,
    has_edited_location,
    join_notes,
    make_location_question,
)
from newsletter.content.ingesting.missing_events import HELD_ENTRY, cancel_missing_events, cancel_private_events
from newsletter.content.ingesting.moved_events import match_moved_events
from newsletter.content.ingesting.read_source import read_source
from newsletter.content.ingesting.source_visibility import check_missing_stories, update_source_visibility
from newsletter.content.ingesting.store_events import resolve_event_zone
from newsletter.content.ingesting.store_rows import create_or_update_row, hash_entry
from newsletter.content.ingesting.store_stories import store_story
from newsletter.content.ingesting.story_images import StoryImageFetcher
from newsletter.content.ingesting.story_rows import ListedEntry, find_shared_addresses
from newsletter.content.parsing.entries import EventEntry, Parsed, SetAside
from newsletter.content.parsing.event_locations import locate_event
from newsletter.content.parsing.sandbox.process import ParserCrashed, ResourceLimitExceeded
from newsletter.models import EventNotice, SetAsideEntry, Source

log = logging.getLogger(__name__)
MAX_BACK_OFF = timedelta(days=1)
CLAIM_PERIOD = timedelta(minutes=5)
MISSING_STORY_WINDOW = timedelta(days=90)
_STORY_KINDS = (Source.Kind.FEED, Source.Kind.WORDPRESS, Source.Kind.PAGE)


@dataclass
class IngestReport:
    """What one look at a source brought. ``error`` is in words for staff.

    ``pictures_waiting`` says that at least one picture is asked for again at the next look.
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

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def ingest_due(*, now: datetime, fetcher: Fetcher | None = None) -> list[IngestReport]:
    """Look at every source that is due; each is claimed first, so that two pollers share them out."""
    due = Source.objects.filter(Q(due_at__isnull=True) | Q(due_at__lte=now), enabled=True)
    return [
        ingest_source(source=source, now=now, fetcher=fetcher)
        for source in due
        if Source.objects.filter(pk=source.pk, due_at=source.due_at).update(due_at=now + CLAIM_PERIOD)
    ]


def ingest_source(*, source: Source, now: datetime, fetcher: Fetcher | None = None) -> IngestReport:
    """Look at one source now. A source that fails is asked less often, and loses nothing that it gave before."""
    report = IngestReport(id=source.pk, name=source.name, kind=source.kind)
    fetcher = fetcher or make_fetcher()
    asks_pages = source.kind != Source.Kind.PAGE
    pictures = StoryImageFetcher(source_url=source.url, fetcher=fetcher, now=now, asks_pages=asks_pages)
    try:
        reading = read_source(
            kind=source.kind,
            url=source.url,
            etag=source.etag,
            last_modified=source.last_modified,
            fetcher=fetcher,
            now=now,
        )
    except (FetchError, ResourceLimitExceeded, ParserCrashed) as error:
        _check_story_page(source, report, fetcher=fetcher, now=now)
        return _record_failure(source, report, error.message, now, retry_after=getattr(error, "retry_after", None))
    if reading.parsed.error:
        _check_story_page(source, report, fetcher=fetcher, now=now)
        return _record_failure(source, report, reading.parsed.error, now, retry_after=None)
    if reading.unchanged:
        report.unchanged = source.origins.count() + source.events.count()
    else:
        _store_entries(source, reading.parsed, report, pictures=pictures, fetcher=fetcher, now=now)
    source.etag, source.last_modified = reading.etag[:500], reading.last_modified[:100]
    if report.pictures_waiting or any(aside.entry == HELD_ENTRY for aside in report.set_aside):
        # The next reading must be a whole one: “unchanged” would hold the events, or lose the pictures, for ever.
        source.etag = source.last_modified = ""
    source.failures, source.error, source.last_success_at = 0, "", now
    _save_schedule(source, now=now, wait=timedelta(minutes=source.every_minutes))
    return report


def _record_failure(
    source: Source, report: IngestReport, error: str, now: datetime, *, retry_after: float | None
) -> IngestReport:
    report.error = error
    source.failures += 1
    source.error = error
    wait = timedelta(minutes=source.every_minutes) * 2 ** min(source.failures - 1, 8)
    if retry_after:
        wait = max(wait, timedelta(seconds=retry_after))
    _save_schedule(source, now=now, wait=min(wait, max(MAX_BACK_OFF, timedelta(minutes=source.every_minutes))))
    return report


def _save_schedule(source: Source, *, now: datetime, wait: timedelta) -> None:
    source.looked_at, source.due_at = now, now + wait
    source.save(
        update_fields=[
            "etag",
            "last_modified",
            "last_event_count",
            "failures",
            "error",
            "last_success_at",
            "looked_at",
            "due_at",
        ]
    )


def _store_entries(
    source: Source,
    parsed: Parsed,
    report: IngestReport,
    *,
    pictures: StoryImageFetcher,
    fetcher: Fetcher,
    now: datetime,
) -> None:
    report.set_aside = list(parsed.set_aside)
    report.set_aside += [SetAside(entry=story.title, reason=story.note) for story in parsed.stories if story.note]
    shared = find_shared_addresses(parsed.stories)
    named = frozenset(story.external_id[:500] for story in parsed.stories)
    for story in parsed.stories:
        place = ListedEntry(source, story, named=named, shared=shared)
        done, failure = store_story(place, pictures=pictures, now=now)
        _count(report, done)
        if failure:
            report.set_aside.append(SetAside(entry=story.title, reason=failure))
    report.set_aside += pictures.list_postponed()
    report.pictures_waiting = pictures.waiting
    if source.kind in (Source.Kind.CALENDAR, Source.Kind.EVENTS):
        report.cancelled = cancel_private_events(source, parsed, now=now)
        match_moved_events(source, parsed, now=now)
    for event in parsed.events:
        _count(report, _store_event(source, event, now=now))
    if source.kind in (Source.Kind.CALENDAR, Source.Kind.EVENTS):
        gone, held = cancel_missing_events(source, parsed, now=now)
        report.cancelled += gone
        if held:
            report.set_aside.append(held)
        else:
            # While events are held, the count from before decides at the next reading.
            source.last_event_count = parsed.listed
    if source.kind in _STORY_KINDS:
        checked = check_missing_stories(source, parsed, now=now, fetcher=fetcher, since=now - MISSING_STORY_WINDOW)
        report.gone += len(checked.gone)
    _keep_set_aside(source, report, now=now)


def _keep_set_aside(source: Source, report: IngestReport, *, now: datetime) -> None:
    with transaction.atomic():
        source.set_aside.all().delete()
        SetAsideEntry.objects.bulk_create(
            SetAsideEntry(source=source, entry=aside.entry[:300], reason=aside.reason, at=now)
            for aside in report.set_aside
        )


def _count(report: IngestReport, what: str) -> None:
    setattr(report, what, getattr(report, what) + 1)


def _check_story_page(source: Source, report: IngestReport, *, fetcher: Fetcher, now: datetime) -> None:
    """A source that is one page of one story may have failed because the story is gone."""
    if source.kind == Source.Kind.PAGE:
        report.gone += len(
            update_source_visibility(source.stories.select_related("source"), now=now, fetcher=fetcher).gone
        )


def _store_event(source: Source, entry: EventEntry, *, now: datetime) -> str:
    sha256 = hash_entry(entry)
    known = EventNotice.objects.filter(source=source, external_id=entry.external_id[:500]).first()
    if known and known.source_sha256 == sha256:
        return "unchanged"
    located = apply_remembered_location(
        locate_event(entry, default_region=source.region), source=source, words=entry.place
    )
    entry = resolve_event_zone(entry, located=located, source_region=source.region)
    values = {
        "title": entry.title,
        "summary": entry.summary,
        "url": entry.url,
        "starts_at": entry.starts_at,
        "ends_at": entry.ends_at,
        "zone": entry.zone,
        "all_day": entry.all_day,
        "day": entry.day,
        "place_text": entry.place[:300],
        "town": located.town,
        "country": located.country,
        "region": located.region,
        "latitude": located.latitude,
        "longitude": located.longitude,
        "online": located.online,
        "cancelled": entry.cancelled,
        "note": join_notes(entry.note, "" if has_edited_location(known) else located.note),
        "place_question": {} if has_edited_location(known) else make_location_question(located),
        "source_sha256": sha256,
    }
    with transaction.atomic():
        create_or_update_row(EventNotice, source, entry.external_id[:500], known, values, now)
    return "updated" if known else "new"
