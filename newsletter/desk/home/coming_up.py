"""List the planned and sent issues of all publications, for Home and its calendar. It only reads."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby, takewhile

from django.db.models import Max, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from newsletter.common.errors import BadSchedule
from newsletter.common.schedule import check_schedule
from newsletter.common.translation import translate
from newsletter.desk.content.wall_clock import label_zone, zone_or_default
from newsletter.desk.issues.issue_page import overview_url
from newsletter.desk.publications.slot_text import format_due, format_due_short
from newsletter.desk.sends.alarms import describe_domain_error
from newsletter.desk.shell.labels import IssueStateLabel, label_issue_state, written_to_files
from newsletter.issues.assembly.slots import list_dues_ahead
from newsletter.issues.variants.reader_zones import find_lead
from newsletter.models import Issue, Publication, Slot

HORIZON = timedelta(days=35)
LOOK_BACK = timedelta(days=30)
MAX_LISTED, MAX_RECENT = 8, 5
_OVER = (Issue.State.SENT, Issue.State.CANCELLED)


@dataclass(frozen=True)
class PlannedSlot:
    """A time of the schedule, or the time of an issue. ``url`` is the issue's, or "" without an issue.

    ``day`` and ``time`` are by the publication's clock.
    """

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
    full_label: str
    slots: list[PlannedSlot]
    is_today: bool
    is_past: bool


@dataclass(frozen=True)
class RecentIssue:
    """An issue that is over. ``at`` is when its send began, when it was closed, or else when it was due."""

    issue: Issue
    url: str
    state: IssueStateLabel
    at: datetime


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
    """Return the planned issues of the next five weeks, and those that were sent or cancelled in the last 30 days."""
    planned, problems = [*_list_issues(now), *_list_slots_without_issue(now)], []
    with_slot = set(_slots_ahead(now).values_list("publication_id", "due_at"))
    for publication in Publication.objects.filter(enabled=True):
        try:
            dues = _list_dues(publication, now)
        except BadSchedule as error:
            problems.append((publication, translate(error)))
            continue
        lead = find_lead(publication, now=now)
        planned += [
            PlannedSlot(publication, at, _describe_draft(publication, at - lead))
            for at in dues
            if (publication.pk, at) not in with_slot
        ]
    planned.sort(key=lambda slot: (slot.at, slot.publication.name))
    weeks = _make_calendar(planned, today=timezone.localdate(now))
    weekdays = [date_format(day.day, "D") for day in weeks[0]]
    return ComingUp(planned, weeks, weekdays, problems, _list_recent(now))


def _list_dues(publication: Publication, now: datetime) -> list[datetime]:
    schedule = check_schedule(schedule=publication.schedule, zone=publication.zone)
    dues = list_dues_ahead(publication, schedule=schedule, now=now)
    return [due.at for due in takewhile(lambda due: due.at <= now + HORIZON, dues)]


def _slots_ahead(now: datetime) -> QuerySet[Slot]:
    return Slot.objects.filter(due_at__gt=now, due_at__lte=now + HORIZON)


def _list_issues(now: datetime) -> list[PlannedSlot]:
    """Return the issues that have a time ahead, of the schedule and on demand, at the time that they have now."""
    ahead = Issue.objects.filter(due_at__gt=now, due_at__lte=now + HORIZON).exclude(state__in=_OVER)
    return [
        PlannedSlot(issue.publication, issue.due_at, _describe_issue(issue), overview_url(issue))
        for issue in ahead.select_related("publication", "slot")
        if issue.due_at
    ]


def _list_slots_without_issue(now: datetime) -> list[PlannedSlot]:
    """Return the slots ahead that have no issue, with the reason, or whose draft is still to be made."""
    slots = _slots_ahead(now).filter(issue__isnull=True).select_related("publication")
    return [
        PlannedSlot(
            slot.publication,
            slot.due_at,
            translate(slot.reason)
            if slot.state != Slot.State.DUE
            else _describe_draft(slot.publication, slot.due_at - find_lead(slot.publication, now=now)),
        )
        for slot in slots
    ]


def _describe_issue(issue: Issue) -> str:
    state = label_issue_state(issue)
    label = state.label.lower()
    if state.is_to_be_sent and describe_domain_error(issue.publication):
        label = _("cannot be sent now")
    if issue.slot and issue.due_at != issue.slot.due_at:
        moved_from = format_due_short(issue.slot.due_at, zone=issue.publication.zone)
        return _("%(issue)s: %(state)s, moved from %(day)s") % {"issue": issue, "state": label, "day": moved_from}
    return f"{issue}: {label}"


def _describe_draft(publication: Publication, draft_at: datetime) -> str:
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
            label=date_format(day, _("j M")) if day.day == 1 or day == monday else str(day.day),
            full_label=date_format(day, _("D j M")),
            slots=by_day.get(day, []),
            is_today=day == today,
            is_past=day < today,
        )
        for day in days
    ]
    return [made[at : at + 7] for at in range(0, len(made), 7)]


def _list_recent(now: datetime) -> list[RecentIssue]:
    since = now - LOOK_BACK
    over = Issue.objects.filter(state__in=_OVER).annotate(
        over_at=Coalesce(Max("sends__started_at"), "closed_at", "due_at", "made_at"), to_files=written_to_files()
    )
    rows = over.filter(over_at__gt=since).select_related("publication", "slot").order_by("-over_at")[:MAX_RECENT]
    return [
        RecentIssue(issue, overview_url(issue), label_issue_state(issue, to_files=issue.to_files), issue.over_at)
        for issue in rows
    ]
