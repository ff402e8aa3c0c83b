"""The size of a list at the end of each recent week."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Case, Count, F, IntegerField, Q, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.utils import timezone

from subscribers.models import MailingList, Subscription
from subscribers.models.subscriptions import NOT_CONFIRMED, SubscriptionQuerySet

DAY, WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True)
class Week:
    """One week. ``day`` is its last day; ``joined`` and ``left`` count the seven days that end with it."""

    day: date
    people: int
    joined: int
    left: int


def count_growth(*, mailing_list: MailingList, weeks: int, now: datetime) -> list[Week]:
    """Return the weeks, oldest first, the last one ending now. Days are those of the current time zone."""
    agreed = Subscription.objects.filter(mailing_list=mailing_list).exclude(NOT_CONFIRMED)
    last_day = timezone.localtime(now).date()
    first_days = [last_day - back * WEEK - 6 * DAY for back in range(weeks)]
    joined = _count_by_week(agreed, Coalesce("confirmed_at", "requested_at"), first_days, now=now)
    left = _count_by_week(agreed, F("ended_at"), first_days, now=now)
    people = _count_agreed(mailing_list)
    growth = []
    for back in range(weeks):
        growth.append(Week(day=last_day - back * WEEK, people=people, joined=joined[back], left=left[back]))
        people += left[back] - joined[back]
    return list(reversed(growth))


def _count_agreed(mailing_list: MailingList) -> int:
    """Count the open subscriptions of a list that agreed, from indexes alone.

    Those not confirmed are read of all lists: with the list as a condition, SQLite reads every subscription of it.
    """
    open_now = Subscription.objects.open().order_by()
    here = Count("pk", filter=Q(mailing_list=mailing_list))
    not_confirmed: int = open_now.filter(NOT_CONFIRMED).aggregate(here=here)["here"]
    return open_now.filter(mailing_list=mailing_list).count() - not_confirmed


def _count_by_week(
    rows: SubscriptionQuerySet, when: Combinable, first_days: list[date], *, now: datetime
) -> Counter[int]:
    """Count rows by how many weeks ago they happened. The database compares times; it calls no function for each row."""
    begins = [timezone.make_aware(datetime.combine(day, time.min)) for day in first_days]
    week = Case(*(When(at__gte=begin, then=back) for back, begin in enumerate(begins)), output_field=IntegerField())
    within = rows.once_each().annotate(at=when).filter(at__gte=begins[-1], at__lte=now).order_by()
    return Counter(dict(within.annotate(week=week).values_list("week").annotate(people=Count("pk"))))
