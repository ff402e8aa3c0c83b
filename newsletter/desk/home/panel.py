"""Home: tasks, upcoming issues, the last issue, and subscriber growth. Reads only."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TypedDict

from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from wagtail.admin.ui.components import Component

from newsletter.common.errors import BadSchedule
from newsletter.common.translation import translate
from newsletter.desk.home.task import Task
from newsletter.desk.home.tasks import find_tasks
from newsletter.desk.issues.issue_page import overview_url
from newsletter.desk.issues.overview import DeliveryContext, delivery_context
from newsletter.desk.publications.slot_text import format_due, format_due_short
from newsletter.desk.sends.progress import describe_allowlist, describe_hold, find_live_send
from newsletter.desk.shell.charts import Point, draw_line
from newsletter.desk.shell.labels import label_issue_state, label_people
from newsletter.issues.assembly.schedule import Due, check_schedule, due_after
from newsletter.models import Issue, Publication, Send, Slot
from subscribers.models import MailingList
from subscribers.people.growth import count_growth

MAX_SLOTS_SHOWN = 3
MAX_LISTS_SHOWN = 6
GROWTH_WEEKS = 12


@dataclass(frozen=True)
class UpcomingSlot:
    """One planned time and what is known of its issue. ``url`` is the issue's, or "" if there is none yet."""

    when: str
    detail: str = ""
    url: str = ""


@dataclass(frozen=True)
class UpcomingSlots:
    """The next planned times of a publication. ``problem`` explains why its schedule cannot be read."""

    publication: Publication
    first: datetime
    slots: list[UpcomingSlot]
    problem: str = ""


class HomeContext(DeliveryContext):
    """The context of desk/home.html. The delivery summary is that of the last issue."""

    sending_hold: str
    allowlist_notice: str
    tasks: list[Task]
    can_add_publication: bool
    can_add_issue: bool
    can_view_issues: bool
    upcoming: list[UpcomingSlots]
    last_issue: Issue | None
    send: Send | None
    growth_charts: list[SafeString]


class ParentContext(TypedDict):
    request: HttpRequest


class HomePanel(Component):
    template_name = "desk/home.html"
    order = 10

    def get_context_data(self, parent_context: ParentContext) -> HomeContext:
        now = timezone.now()
        person = parent_context["request"].user
        last_issue = (
            Issue.objects.filter(state=Issue.State.SENT)
            .select_related("publication", "slot")
            .order_by("-made_at")
            .first()
        )
        send = find_live_send(last_issue) if last_issue else None
        delivery: DeliveryContext = delivery_context(last_issue, send) if last_issue and send else {}
        return {
            "sending_hold": describe_hold(),
            "allowlist_notice": describe_allowlist(),
            "tasks": find_tasks(now=now, person=person),
            "can_add_publication": person.has_perm("newsletter.add_publication"),
            "can_add_issue": person.has_perm("newsletter.change_issue"),
            "can_view_issues": person.has_perm("newsletter.view_issue"),
            "upcoming": list_upcoming_slots(now=now),
            "last_issue": last_issue,
            "send": send,
            "growth_charts": draw_growth(now=now),
            **delivery,
        }


def list_upcoming_slots(*, now: datetime) -> list[UpcomingSlots]:
    """Return the next planned times of each enabled publication, the earliest publication first."""
    found = [_find_upcoming_slots(publication, now) for publication in Publication.objects.filter(enabled=True)]
    return sorted(found, key=lambda upcoming: upcoming.first)


def _find_upcoming_slots(publication: Publication, now: datetime) -> UpcomingSlots:
    try:
        schedule = check_schedule(schedule=publication.schedule, zone=publication.zone)
    except BadSchedule as error:
        return UpcomingSlots(publication=publication, first=now, slots=[], problem=translate(error))
    dues = list(islice(due_after(now, schedule=schedule, zone=publication.zone), MAX_SLOTS_SHOWN))
    rows = Slot.objects.filter(publication=publication, due_local__in=[due.local for due in dues])
    by_due = {slot.due_local: slot for slot in rows}
    issues = {issue.slot_id: issue for issue in Issue.objects.filter(slot__in=rows).select_related("publication")}
    slots = [_describe_slot(publication, due, by_due.get(due.local), issues) for due in dues]
    return UpcomingSlots(publication=publication, first=dues[0].at if dues else now, slots=slots)


def _describe_slot(
    publication: Publication, due: Due, slot: Slot | None, issues: dict[int | None, Issue]
) -> UpcomingSlot:
    when = format_due(due.at, zone=publication.zone)
    if slot and (issue := issues.get(slot.pk)):
        return UpcomingSlot(when, f"{issue}: {label_issue_state(issue).label.lower()}", overview_url(issue))
    if slot and slot.state == Slot.State.SKIPPED:
        return UpcomingSlot(when, translate(slot.reason))
    draft_at = due.at - timedelta(hours=publication.lead_hours)
    day = format_due_short(draft_at, zone=publication.zone)
    return UpcomingSlot(when, _("Draft ready on %(day)s") % {"day": day})


def draw_growth(*, now: datetime) -> list[SafeString]:
    """Draw one chart for each list of an enabled publication, by name."""
    lists = MailingList.objects.filter(publication__enabled=True).distinct().order_by("name")
    return [_draw_list(mailing_list, now=now) for mailing_list in lists[:MAX_LISTS_SHOWN]]


def _draw_list(mailing_list: MailingList, *, now: datetime) -> SafeString:
    weeks = count_growth(mailing_list=mailing_list, weeks=GROWTH_WEEKS, now=now)
    points = [Point(label=date_format(week.day, "j M"), value=week.people) for week in weeks]
    last = weeks[-1]
    summary = _("%(people)s now. In the last week, %(joined)s joined and %(left)s unsubscribed.") % {
        "people": label_people(last.people),
        "joined": intcomma(last.joined),
        "left": intcomma(last.left),
    }
    return draw_line(points, title=str(mailing_list), summary=summary, unit=_("People"))
