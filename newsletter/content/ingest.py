"""Brings what sources say into the tables: one row an entry, updated in place, never over what staff edited."""

import hashlib
import logging
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import transaction
from django.db.models import Q

from newsletter.content.entries import EventEntry, Parsed, SetAside, StoryEntry
from newsletter.content.event_changes import note_change
from newsletter.content.event_zones import settle_zone
from newsletter.content.fetch import Fetcher, FetchError
from newsletter.content.hosting import fetch_picture, make_fetcher
from newsletter.content.moved_events import adopt_moved_events
from newsletter.content.pictures import BadPicture
from newsletter.content.places import locate_event
from newsletter.content.read import TooHeavy, Unreadable, read_source
from newsletter.content.vanished import HELD, cancel_vanished, withdraw_private
from newsletter.models import EventNotice, Picture, SetAsideEntry, Source, Story
from subscribers.models import Topic

log = logging.getLogger(__name__)
LONGEST_BACK_OFF = timedelta(days=1)
CLAIM = timedelta(minutes=5)


@dataclass
class IngestReport:
    """What one look at a source brought. ``error`` is in words for staff."""

    id: int
    name: str
    kind: str
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    cancelled: int = 0
    set_aside: list[SetAside] = field(default_factory=list)
    error: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def ingest_due(*, now: datetime, fetcher: Fetcher | None = None) -> list[IngestReport]:
    """Look at every source that is due; each is claimed first, so that two pollers share them out."""
    due = Source.objects.filter(Q(due_at__isnull=True) | Q(due_at__lte=now), enabled=True)
    return [
        ingest_source(source=source, now=now, fetcher=fetcher)
        for source in due
        if Source.objects.filter(pk=source.pk, due_at=source.due_at).update(due_at=now + CLAIM)
    ]


def ingest_source(*, source: Source, now: datetime, fetcher: Fetcher | None = None) -> IngestReport:
    """Look at one source now. A source that fails is asked less often, and loses nothing that it gave before."""
    report = IngestReport(id=source.pk, name=source.name, kind=source.kind)
    fetcher = fetcher or make_fetcher()
    try:
        reading = read_source(
            kind=source.kind,
            url=source.url,
            etag=source.etag,
            last_modified=source.last_modified,
            fetcher=fetcher,
            now=now,
        )
    except (FetchError, TooHeavy, Unreadable) as error:
        return _failed(source, report, str(error), now, retry_after=getattr(error, "retry_after", None))
    if reading.parsed.error:
        return _failed(source, report, reading.parsed.error, now, retry_after=None)
    if reading.unchanged:
        report.unchanged = source.stories.count() + source.events.count()
    else:
        _store(source, reading.parsed, report, fetcher=fetcher, now=now)
    source.etag, source.last_modified = reading.etag[:500], reading.last_modified[:100]
    if any(aside.entry == HELD for aside in report.set_aside):
        # The next reading must be a whole one: “unchanged” would hold the events for ever.
        source.etag = source.last_modified = ""
    source.failures, source.error, source.good_at = 0, "", now
    _looked(source, now=now, wait=timedelta(minutes=source.every_minutes))
    return report


def _failed(
    source: Source, report: IngestReport, error: str, now: datetime, *, retry_after: float | None
) -> IngestReport:
    report.error = error
    source.failures += 1
    source.error = error
    wait = timedelta(minutes=source.every_minutes) * 2 ** min(source.failures - 1, 8)
    if retry_after:
        wait = max(wait, timedelta(seconds=retry_after))
    _looked(source, now=now, wait=min(wait, max(LONGEST_BACK_OFF, timedelta(minutes=source.every_minutes))))
    return report


def _looked(source: Source, *, now: datetime, wait: timedelta) -> None:
    source.looked_at, source.due_at = now, now + wait
    source.save(
        update_fields=["etag", "last_modified", "listed", "failures", "error", "good_at", "looked_at", "due_at"]
    )


def _store(source: Source, parsed: Parsed, report: IngestReport, *, fetcher: Fetcher, now: datetime) -> None:
    report.set_aside = list(parsed.set_aside)
    for story in parsed.stories:
        _count(report, _store_story(source, story, report, fetcher=fetcher, now=now))
    if source.kind in (Source.Kind.CALENDAR, Source.Kind.EVENTS):
        report.cancelled = withdraw_private(source, parsed, now=now)
        adopt_moved_events(source, parsed, now=now)
    for event in parsed.events:
        _count(report, _store_event(source, event, now=now))
    if source.kind in (Source.Kind.CALENDAR, Source.Kind.EVENTS):
        gone, held = cancel_vanished(source, parsed, now=now)
        report.cancelled += gone
        if held:
            report.set_aside.append(held)
        else:
            # While events are held, the count from before decides at the next reading.
            source.listed = parsed.listed
    _keep_set_aside(source, report, now=now)


