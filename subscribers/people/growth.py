"""The size of a list at the end of each recent week."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Coalesce, TruncDate

from subscribers.models import Basis, MailingList, Subscription

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Week:
    """One week. ``day`` is its last day; ``joined`` and ``left`` count the seven days that end with it."""

    day: date
    people: int
    joined: int
    left: int


def count_growth(*, mailing_list: MailingList, weeks: int, now: datetime) -> list[Week]:
    """Return the weeks, oldest first, the last one ending now. Days are those of the current time zone."""
    since = now - weeks * WEEK
    said_yes = (
        Subscription.objects.once_each()
        .filter(mailing_list=mailing_list)
        .filter(Q(confirmed_at__isnull=False) | ~Q(basis=Basis.DOUBLE_OPT_IN))
        .annotate(joined_at=Coalesce("confirmed_at", "requested_at"))
        .order_by()
    )
    people = said_yes.filter(joined_at__lte=now, ended_at__isnull=True).count()
    joined = _by_week(said_yes.filter(joined_at__gt=since, joined_at__lte=now), "joined_at", now=now)
    left = _by_week(said_yes.filter(ended_at__gt=since, ended_at__lte=now), "ended_at", now=now)
    found = []
    for back in range(weeks):
        day = (now - back * WEEK).date()
        found.append(Week(day=day, people=people, joined=joined[back], left=left[back]))
        people += left[back] - joined[back]
    return list(reversed(found))


def _by_week(rows: QuerySet[Subscription], field: str, *, now: datetime) -> Counter[int]:
    """Count rows by how many weeks ago they happened."""
    days = rows.annotate(day=TruncDate(field)).values_list("day").annotate(people=Count("pk"))
    found: Counter[int] = Counter()
    today = now.date()
    for day, people in days.values_list(F("day"), "people"):
        found[max((today - day).days, 0) // 7] += people
    return found
