"""Apply each kind of table in the organisation file: find its row and set its values."""

import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from django.db import models
from django.db.models import Model

from newsletter.common.errors import BadFile, BadRule, BadSchedule
from newsletter.common.known_names import find_by_name
from newsletter.common.schedule import check_schedule
from newsletter.content.ingesting.apis.source_keys import is_same_key, may_keep_key, seal_key
from newsletter.content.ingesting.home_location import rereading_events_if_home_zone_changes
from newsletter.content.ingesting.source_changes import apply_floating_zone, schedule_changed_source
from newsletter.content.parsing.apis.addresses import read_source_address
from newsletter.models import Appeal, Brand, MailLimits, Publication, Source
from newsletter.organisation.logos import BRAND, Logos, find_brand
from newsletter.organisation.read_file import entry_label
from newsletter.organisation.schema import (
    AppealEntry,
    BrandEntry,
    CaseEntry,
    LimitsEntry,
    ListEntry,
    PublicationEntry,
    SegmentEntry,
    SourceEntry,
    TopicEntry,
)
from newsletter.organisation.upsert import Change, upsert
from newsletter.organisation.value_types import format_interval, parse_interval_minutes
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.sending.accounts import explain_unusable
from subscribers.models import Case, MailingList, Segment, Topic
from subscribers.segments.compile import check_rule, clean_rule

_NEW_SCHEDULE = "0 9 * * thu"
_Row = TypeVar("_Row", bound=models.Model)


def apply_brand(entry: BrandEntry, *, logos: Logos) -> Change:
    for picture in logos.values():
        if picture is not None and picture._state.adding:
            picture.save()
    row = find_brand() or Brand(slug=BRAND)
    return upsert(kind="brand", name=entry.name or row.name, row=row, values=entry.given() | logos)


def apply_limits(entry: LimitsEntry) -> Change:
    row = MailLimits.objects.first() or MailLimits(pk=1)
    return upsert(kind="limits", name="limits", row=row, values=entry.given())


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


def apply_case(entry: CaseEntry) -> Change:
    row = Case.objects.filter(slug=entry.slug).first() or Case(slug=entry.slug, name=name_from_slug(entry.slug))
    return upsert(kind="case", name=entry.slug, row=row, values=entry.given())


def apply_segment(entry: SegmentEntry) -> Change:
    where, values = entry_label("segment", entry.slug), entry.given()
    row = Segment.objects.filter(slug=entry.slug).first()
    if row is None:
        if "rule" not in values:
            raise BadFile(f'{where}: “rule” is missing. Write rule = {{ list = "…" }}, or rule = {{}} for everybody.')
        row = Segment(slug=entry.slug, name=name_from_slug(entry.slug))
    try:
        if "rule" in values:
            values["rule"] = clean_rule(entry.rule)
        else:
            check_rule(row.rule)  # not clean_rule: the stored rule may have an unknown language
    except BadRule as error:
        raise BadFile(f"{where}: {error}") from error
    return upsert(kind="segment", name=entry.slug, row=row, values=values)


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
    _use_address_and_key(entry, values, row=row)
    changed = [name for name in values if values[name] != getattr(row, name)]
    schedule_changed_source(row, changed=["key" if name == "sealed_key" else name for name in changed], now=now)
    change = upsert(
        kind="source",
        name=entry.name,
        row=row,
        values=values,
        many=many,
        keys={"every_minutes": "every", "sealed_key": "key_variable"},
        show={"every_minutes": format_interval, "sealed_key": lambda sealed: "a key" if sealed else ""},
    )
    apply_floating_zone(row, changed=changed, now=now)
    return change


def _use_address_and_key(entry: SourceEntry, values: dict[str, object], *, row: Source) -> None:
    """Replace the variable by the key in it, sealed, and the address by its usual form.

    An unchanged key stays as it is. A key is never used for another address or kind than those it was given for.
    """
    where = entry_label("source", entry.name)
    if "url" in values:
        address = read_source_address(entry.url, kind=entry.kind if "kind" in values else row.kind or entry.kind)
        if address.key:
            raise BadFile(
                f"{where}: url: this address has a key in it, which everybody who reads the file would see. Write the key in"
                " .env, and the name of its setting as key_variable."
            )
        values["url"] = address.url
    url, kind = values.get("url", row.url), values.get("kind", row.kind)
    if row.sealed_key and not may_keep_key(row, url=str(url), kind=str(kind)):
        values["sealed_key"] = ""
    if values.pop("key_variable", ""):
        key = os.environ.get(entry.key_variable, "").strip()
        if not key:
            raise BadFile(
                f"{where}: key_variable: there is no {entry.key_variable} in the environment or in .env, or it is empty. Nothing"
                f" was changed. Write the source’s key into .env as {entry.key_variable}=KEY, and apply the file again."
            )
        values["sealed_key"] = row.sealed_key if is_same_key(row.sealed_key, key) else seal_key(key)


