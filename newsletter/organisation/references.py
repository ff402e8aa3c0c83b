"""Find the rows that the organisation file names. An unknown name is an error with the nearest known one."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from django.db import models

from newsletter.common.errors import BadFile
from newsletter.models import Appeal, Publication, Source
from newsletter.organisation.value_types import nearest
from subscribers.models import MailingList, Segment, Topic

_Row = TypeVar("_Row", bound=models.Model)


def find_list(name: str, *, where: str) -> MailingList:
    return _find(name, MailingList.objects.all(), by=("slug", "name"), what="list", where=where)


def find_segment(name: str, *, where: str) -> Segment | None:
    """Return the segment, or None for ""."""
    return _find(name, Segment.objects.all(), by=("slug", "name"), what="segment", where=where) if name else None


def find_topics(names: Sequence[str], *, where: str) -> list[Topic]:
    topics = list(Topic.objects.all())
    return _distinct(_find(name, topics, by=("slug", "name"), what="topic", where=where) for name in names)


def find_publications(slugs: Sequence[str], *, where: str) -> list[Publication]:
    publications = list(Publication.objects.all())
    return _distinct(_find(slug, publications, by=("slug",), what="publication", where=where) for slug in slugs)


def find_appeal(slug: str, *, where: str) -> Appeal | None:
    """Return the appeal, or None for ""."""
    return _find(slug, Appeal.objects.all(), by=("slug",), what="appeal", where=where) if slug else None


def find_sources(names: Sequence[str], *, where: str) -> list[Source]:
    sources = list(Source.objects.all())
    return _distinct(_find(name, sources, by=("name",), what="source", where=where) for name in names)


def _find(name: str, rows: Iterable[_Row], *, by: Sequence[str], what: str, where: str) -> _Row:
    rows = list(rows)
    for field in by:
        for row in rows:
            if getattr(row, field) == name:
                return row
    known = [str(getattr(row, by[0])) for row in rows]
    hint = nearest(name, known) or (f"known are {', '.join(known[:12])}." if known else f"there is no {what} yet.")
    raise BadFile(f"{where}: {what} “{name}” is not known; {hint}")


def _distinct(rows: Iterable[_Row]) -> list[_Row]:
    return list({row.pk: row for row in rows}.values())
