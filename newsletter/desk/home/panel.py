"""What staff see first: what needs them now, what comes next, how the last issue went, how the lists grow. Reads only."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.admin.ui.components import Component

from newsletter.common.errors import BadSchedule
from newsletter.common.translation import translate
from newsletter.desk.home.growth import draw_growth
from newsletter.desk.home.tasks import find_tasks, issue_url
from newsletter.desk.issues.overview import say_audience
from newsletter.desk.publications.slot_text import say_beside, say_due
from newsletter.desk.sends.progress import say_hold, say_reach
from newsletter.desk.shell.labels import say_issue_state
from newsletter.issues.assembly.schedule import Due, check_schedule, due_after
from newsletter.models import Issue, Publication, Send, Slot

NEXT_SLOTS = 3


@dataclass(frozen=True)
class Coming:
    """One due moment: when on the publication's clock, and what has become of it so far; ``url`` is its issue's."""

    when: str
    detail: str = ""
    url: str = ""


@dataclass(frozen=True)
class Next:
    """What comes of a publication, the soonest first; ``problem`` is why its schedule cannot be read."""

    publication: Publication
    first: datetime
    coming: list[Coming]
    problem: str = ""


class HomePanel(Component):
    template_name = "desk/home.html"
    order = 10

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        now = timezone.now()
        person = parent_context["request"].user
        last = (
            Issue.objects.filter(state=Issue.State.SENT)
            .select_related("publication", "slot")
            .order_by("-made_at")
            .first()
        )
        send = last.sends.exclude(state=Send.State.CANCELLED).first() if last else None
        return {
            "hold": say_hold(),
            "reach": say_reach(),
            "tasks": find_tasks(now=now, person=person),
            "may_add": person.has_perm("newsletter.add_publication"),
            "may_look": person.has_perm("newsletter.view_issue"),
            "next": find_next(now=now),
            "last": last,
            "send": send,
            "growth": draw_growth(now=now),
            **(say_audience(last, send) if last and send else {}),
        }


def find_next(*, now: datetime) -> list[Next]:
    """The next due moments of each publication in use, the publication that is due soonest first."""
    found = [_next(publication, now) for publication in Publication.objects.filter(enabled=True)]
    return sorted(found, key=lambda one: one.first)


def _next(publication: Publication, now: datetime) -> Next:
    try:
        schedule = check_schedule(schedule=publication.schedule, zone=publication.zone)
    except BadSchedule as error:
        return Next(publication=publication, first=now, coming=[], problem=translate(error))
    dues = list(islice(due_after(now, schedule=schedule, zone=publication.zone), NEXT_SLOTS))
    slots = Slot.objects.filter(publication=publication, due_local__in=[due.local for due in dues])
    found = {slot.due_local: slot for slot in slots}
    issues = {issue.slot_id: issue for issue in Issue.objects.filter(slot__in=slots).select_related("publication")}
    coming = [_say_coming(publication, due, found.get(due.local), issues) for due in dues]
    return Next(publication=publication, first=dues[0].at if dues else now, coming=coming)


def _say_coming(publication: Publication, due: Due, slot: Slot | None, issues: dict[int | None, Issue]) -> Coming:
    when = say_due(due.at, zone=publication.zone)
    if slot and (issue := issues.get(slot.pk)):
        return Coming(when, f"{issue}: {str(say_issue_state(issue)['word']).lower()}", issue_url(issue))
    if slot and slot.state == Slot.State.SKIPPED:
        return Coming(when, translate(slot.reason))
    made = due.at - timedelta(hours=publication.lead_hours)
    return Coming(when, _("to be assembled on %(day)s") % {"day": say_beside(made, zone=publication.zone)})
