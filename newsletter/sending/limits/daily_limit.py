"""The daily limit of a publication and the warm-up of a new domain. What exceeds today's limit is sent tomorrow."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import F

from newsletter.models import Batch, Publication, SendingDay

WARM_UP_LIMITS = (50, 100, 500, 1_000, 5_000, 10_000, 20_000, 40_000, 70_000, 100_000)


def find_daily_limit(publication: Publication, *, day: date) -> int | None:
    """Return the most people for a local day, or None without a limit."""
    limits = [publication.people_per_day] if publication.people_per_day else []
    if publication.warm_up_from:
        age = max((day - publication.warm_up_from).days, 0)
        if age < len(WARM_UP_LIMITS):
            limits.append(WARM_UP_LIMITS[age])
    return min(limits) if limits else None


def find_limit_today(publication: Publication, *, now: datetime) -> int | None:
    """Return today's limit, which is also the largest batch that can be sent in a day."""
    return find_daily_limit(publication, day=_today(publication, now))


def reserve_daily_quota(batch: Batch, *, now: datetime) -> datetime | None:
    """Count the batch's people against today's limit. If they do not fit, return when tomorrow begins."""
    publication = batch.send.issue.publication
    today = _today(publication, now)
    limit = find_daily_limit(publication, day=today)
    if limit is None:
        return None
    SendingDay.objects.get_or_create(publication=publication, day=today)
    with_room = SendingDay.objects.filter(publication=publication, day=today, people__lte=limit - batch.size)
    if with_room.update(people=F("people") + batch.size):
        return None
    return datetime.combine(today + timedelta(days=1), time(), ZoneInfo(publication.zone))


def release_daily_quota(batch: Batch, *, now: datetime) -> None:
    """Give the batch's people back to today's limit, because nobody was mailed."""
    publication = batch.send.issue.publication
    SendingDay.objects.filter(publication=publication, day=_today(publication, now), people__gte=batch.size).update(
        people=F("people") - batch.size
    )


def _today(publication: Publication, now: datetime) -> date:
    return now.astimezone(ZoneInfo(publication.zone)).date()
