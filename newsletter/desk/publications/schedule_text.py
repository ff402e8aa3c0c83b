"""A publication's schedule in words (“Every Thursday 09:00 London time, draft ready Wednesday 09:00”) and as form choices."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from newsletter.common.errors import BadSchedule
from newsletter.common.schedule import WEEKDAYS, check_schedule
from newsletter.common.translation import translate
from newsletter.desk.content.wall_clock import label_zone
from newsletter.issues.assembly.slots import list_dues_ahead
from newsletter.models import Issue, Publication, Slot

DAYS = (
    ("mon", gettext_lazy("Monday")),
    ("tue", gettext_lazy("Tuesday")),
    ("wed", gettext_lazy("Wednesday")),
    ("thu", gettext_lazy("Thursday")),
    ("fri", gettext_lazy("Friday")),
    ("sat", gettext_lazy("Saturday")),
    ("sun", gettext_lazy("Sunday")),
)
DAY_NAMES = [name for name, _label in DAYS]
MAX_DATES_SHOWN = 5
WEEKLY, NTH, MONTHLY, OTHER = "weekly", "nth", "monthly", "other"
LAST = "last"
NTH_WEEKDAYS = (
    ("1", gettext_lazy("First")),
    ("2", gettext_lazy("Second")),
    ("3", gettext_lazy("Third")),
    (LAST, gettext_lazy("Last")),
    ("1,3", gettext_lazy("First and third")),
    ("2,4", gettext_lazy("Second and fourth")),
)
_LAST_WEEKDAY = re.compile(r"[0-7]l")


@dataclass(frozen=True)
class ScheduleChoice:
    """The form's choices of a schedule: weekly on `days`, monthly on `day`, or OTHER for a custom cron schedule.

    NTH is a weekday of the month: `nth` says which, such as "1,3", and `days` has the weekday.
    """

    kind: str
    at: time | None = None
    days: tuple[str, ...] = ()
    day: int | None = None
    nth: str = ""


def parse_schedule(schedule: str) -> ScheduleChoice:
    """Return the choices that make this cron schedule; OTHER if none do."""
    fields = schedule.lower().split()
    if len(fields) != 5 or not (fields[0].isdecimal() and fields[1].isdecimal()):
        return ScheduleChoice(kind=OTHER)
    minute, hour, day, month, weekday = fields
    at = time(int(hour), int(minute)) if int(hour) < 24 and int(minute) < 60 else None
    if at and day == month == "*":
        days = tuple(DAY_NAMES) if weekday == "*" else tuple(weekday.split(","))
        if set(days) <= set(DAY_NAMES):
            return ScheduleChoice(kind=WEEKLY, at=at, days=days)
        if nth := _parse_nth(weekday):
            return ScheduleChoice(kind=NTH, at=at, nth=nth[0], days=(nth[1],))
    if at and month == weekday == "*" and day.isdecimal():
        return ScheduleChoice(kind=MONTHLY, at=at, day=int(day))
    return ScheduleChoice(kind=OTHER)


def _parse_nth(weekday: str) -> tuple[str, str] | None:
    """Return which weekdays of a month a cron field names ("thu#1,thu#3"): ("1,3", "thu"). None for any other field."""
    if _LAST_WEEKDAY.fullmatch(weekday):
        return LAST, WEEKDAYS[int(weekday[0])]
    days, numbers = zip(*(part.partition("#")[::2] for part in weekday.split(",")), strict=True)
    nth = ",".join(numbers)
    is_offered = len(set(days)) == 1 and days[0] in DAY_NAMES and nth in dict(NTH_WEEKDAYS)
    return (nth, days[0]) if is_offered else None


def format_cron(choice: ScheduleChoice) -> str:
    """Return the five cron fields of a weekly or monthly choice."""
    at = choice.at or time(9)
    if choice.kind == MONTHLY:
        return f"{at.minute} {at.hour} {choice.day} * *"
    if choice.kind == NTH:
        (day,) = choice.days
        last = f"{WEEKDAYS.index(day)}l"
        weekday = last if choice.nth == LAST else ",".join(f"{day}#{number}" for number in choice.nth.split(","))
        return f"{at.minute} {at.hour} * * {weekday}"
    days = [name for name in DAY_NAMES if name in choice.days]
    return f"{at.minute} {at.hour} * * {'*' if len(days) == len(DAY_NAMES) else ','.join(days)}"


def describe_schedule(publication: Publication) -> str:
    """Return the schedule in one sentence, or the error in it."""
    try:
        check_schedule(schedule=publication.schedule, zone=publication.zone)
    except BadSchedule as error:
        return translate(error)
    choice = parse_schedule(publication.schedule)
    zone = label_zone(publication.zone)
    if choice.at is None:
        values = {"schedule": publication.schedule, "zone": zone, "before": _describe_lead_time(publication.lead_hours)}
        return _("“%(schedule)s” (%(zone)s time), %(before)s") % values
    clock = {"time": f"{choice.at:%H:%M}", "zone": zone}
    if choice.kind == MONTHLY:
        when = _("day %(day)s of each month, %(time)s %(zone)s time") % {"day": choice.day, **clock}
    elif choice.kind == NTH:
        which = str(dict(NTH_WEEKDAYS)[choice.nth]).lower()
        day = dict(DAYS)[choice.days[0]]
        when = _("%(which)s %(day)s of each month, %(time)s %(zone)s time") % {"which": which, "day": day, **clock}
    else:
        when = _("%(days)s %(time)s %(zone)s time") % {"days": _describe_days(choice.days), **clock}
    return f"{capfirst(when)}, {_describe_draft_time(choice, lead_hours=publication.lead_hours)}"


def next_dates_context(publication: Publication, *, now: datetime) -> dict[str, object]:
    """Return the schedule in words, and the next dates in the publication's time zone.

    A slot that is sent, skipped or cancelled is no next date. An issue that was moved is at its new time.
    """
    text = describe_schedule(publication)
    try:
        times = sorted(islice(_list_times(publication, now=now), MAX_DATES_SHOWN))
    except BadSchedule:
        return {"schedule": text, "dates": []}
    zone = ZoneInfo(publication.zone)
    return {"schedule": text, "dates": [date_format(at.astimezone(zone), _("D j M Y, H:i")) for at in times]}


def find_next_time(publication: Publication, *, now: datetime) -> datetime | None:
    """Return when the schedule sends the next issue, or None if it cannot be read."""
    try:
        return next(_list_times(publication, now=now), None)
    except BadSchedule:
        return None


def _list_times(publication: Publication, *, now: datetime) -> Iterator[datetime]:
    """Yield the times of the slots to come. Raises BadSchedule."""
    schedule = check_schedule(schedule=publication.schedule, zone=publication.zone)
    slots = Slot.objects.filter(publication=publication.pk, due_at__gt=now).exclude(state=Slot.State.DUE)
    planned = {slot.due_at: slot for slot in slots.select_related("issue")}
    times = (_find_time(due.at, planned) for due in list_dues_ahead(publication, schedule=schedule, now=now))
    yield from filter(None, times)


def _find_time(due_at: datetime, planned: Mapping[datetime, Slot]) -> datetime | None:
    """Return when the issue of a slot is sent, or None if nothing is sent any more."""
    slot = planned.get(due_at)
    if slot is None:
        return due_at
    issue = getattr(slot, "issue", None)
    return None if issue is None or issue.state in (Issue.State.SENT, Issue.State.CANCELLED) else issue.due_at


def _describe_days(days: Sequence[str]) -> str:
    if len(days) == len(DAY_NAMES):
        return _("every day")
    labels = [str(label) for name, label in DAYS if name in days]
    return _("every %(days)s") % {"days": ", ".join(labels)}


def _describe_draft_time(choice: ScheduleChoice, *, lead_hours: int) -> str:
    """Return when the draft is ready: a weekday if the schedule has one weekday, else the hours before."""
    if len(choice.days) == 1 and choice.at and lead_hours < 7 * 24:
        monday = datetime(2024, 1, 1)  # noqa: DTZ001  a local time without a zone; that day was a Monday
        due = datetime.combine(monday + timedelta(days=DAY_NAMES.index(choice.days[0]) + 7), choice.at)
        made = due - timedelta(hours=lead_hours)
        return _("draft ready %(day)s %(time)s") % {"day": DAYS[made.weekday()][1], "time": f"{made:%H:%M}"}
    return _describe_lead_time(lead_hours)


def _describe_lead_time(hours: int) -> str:
    return ngettext("draft ready %(hours)s hour before", "draft ready %(hours)s hours before", hours) % {"hours": hours}
