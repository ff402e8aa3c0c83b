"""Decide when a publication may send: quiet hours, the daily limit, the warm-up of a new domain, and when it is too late."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from django.db.models import F, Q

from newsletter.common.schedule import find_end_between
from newsletter.models import Batch, Publication, Send, SendingDay, SubjectTest
from newsletter.models.sending.automatic_pauses import AutomaticPause
from subscribers.audience.zones import zone_of_person
from subscribers.models import Subscriber

STALE_RECHECK_AFTER = timedelta(minutes=1)
WARM_UP_LIMITS = (50, 100, 500, 1_000, 5_000, 10_000, 20_000, 40_000, 70_000, 100_000)
"""The most people on each of the first days of a new domain."""


def find_wait(batch: Batch, *, now: datetime) -> datetime | None:
    """Return when to look at the batch again, or None if it may go now.

    A stale send waits until the sweep pauses it. The first mail of a welcome goes at once, also in quiet hours: somebody
    just asked for it. A later one waits while it is quiet for everybody in the batch, by their own clocks: people in quiet
    hours were not added to it, so only mails with another delay wait for it.
    """
    if is_stale(batch.send, now=now):
        return now + STALE_RECHECK_AFTER
    if batch.send.issue.is_welcome:
        return None if batch.send.issue.number == 1 else _find_shortest_wait(batch, now=now)
    return find_quiet_hours_end(batch.send.issue.publication, now=now, clock=_find_readers_clock(batch))


def find_send_wait(send: Send, *, now: datetime) -> datetime | None:
    """Return when the quiet hours of the send end, or None. In a send by people's own clocks, each batch has its own."""
    if send.local_time or send.issue.is_welcome:
        return None
    return find_quiet_hours_end(send.issue.publication, now=now)


def _find_shortest_wait(batch: Batch, *, now: datetime) -> datetime | None:
    """Return when the first quiet hours of the batch's people end; None if somebody in it has no quiet hours now."""
    publication = batch.send.issue.publication
    people = Subscriber.objects.filter(pk__in=batch.deliveries.values("subscriber_id"))
    zones = people.annotate(zone_ref=zone_of_person(publication.zone)).values_list("zone_ref", flat=True).distinct()
    ends = [find_quiet_hours_end(publication, now=now, clock=ZoneInfo(zone)) for zone in zones]
    return None if None in ends else min((end for end in ends if end), default=None)


def is_within_limits(batch: Batch, *, now: datetime) -> bool:
    """Return True if the batch may be sent now by its hour and today's limit. Nothing is reserved."""
    return find_wait(batch, now=now) is None and _has_room_today(batch, now=now)


def _find_readers_clock(batch: Batch) -> tzinfo | None:
    """Return the time zone of the batch's readers, in which its hour is the local time of the send. None without hours."""
    if batch.due_at is None or not batch.send.local_time:
        return None
    return timezone(datetime.fromisoformat(batch.send.local_time).replace(tzinfo=UTC) - batch.due_at)


def count_late_hours(send: Send, *, now: datetime) -> int:
    """Return by how many whole hours the send is late."""
    return (now - _find_latest_due(send)) // timedelta(hours=1)


def _find_latest_due(send: Send) -> datetime:
    return max(send.last_hour or send.issue.due_at or send.made_at, send.made_at)


def is_stale(send: Send, *, now: datetime) -> bool:
    """Return True if the send is so late that staff must decide whether it goes on. They are asked once.

    A welcome mail is late for each person on another day, so its send is never stale.
    """
    if send.period:
        return False
    hours = send.issue.publication.stale_hours
    late_at = _find_latest_due(send) + timedelta(hours=hours)
    if not hours or now < late_at or now < late_at + _find_wait_for_subject(send):
        return False
    return not send.automatic_pauses.filter(rule=AutomaticPause.Rule.STALE).exists()


def _find_wait_for_subject(send: Send) -> timedelta:
    """Return how long part of the send waits for the decision of a subject test."""
    hours = SubjectTest.objects.filter(issue=send.issue_id).values_list("wait_hours", flat=True).first()
    return timedelta(hours=hours or 0)


def find_quiet_hours_end(publication: Publication, *, now: datetime, clock: tzinfo | None = None) -> datetime | None:
    """Return when the current quiet hours end, or None outside of them. ``clock`` replaces the publication's zone."""
    zone = clock or ZoneInfo(publication.zone)
    return find_end_between(publication.quiet_from, publication.quiet_until, now=now, zone=zone)


def find_daily_limit(publication: Publication, *, day: date, account: str = "") -> int | None:
    """Return the most people for a local day by one account, by default the publication's first; None without a limit."""
    limits = _find_limits(publication, account=account or publication.account, day=day)
    return min((limit for limit in limits.values() if limit is not None), default=None)


def find_limit_today(publication: Publication, *, now: datetime, account: str = "") -> int | None:
    """Return today's limit of an account, which is also the largest batch that can be sent in a day."""
    return find_daily_limit(publication, day=_today(publication, now), account=account)


def _find_limits(publication: Publication, *, account: str, day: date) -> dict[str, int | None]:
    """Return the limits of a day by the account of the row that counts people. "" is the row for all accounts."""
    return {"": publication.people_per_day or None, account: _find_warm_up_limit(publication, account=account, day=day)}


def _find_warm_up_limit(publication: Publication, *, account: str, day: date) -> int | None:
    first_days = {
        publication.second_account: publication.second_warm_up_from,
        publication.account: publication.warm_up_from,
    }
    first_day = first_days.get(account)
    if first_day is None:
        return None
    age = max((day - first_day).days, 0)
    return WARM_UP_LIMITS[age] if age < len(WARM_UP_LIMITS) else None


def reserve_daily_quota(batch: Batch, *, now: datetime) -> datetime | None:
    """Count the batch's people against today's limits. If they do not fit, return when tomorrow begins."""
    publication = batch.send.issue.publication
    today = _today(publication, now)
    limits = _find_limits(publication, account=batch.account, day=today)
    if not any(limit is not None for limit in limits.values()):
        return None
    counted: list[str] = []
    for account, limit in limits.items():
        SendingDay.objects.get_or_create(publication=publication, day=today, account=account)
        row = SendingDay.objects.filter(publication=publication, day=today, account=account)
        with_room = row if limit is None else row.filter(people__lte=limit - batch.size)
        if not with_room.update(people=F("people") + batch.size):
            _release(batch, accounts=counted, day=today)
            return datetime.combine(today + timedelta(days=1), time(), ZoneInfo(publication.zone))
        counted.append(account)
    return None


def _has_room_today(batch: Batch, *, now: datetime) -> bool:
    publication = batch.send.issue.publication
    today = _today(publication, now)
    limits = _find_limits(publication, account=batch.account, day=today)
    full = Q()
    for account, limit in limits.items():
        if limit is not None:
            full |= Q(account=account, people__gt=limit - batch.size)
    return not full or not SendingDay.objects.filter(full, publication=publication, day=today).exists()


def release_daily_quota(batch: Batch, *, now: datetime) -> None:
    """Subtract the batch's people from today's counts, because nobody was mailed."""
    _release(batch, accounts=["", batch.account], day=_today(batch.send.issue.publication, now))


def _release(batch: Batch, *, accounts: Collection[str], day: date) -> None:
    rows = SendingDay.objects.filter(publication=batch.send.issue.publication, day=day, account__in=accounts)
    rows.filter(people__gte=batch.size).update(people=F("people") - batch.size)


def _today(publication: Publication, now: datetime) -> date:
    return now.astimezone(ZoneInfo(publication.zone)).date()
