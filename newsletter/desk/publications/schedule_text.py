"""A publication's schedule in words (“Every Thursday 09:00 London time, draft ready Wednesday 09:00”) and as form choices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from newsletter.common.errors import BadSchedule
from newsletter.common.translation import translate
from newsletter.desk.publications.slot_text import label_zone
from newsletter.issues.assembly.schedule import check_schedule, due_after
from newsletter.models import Publication

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
WEEKLY, MONTHLY, OTHER = "weekly", "monthly", "other"


@dataclass(frozen=True)
class ScheduleChoice:
    """The form's choices of a schedule: weekly on `days`, monthly on `day`, or OTHER for a custom cron schedule."""

    kind: str
    at: time | None = None
    days: tuple[str, ...] = ()
    day: int | None = None


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
    if at and month == weekday == "*" and day.isdecimal():
        return ScheduleChoice(kind=MONTHLY, at=at, day=int(day))
    return ScheduleChoice(kind=OTHER)


def format_cron(choice: ScheduleChoice) -> str:
    """Return the five cron fields of a weekly or monthly choice."""
    at = choice.at or time(9)
    if choice.kind == MONTHLY:
        return f"{at.minute} {at.hour} {choice.day} * *"
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
    else:
        when = _("%(days)s %(time)s %(zone)s time") % {"days": _describe_days(choice.days), **clock}
    return f"{capfirst(when)}, {_describe_draft_time(choice, lead_hours=publication.lead_hours)}"


def next_dates_context(publication: Publication, *, now: datetime) -> dict[str, object]:
    """Return the schedule in words, and its next dates in the publication's time zone."""
    text = describe_schedule(publication)
    try:
        schedule = check_schedule(schedule=publication.schedule, zone=publication.zone)
    except BadSchedule:
        return {"schedule": text, "dates": []}
    zone = ZoneInfo(publication.zone)
    due = islice(due_after(now, schedule=schedule, zone=publication.zone), MAX_DATES_SHOWN)
    return {"schedule": text, "dates": [date_format(one.at.astimezone(zone), "D j M Y, H:i") for one in due]}


def _describe_days(days: Sequence[str]) -> str:
    if len(days) == len(DAY_NAMES):
        return _("every day")
    labels = [str(label) for name, label in DAYS if name in days]
    return _("every %(days)s") % {"days": ", ".join(labels)}


def _describe_draft_time(choice: ScheduleChoice, *, lead_hours: int) -> str:
    """Return when the draft is ready: a weekday if the schedule has one weekday, else the hours before."""
    if choice.kind == WEEKLY and len(choice.days) == 1 and choice.at and lead_hours < 7 * 24:
        monday = datetime(2024, 1, 1)  # noqa: DTZ001  a local time without a zone; that day was a Monday
        due = datetime.combine(monday + timedelta(days=DAY_NAMES.index(choice.days[0]) + 7), choice.at)
        made = due - timedelta(hours=lead_hours)
        return _("draft ready %(day)s %(time)s") % {"day": DAYS[made.weekday()][1], "time": f"{made:%H:%M}"}
    return _describe_lead_time(lead_hours)


def _describe_lead_time(hours: int) -> str:
    return ngettext("draft ready %(hours)s hour before", "draft ready %(hours)s hours before", hours) % {"hours": hours}
