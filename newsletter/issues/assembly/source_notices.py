"""Notify staff of a source that has failed for days, once, and when it can be read again."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F
from django.urls import reverse

from newsletter.common.messages import Message
from newsletter.issues.approval.write_notices import list_staff_with_permission, write_notice
from newsletter.issues.assembly.selection import STALE_SOURCE_AGE
from newsletter.models import Publication, Source

KEY_PREFIX = "source-"
FAILING_FOR = timedelta(days=2)
"""How long a source may fail before staff are told by mail. Home names it at once."""
CAN_CHANGE_SOURCES = "newsletter.change_source"


def notify_failing_sources(*, now: datetime) -> None:
    """Queue the notices that are due, for the staff who may change sources. The first publication is the sender."""
    failing = Source.objects.filter(
        enabled=True, failing_since__lte=now - FAILING_FOR, failure_notified_at__isnull=True
    )
    readable = Source.objects.filter(failing_since__isnull=True, last_success_at__gte=F("failure_notified_at"))
    if not failing.exists() and not readable.exists():
        return
    publication = Publication.objects.order_by("pk").first()
    if publication is None:
        return
    for source in failing:
        if Source.objects.filter(pk=source.pk, failure_notified_at__isnull=True).update(failure_notified_at=now):
            subject = Message("The source “%(source)s” cannot be read", source=source.name)
            _write(publication, source, "fails", subject, _describe_failure(source), now=now)
    for source in readable:
        if Source.objects.filter(pk=source.pk, failure_notified_at__isnull=False).update(failure_notified_at=None):
            subject = Message("The source “%(source)s” can be read again", source=source.name)
            what_follows = Message("New stories and events from it are used again. You need not do anything.")
            _write(publication, source, "works", subject, [what_follows], now=now)


def _describe_failure(source: Source) -> list[str]:
    return [
        Message(
            "It has failed since %(day)s. The last reason: %(reason)s",
            day=source.failing_since.date() if source.failing_since else "",
            reason=source.error,
        ),
        Message(
            "New stories and events from it are missing from your issues. After %(days)s days without a reading, its events "
            "are left out too.",
            days=STALE_SOURCE_AGE.days,
        ),
        Message(
            "Correct its address, or turn it off if you no longer need it. You get another notice when it can be read again."
        ),
    ]


def _write(
    publication: Publication, source: Source, what: str, subject: str, paragraphs: list[str], *, now: datetime
) -> None:
    write_notice(
        publication,
        f"{KEY_PREFIX}{source.pk}-{what}-{now:%Y%m%d%H%M%S}",
        subject,
        paragraphs,
        f"{settings.NEWSLETTER_SITE_URL}{reverse('wagtailsnippets_newsletter_source:edit', args=[source.pk])}",
        now,
        people=list_staff_with_permission(CAN_CHANGE_SOURCES),
    )
