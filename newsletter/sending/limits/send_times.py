"""Decide when a publication may send: quiet hours, the daily limit, the warm-up of a new domain, and when it is too late."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import F

from newsletter.models import Batch, Publication, Send, SendingDay
from newsletter.models.feedback import AutomaticPause

STALE_RECHECK_AFTER = timedelta(minutes=1)


def find_wait(send: Send, *, now: datetime) -> datetime | None:
    """Return when to look at the send's batches again, or None if they may go now.

    A stale send waits until the sweep pauses it.
    """
    if is_stale(send, now=now):
        return now + STALE_RECHECK_AFTER
    return find_quiet_hours_end(send.issue.publication, now=now)


def is_stale(send: Send, *, now: datetime) -> bool:
    """Return True if the send is so late that staff must decide whether it goes on. They are asked once."""
    hours = send.issue.publication.stale_hours
    due_at = send.issue.due_at or send.made_at
    late = bool(hours) and now >= max(due_at, send.made_at) + timedelta(hours=hours)
    return late and not send.automatic_pauses.filter(rule=AutomaticPause.Rule.STALE).exists()


def find_quiet_hours_end(publication: Publication, *, now: datetime) -> datetime | None:
    """Return when the current quiet hours end, or None outside of them."""
    start, end = publication.quiet_from, publication.quiet_until
    if start is None or end is None or start == end:
        return None
    zone = ZoneInfo(publication.zone)
    local = now.astimezone(zone)
    if not _is_between(local.time(), start, end):
        return None
    day = local.date() if local.time() < end else local.date() + timedelta(days=1)
    return datetime.combine(day, end, zone).astimezone(now.tzinfo)


def _is_between(moment: time, start: time, end: time) -> bool:
    """Return True from ``start`` to before ``end``, which may be on the next day."""
    return start <= moment < end if start < end else moment >= start or moment < end


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
