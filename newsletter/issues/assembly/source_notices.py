"""Notify staff of sources that have failed for days, once, and when they can be read again: one notice for all of a round."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.urls import reverse

from newsletter.common.messages import Message
from newsletter.issues.approval.write_notices import list_staff_with_permission, write_notice
from newsletter.issues.assembly.selection import STALE_SOURCE_AGE
from newsletter.models import Publication, Source

KEY_PREFIX = "source-"
FAILING_FOR = timedelta(days=2)
"""Staff are notified by mail at the first failed reading so long after the first one. Home names the source at once."""
CONSEQUENCE = Message("Its new stories and events are missing from your issues until it can be read.")
"""What a failing source means, for pages and commands that name one."""
MIN_FAILURES = 2
MAX_NAMED = 5
CAN_CHANGE_SOURCES = "newsletter.change_source"


def notify_failing_sources(*, now: datetime) -> None:
    """Queue the notices that are due, for the staff who may change sources. The first publication is the sender."""
    failing = Source.objects.filter(
        enabled=True,
        failures__gte=MIN_FAILURES,
        failing_since__lte=F("looked_at") - FAILING_FOR,
        failure_notified_at__isnull=True,
    )
    readable = Source.objects.filter(failing_since__isnull=True, last_success_at__gte=F("failure_notified_at"))
    if not failing.exists() and not readable.exists():
        return
    publication = Publication.objects.order_by("pk").first()
    if publication is None:
        return
    with transaction.atomic():
        claimed = _claim(failing, notified_at=now)
        if claimed:
            _write(
                publication, claimed, "fails", _name_failing(claimed), _describe_failures(claimed, publication), now=now
            )
    with transaction.atomic():
        claimed = _claim(readable, notified_at=None)
        if claimed:
            _write(publication, claimed, "works", _name_readable(claimed), _describe_readable(claimed), now=now)


def _claim(sources: QuerySet[Source], *, notified_at: datetime | None) -> list[Source]:
    """Return the sources that no other worker has claimed, by name."""
    locked = list(sources.select_for_update().order_by("pk"))
    Source.objects.filter(pk__in=[source.pk for source in locked]).update(failure_notified_at=notified_at)
    return sorted(locked, key=lambda source: source.name)


def _name_failing(sources: Sequence[Source]) -> str:
    first = sources[0].name
    if len(sources) == 1:
        return Message("The source “%(source)s” cannot be read", source=first)
    return Message(
        "%(count)s sources cannot be read: “%(source)s” and %(others)s more",
        count=len(sources),
        source=first,
        others=len(sources) - 1,
    )


def _name_readable(sources: Sequence[Source]) -> str:
    first = sources[0].name
    if len(sources) == 1:
        return Message("The source “%(source)s” can be read again", source=first)
    return Message(
        "%(count)s sources can be read again: “%(source)s” and %(others)s more",
        count=len(sources),
        source=first,
        others=len(sources) - 1,
    )


def _describe_failures(sources: Sequence[Source], publication: Publication) -> list[str]:
    zone = ZoneInfo(publication.zone)
    paragraphs: list[str] = [
        Message(
            "“%(source)s” has failed since %(day)s. The last reason: %(reason)s",
            source=source.name,
            day=source.failing_since.astimezone(zone).date() if source.failing_since else "",
            reason=source.error,
        )
        for source in sources[:MAX_NAMED]
    ]
    if len(sources) > MAX_NAMED:
        more = len(sources) - MAX_NAMED
        paragraphs.append(Message("How many more sources cannot be read: %(count)s. Home names them.", count=more))
    return [
        *paragraphs,
        Message(
            "New stories and events from a source that cannot be read are missing from your issues. After %(days)s days "
            "without a reading, its events are left out too.",
            days=STALE_SOURCE_AGE.days,
        ),
        Message(
            "Correct its address, or turn the source off if you no longer need it. If you change neither, you get another "
            "notice when it can be read again."
        ),
    ]


def _describe_readable(sources: Sequence[Source]) -> list[str]:
    if len(sources) == 1:
        return [Message("New stories and events from it are used again. You need not do anything.")]
    paragraphs: list[str] = [
        Message("The source “%(source)s” can be read again", source=source.name) + "." for source in sources[:MAX_NAMED]
    ]
    if len(sources) > MAX_NAMED:
        more = len(sources) - MAX_NAMED
        paragraphs.append(Message("How many more sources can be read again: %(count)s.", count=more))
    return [*paragraphs, Message("New stories and events from them are used again. You need not do anything.")]


def _write(
    publication: Publication,
    sources: Sequence[Source],
    what: str,
    subject: str,
    paragraphs: Sequence[str],
    *,
    now: datetime,
) -> None:
    name, first = "wagtailsnippets_newsletter_source", sources[0].pk
    page = reverse(f"{name}:edit", args=[first]) if len(sources) == 1 else reverse(f"{name}:list")
    write_notice(
        publication,
        f"{KEY_PREFIX}{first}-{what}-{now:%Y%m%d%H%M%S}",
        subject,
        paragraphs,
        f"{settings.NEWSLETTER_SITE_URL}{page}",
        now,
        people=list_staff_with_permission(CAN_CHANGE_SOURCES),
    )
