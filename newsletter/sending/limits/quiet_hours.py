"""The quiet hours of a publication, and the age from which a send is stale."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from newsletter.models import Publication, Send
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
