"""Find the rows that the organisation file names. An unknown name is an error with the nearest known one."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from django.db import models

from newsletter.common.known_names import find_by_name
from newsletter.models import Appeal, Publication, Source
from subscribers.models import MailingList, Segment, Topic

_Row = TypeVar("_Row", bound=models.Model)


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