def apply_appeal(entry: AppealEntry) -> Change:
    row = Appeal.objects.filter(slug=entry.slug).first() or Appeal(slug=entry.slug)
    values = entry.given()
    many: dict[str, Sequence[Model]] = {}
    if "publications" in values:
        del values["publications"]
        many["publications"] = find_publications(entry.publications, where=entry_label("appeal", entry.slug))
    if "translation_of" in values:
        values["translation_of"] = find_appeal(entry.translation_of, where=entry_label("appeal", entry.slug))
    return upsert(kind="appeal", name=entry.slug, row=row, values=values, many=many, keys={"audience": "for"})


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
    _use_accounts(values, where=where)
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
    with rereading_events_if_home_zone_changes():
        return upsert(
            kind="publication", name=entry.slug, row=row, values=values, many=many, keys={"mailing_list": "list"}
        )


def name_from_slug(slug: str) -> str:
    """Make a name from a slug: “near-london” becomes “Near london”."""
    return slug.replace("-", " ").replace("_", " ").strip().capitalize() or slug


def _use_accounts(values: dict[str, object], *, where: str) -> None:
    """Replace an empty first account by the default one. Raise BadFile for an account that cannot be used."""
    if values.get("account") == "":
        values["account"] = DEFAULT_ACCOUNT
    for key in ("account", "second_account"):
        if (name := str(values.get(key, ""))) and (problem := explain_unusable(name)):
            raise BadFile(f"{where}: {key}: {problem}.")


def _brand(*, where: str) -> Brand:
    brand = find_brand() or Brand.objects.find_main()
    if brand is None:
        raise BadFile(f"{where}: there is no [brand] yet, so nobody knows whom it is from. Add [brand] to the file.")
    return brand


def _schedule(entry: PublicationEntry, *, row: Publication, where: str) -> str:
    fields = entry.model_fields_set
    schedule = entry.schedule if "schedule" in fields else row.schedule
    zone = entry.zone if "zone" in fields else row.zone
    if not schedule:
        raise BadFile(f'{where}: “schedule” is missing. Write one such as schedule = "{_NEW_SCHEDULE}".')
    return _check_schedule(schedule, zone=zone, where=where)


def _check_schedule(schedule: str, *, zone: str, where: str) -> str:
    try:
        return check_schedule(schedule=schedule, zone=zone)
    except BadSchedule as error:
        raise BadFile(f"{where}: {error}") from error


def find_list(name: str, *, where: str) -> MailingList:
    return find_by_name(name, MailingList.objects.all(), by=("slug", "name"), what="list", where=where)


def find_segment(name: str, *, where: str) -> Segment | None:
    """Return the segment, or None for ""."""
    return find_by_name(name, Segment.objects.all(), by=("slug", "name"), what="segment", where=where) if name else None


def find_topics(names: Sequence[str], *, where: str) -> list[Topic]:
    topics = list(Topic.objects.all())
    return _distinct(find_by_name(name, topics, by=("slug", "name"), what="topic", where=where) for name in names)


def find_publications(slugs: Sequence[str], *, where: str) -> list[Publication]:
    publications = list(Publication.objects.all())
    return _distinct(find_by_name(slug, publications, by=("slug",), what="publication", where=where) for slug in slugs)


def find_appeal(slug: str, *, where: str) -> Appeal | None:
    """Return the appeal, or None for ""."""
    return find_by_name(slug, Appeal.objects.all(), by=("slug",), what="appeal", where=where) if slug else None


def find_sources(names: Sequence[str], *, where: str) -> list[Source]:
    sources = list(Source.objects.all())
    return _distinct(find_by_name(name, sources, by=("name",), what="source", where=where) for name in names)


def _distinct(rows: Iterable[_Row]) -> list[_Row]:
    return list({row.pk: row for row in rows}.values())