def _keep_set_aside(source: Source, report: IngestReport, *, now: datetime) -> None:
    with transaction.atomic():
        source.set_aside.all().delete()
        SetAsideEntry.objects.bulk_create(
            SetAsideEntry(source=source, entry=aside.entry[:300], reason=aside.reason[:500], at=now)
            for aside in report.set_aside
        )


def _count(report: IngestReport, what: str) -> None:
    setattr(report, what, getattr(report, what) + 1)


def _store_story(source: Source, entry: StoryEntry, report: IngestReport, *, fetcher: Fetcher, now: datetime) -> str:
    sha256 = _hash(entry)
    known = Story.objects.filter(source=source, external_id=entry.external_id[:500]).first()
    if known and known.source_sha256 == sha256 and (known.picture_id or not entry.picture_url):
        return "unchanged"
    picture, failure = _picture(entry, fetcher=fetcher)
    kept = known.picture if known and failure else None
    if failure:
        done = "could not be had; the one from before is kept" if kept else "was left out, the story is in"
        report.set_aside.append(SetAside(entry=entry.title, reason=f"Its picture {done}: {failure}"))
    values: dict[str, Any] = {
        "url": entry.url,
        "title": entry.title,
        "teaser": entry.teaser,
        "body_html": entry.body_html,
        "author": entry.author[:200],
        "language": (entry.language or source.language)[:12],
        "picture": picture or kept,
        "picture_alt": known.picture_alt if known and kept else entry.picture_alt[:300],
        "related": [list(pair) for pair in entry.related],
        "pseudonyms": [list(pair) for pair in entry.pseudonyms],
        "published_at": entry.published_at,
        # Without the hash the story is looked at again, and its new picture with it.
        "source_sha256": "" if kept else sha256,
    }
    with transaction.atomic():
        story = _upsert(Story, source, entry.external_id[:500], known, values, now)
        story.topics.add(*_topics(source, entry.categories))
    return "updated" if known else "new"


def _store_event(source: Source, entry: EventEntry, *, now: datetime) -> str:
    sha256 = _hash(entry)
    known = EventNotice.objects.filter(source=source, external_id=entry.external_id[:500]).first()
    if known and known.source_sha256 == sha256:
        return "unchanged"
    located = locate_event(entry, default_region=source.region)
    entry = settle_zone(entry, located=located, source_region=source.region)
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
        "note": " ".join(part for part in (entry.note, located.note) if part)[:500],
        "source_sha256": sha256,
    }
    with transaction.atomic():
        _upsert(EventNotice, source, entry.external_id[:500], known, values, now)
    return "updated" if known else "new"


def _upsert(model: Any, source: Source, external_id: str, known: Any, values: dict[str, Any], now: datetime) -> Any:
    if known is None:
        return model.objects.get_or_create(source=source, external_id=external_id, defaults={**values, "seen_at": now})[
            0
        ]
    for name, value in values.items():
        if name not in known.edited_fields:
            setattr(known, name, value)
    if model is EventNotice:
        note_change(known, now=now)
    known.save()
    return known


def _picture(entry: StoryEntry, *, fetcher: Fetcher) -> tuple[Picture | None, str]:
    """Our copy of the story's picture, or none, with why it cannot be had where there is one."""
    if not entry.picture_url:
        return None, ""
    try:
        return fetch_picture(url=entry.picture_url, alt=entry.picture_alt, fetcher=fetcher), ""
    except (FetchError, BadPicture) as error:
        return None, str(error)


def _topics(source: Source, categories: tuple[str, ...]) -> list[Topic]:
    """The source's own topics, and those that the entry's categories name."""
    named = {category.casefold() for category in categories}
    by_category = [topic for topic in Topic.objects.all() if topic.name.casefold() in named or topic.slug in named]
    return list({topic.pk: topic for topic in [*source.topics.all(), *by_category]}.values())


def _hash(entry: StoryEntry | EventEntry) -> str:
    return hashlib.sha256(orjson.dumps(asdict(entry), option=orjson.OPT_SORT_KEYS)).hexdigest()
