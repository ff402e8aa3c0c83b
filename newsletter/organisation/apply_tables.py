"""Apply each kind of table in the organisation file: find its row and set its values."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Model

from newsletter.common.errors import BadFile, BadRule, BadSchedule
from newsletter.content.ingesting.source_changes import schedule_changed_source
from newsletter.issues.assembly.schedule import check_schedule
from newsletter.models import Appeal, Brand, Publication, Source
from newsletter.organisation.logos import BRAND, Logos, find_brand
from newsletter.organisation.read_file import entry_label
from newsletter.organisation.references import find_list, find_segment, find_sources, find_topics
from newsletter.organisation.schema import (
    AppealEntry,
    BrandEntry,
    ListEntry,
    PublicationEntry,
    SegmentEntry,
    SourceEntry,
    TopicEntry,
)
from newsletter.organisation.upsert import Change, upsert
from newsletter.organisation.value_types import format_interval, parse_interval_minutes
from subscribers.models import MailingList, Segment, Topic
from subscribers.segments.compile import check_rule

_NEW_SCHEDULE = "0 9 * * thu"


def apply_brand(entry: BrandEntry, *, logos: Logos) -> Change:
    for picture in logos.values():
        if picture is not None and picture._state.adding:
            picture.save()
    row = find_brand() or Brand(slug=BRAND)
    return upsert(kind="brand", name=entry.name or row.name, row=row, values=entry.given() | logos)


def apply_list(entry: ListEntry) -> Change:
    row = MailingList.objects.filter(slug=entry.slug).first() or MailingList(slug=entry.slug)
    values = entry.given()
    if "ask" in values:
        del values["ask"]
        values |= {f"ask_{question}": question in entry.ask for question in ("name", "place", "topics", "language")}
    return upsert(kind="list", name=entry.slug, row=row, values=values)


def apply_topic(entry: TopicEntry) -> Change:
    row = Topic.objects.filter(slug=entry.slug).first() or Topic(slug=entry.slug, name=name_from_slug(entry.slug))
    return upsert(kind="topic", name=entry.slug, row=row, values=entry.given())


def apply_segment(entry: SegmentEntry) -> Change:
    where = entry_label("segment", entry.slug)
    row = Segment.objects.filter(slug=entry.slug).first()
    if row is None:
        if "rule" not in entry.model_fields_set:
            raise BadFile(f'{where}: “rule” is missing. Write rule = {{ list = "…" }}, or rule = {{}} for everybody.')
        row = Segment(slug=entry.slug, name=name_from_slug(entry.slug))
    try:
        check_rule(entry.rule if "rule" in entry.model_fields_set else row.rule)
    except BadRule as error:
        raise BadFile(f"{where}: {error}") from error
    return upsert(kind="segment", name=entry.slug, row=row, values=entry.given())


def apply_source(entry: SourceEntry, *, now: datetime) -> Change:
    values = entry.given()
    many: dict[str, Sequence[Model]] = {}
    if "topics" in values:
        del values["topics"]
        many["topics"] = find_topics(entry.topics, where=entry_label("source", entry.name))
    if "every" in values:
        del values["every"]
        values["every_minutes"] = parse_interval_minutes(entry.every)
    row = Source.objects.filter(name=entry.name).first() or Source(name=entry.name)
    schedule_changed_source(row, changed=[name for name in values if values[name] != getattr(row, name)], now=now)
    return upsert(
        kind="source",
        name=entry.name,
        row=row,
        values=values,
        many=many,
        keys={"every_minutes": "every"},
        show={"every_minutes": format_interval},
    )


def apply_appeal(entry: AppealEntry) -> Change:
    row = Appeal.objects.filter(slug=entry.slug).first() or Appeal(slug=entry.slug)
    return upsert(kind="appeal", name=entry.slug, row=row, values=entry.given(), keys={"audience": "for"})


def apply_publication(entry: PublicationEntry) -> Change:
    where = entry_label("publication", entry.slug)
    values = entry.given()
    many: dict[str, Sequence[Model]] = {}
    if "topics" in values:
        del values["topics"]
        many["topics"] = find_topics(entry.topics, where=where)
    if "sources" in values:
        del values["sources"]
        many["sources"] = find_sources(entry.sources, where=where)
    if "mailing_list" in values:
        values["mailing_list"] = find_list(entry.mailing_list, where=where)
    if "segment" in values:
        values["segment"] = find_segment(entry.segment, where=where)
    row = Publication.objects.filter(slug=entry.slug).first()
    if row is None:
        row = Publication(slug=entry.slug, brand=_brand(where=where))
        if "mailing_list" not in values:
            raise BadFile(f"{where}: “list” is missing.")
    if row._state.adding or {"schedule", "zone"} & values.keys():
        values["schedule"] = _schedule(entry, row=row, where=where)
    if "digest_schedule" in values:
        zone = entry.zone or row.zone
        values["digest_schedule"] = _check_schedule(entry.digest_schedule, zone=zone, where=f"{where}, digest_schedule")
    return upsert(kind="publication", name=entry.slug, row=row, values=values, many=many, keys={"mailing_list": "list"})


def name_from_slug(slug: str) -> str:
    """Make a name from a slug: “near-london” becomes “Near london”."""
    return slug.replace("-", " ").replace("_", " ").strip().capitalize() or slug


def _brand(*, where: str) -> Brand:
    brand = find_brand() or Brand.objects.first()
    if brand is None:
        raise BadFile(f"{where}: there is no [brand] yet, so nobody knows whom it is from. Add [brand] to the file.")
    return brand


def _schedule(entry: PublicationEntry, *, row: Publication, where: str) -> str:
    given = entry.model_fields_set
    schedule = entry.schedule if "schedule" in given else row.schedule
    zone = entry.zone if "zone" in given else row.zone
    if not schedule:
        raise BadFile(f'{where}: “schedule” is missing. Write one such as schedule = "{_NEW_SCHEDULE}".')
    return _check_schedule(schedule, zone=zone, where=where)


def _check_schedule(schedule: str, *, zone: str, where: str) -> str:
    try:
        return check_schedule(schedule=schedule, zone=zone)
    except BadSchedule as error:
        raise BadFile(f"{where}: {error}") from error
