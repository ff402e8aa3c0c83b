"""What staff see first: what needs them now, what comes next, how the last issue went, how the lists grow. Reads only."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.admin.ui.components import Component

from newsletter.desk.home_growth import draw_growth
from newsletter.desk.home_tasks import find_tasks, issue_url
from newsletter.desk.issue_pages import say_audience
from newsletter.desk.send_progress import say_hold, say_reach
from newsletter.desk.words import say_issue_state
from newsletter.errors import BadSchedule
from newsletter.issues.schedule import check_schedule, due_after
from newsletter.models import Issue, Publication, Send, Slot
from subscribers.sentences import say


@dataclass(frozen=True)
class Next:
    """The next due moment of a publication. ``at`` is None where its schedule cannot be read."""

    publication: Publication
    at: datetime | None
    detail: str
    url: str = field(default="")


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
    """The next due moment of each publication in use, soonest first."""
    found = [_next(publication, now) for publication in Publication.objects.filter(enabled=True)]
    return sorted(found, key=lambda one: one.at or now)


def _next(publication: Publication, now: datetime) -> Next:
    try:
        schedule = check_schedule(schedule=publication.schedule, zone=publication.zone)
    except BadSchedule as error:
        return Next(publication=publication, at=None, detail=say(error))
    due = next(due_after(now, schedule=schedule, zone=publication.zone))
    slot = Slot.objects.filter(publication=publication, due_local=due.local).first()
    issue = Issue.objects.filter(slot=slot).first() if slot else None
    if issue:
        return Next(
            publication=publication,
            at=due.at,
            detail=f"{issue}: {str(say_issue_state(issue)['word']).lower()}",
            url=issue_url(issue),
        )
    if slot and slot.state == Slot.State.SKIPPED:
        return Next(publication=publication, at=due.at, detail=say(slot.reason))
    return Next(
        publication=publication,
        at=due.at,
        detail=_("to be assembled %(hours)s hours before") % {"hours": publication.lead_hours},
    )
