"""The coming slots of all publications on Home, as a list and as a calendar; and what is over. Reads only."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby, takewhile

from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from newsletter.common.errors import BadSchedule
from newsletter.common.translation import translate
from newsletter.desk.content.wall_clock import zone_or_default
from newsletter.desk.issues.issue_page import overview_url
from newsletter.desk.publications.slot_text import format_due, format_due_short, label_zone
from newsletter.desk.shell.labels import IssueStateLabel, label_issue_state
from newsletter.issues.assembly.schedule import check_schedule, due_after
from newsletter.models import Issue, Publication, Slot

HORIZON = timedelta(days=35)
LOOK_BACK = timedelta(days=30)
MAX_LISTED, MAX_RECENT = 8, 5
_OVER = (Issue.State.SENT, Issue.State.CANCELLED)


@dataclass(frozen=True)
class PlannedSlot:
    """One planned time. ``day`` is by the publication's clock. ``url`` is the issue's, or "" if there is none yet."""

    publication: Publication
    at: datetime
    detail: str
    url: str = ""

    @property
    def day(self) -> date:
        return self.at.astimezone(zone_or_default(self.publication.zone)).date()

    @property
    def time(self) -> str:
        return f"{self.at.astimezone(zone_or_default(self.publication.zone)):%H:%M}"

    @property
    def when(self) -> str:
        return format_due(self.at, zone=self.publication.zone)

    @property
    def zone(self) -> str:
        return label_zone(self.publication.zone)


@dataclass(frozen=True)
class CalendarDay:
    day: date
    label: str
    slots: list[PlannedSlot]
    is_today: bool
    is_past: bool


@dataclass(frozen=True)
class RecentIssue:
    issue: Issue
    url: str
    state: IssueStateLabel


@dataclass(frozen=True)
class ComingUp:
    """The planned slots by time, the calendar's weeks, and the problems of schedules that cannot be read."""

    slots: list[PlannedSlot]
    weeks: list[list[CalendarDay]]
    weekdays: list[str]
    problems: list[tuple[Publication, str]]
    recent: list[RecentIssue]

    @property
    def listed(self) -> list[PlannedSlot]:
        return self.slots[:MAX_LISTED]

    @property
    def more(self) -> int:
        return max(len(self.slots) - MAX_LISTED, 0)


def find_coming_up(*, now: datetime) -> ComingUp:
    """Return what is planned in the next five weeks, and the issues that were sent or cancelled in the last 30 days."""
    planned, problems = _list_made_slots(now), []
    made = {(slot.publication.pk, slot.at) for slot in planned}
    for publication in Publication.objects.filter(enabled=True):
        try:
            dues = _list_dues(publication, now)
        except BadSchedule as error:
            problems.append((publication, translate(error)))
            continue
        planned += [
            PlannedSlot(publication, at, _describe_draft(publication, at))
            for at in dues
            if (publication.pk, at) not in made
        ]
    planned.sort(key=lambda slot: (slot.at, slot.publication.name))
    open_slots = [slot for slot in planned if slot.detail]
    weeks = _make_calendar(open_slots, today=timezone.localdate(now))
    weekdays = [date_format(day.day, "D") for day in weeks[0]]
    return ComingUp(open_slots, weeks, weekdays, problems, _list_recent(now))


def _list_dues(publication: Publication, now: datetime) -> list[datetime]:
    schedule = check_schedule(schedule=publication.schedule, zone=publication.zone)
    dues = due_after(now, schedule=schedule, zone=publication.zone)
    return [due.at for due in takewhile(lambda due: due.at <= now + HORIZON, dues)]


def _list_made_slots(now: datetime) -> list[PlannedSlot]:
    """Return the slots that exist already. One whose issue is over has no detail, so that it is planned no more."""
    slots = Slot.objects.filter(due_at__gt=now, due_at__lte=now + HORIZON).select_related("publication")
    issues = {issue.slot_id: issue for issue in Issue.objects.filter(slot__in=slots).select_related("publication")}
    return [_describe_made(slot, issues.get(slot.pk)) for slot in slots]


def _describe_made(slot: Slot, issue: Issue | None) -> PlannedSlot:
    if issue is None:
        skipped = slot.state == Slot.State.SKIPPED
        detail = translate(slot.reason) if skipped else _describe_draft(slot.publication, slot.due_at)
        return PlannedSlot(slot.publication, slot.due_at, detail)
    if issue.state in _OVER:
        return PlannedSlot(slot.publication, slot.due_at, "")
    state = label_issue_state(issue)
    label = _("on hold") if state.held else state.label.lower()
    return PlannedSlot(slot.publication, slot.due_at, f"{issue}: {label}", overview_url(issue))


def _describe_draft(publication: Publication, at: datetime) -> str:
    draft_at = at - timedelta(hours=publication.lead_hours)
    return _("Draft ready on %(day)s") % {"day": format_due_short(draft_at, zone=publication.zone)}


def _make_calendar(slots: list[PlannedSlot], *, today: date) -> list[list[CalendarDay]]:
    """Return the weeks from this Monday to the end of the five weeks."""
    by_day = {
        day: list(of_day) for day, of_day in groupby(sorted(slots, key=lambda slot: slot.day), lambda slot: slot.day)
    }
    monday = today - timedelta(days=today.weekday())
    days = [monday + timedelta(days=number) for number in range(HORIZON.days + 7)]
    made = [
        CalendarDay(
            day=day,
            label=date_format(day, "j M") if day.day == 1 or day == monday else str(day.day),
            slots=by_day.get(day, []),
            is_today=day == today,
            is_past=day < today,
        )
        for day in days
    ]
    return [made[at : at + 7] for at in range(0, len(made), 7)]


def _list_recent(now: datetime) -> list[RecentIssue]:
    over = Issue.objects.filter(
        Q(slot__due_at__gt=now - LOOK_BACK) | Q(slot__isnull=True, made_at__gt=now - LOOK_BACK), state__in=_OVER
    )
    rows = over.select_related("publication", "slot").order_by("-made_at")[:MAX_RECENT]
    return [RecentIssue(issue, overview_url(issue), label_issue_state(issue)) for issue in rows]
