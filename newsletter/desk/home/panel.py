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
from newsletter.desk.issues.overview import audience_context
from newsletter.desk.publications.slot_text import format_due, format_due_short
from newsletter.desk.sends.progress import describe_allowlist, describe_hold
from newsletter.desk.shell.labels import label_issue_state
from newsletter.issues.assembly.schedule import Due, check_schedule, due_after
from newsletter.models import Issue, Publication, Send, Slot

NEXT_SLOTS = 3


@dataclass(frozen=True)
class UpcomingSlot:
    """One due moment: when on the publication's clock, and what has become of it so far; ``url`` is its issue's."""

    when: str
    detail: str = ""
    url: str = ""


@dataclass(frozen=True)
class UpcomingSlots:
    """What comes of a publication, the soonest first; ``problem`` is why its schedule cannot be read."""

    publication: Publication
    first: datetime
    coming: list[UpcomingSlot]
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
            "hold": describe_hold(),
            "reach": describe_allowlist(),
            "tasks": find_tasks(now=now, person=person),
            "can_add": person.has_perm("newsletter.add_publication"),
            "can_look": person.has_perm("newsletter.view_issue"),
            "next": list_upcoming_slots(now=now),
            "last": last,
            "send": send,
            "growth": draw_growth(now=now),
            **(audience_context(last, send) if last and send else {}),
        }


def list_upcoming_slots(*, now: datetime) -> list[UpcomingSlots]:
    """The next due moments of each publication in use, the publication that is due soonest first."""
    found = [_find_upcoming_slots(publication, now) for publication in Publication.objects.filter(enabled=True)]
    return sorted(found, key=lambda one: one.first)


def _find_upcoming_slots(publication: Publication, now: datetime) -> UpcomingSlots:
    try:
        schedule = check_schedule(schedule=publication.schedule, zone=publication.zone)
    except BadSchedule as error:
        return UpcomingSlots(publication=publication, first=now, coming=[], problem=translate(error))
    dues = list(islice(due_after(now, schedule=schedule, zone=publication.zone), NEXT_SLOTS))
    slots = Slot.objects.filter(publication=publication, due_local__in=[due.local for due in dues])
    found = {slot.due_local: slot for slot in slots}
    issues = {issue.slot_id: issue for issue in Issue.objects.filter(slot__in=slots).select_related("publication")}
    coming = [_describe_slot(publication, due, found.get(due.local), issues) for due in dues]
    return UpcomingSlots(publication=publication, first=dues[0].at if dues else now, coming=coming)


def _describe_slot(
    publication: Publication, due: Due, slot: Slot | None, issues: dict[int | None, Issue]
) -> UpcomingSlot:
    when = format_due(due.at, zone=publication.zone)
    if slot and (issue := issues.get(slot.pk)):
        return UpcomingSlot(when, f"{issue}: {str(label_issue_state(issue)['word']).lower()}", issue_url(issue))
    if slot and slot.state == Slot.State.SKIPPED:
        return UpcomingSlot(when, translate(slot.reason))
    made = due.at - timedelta(hours=publication.lead_hours)
    return UpcomingSlot(when, _("to be assembled on %(day)s") % {"day": format_due_short(made, zone=publication.zone)})
