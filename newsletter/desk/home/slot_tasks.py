"""Home's tasks about times of the schedule for which no issue was made. Reads only."""

from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from django.utils.translation import gettext as _

from newsletter.common.translation import translate
from newsletter.desk.home.task_item import Task
from newsletter.desk.publications.slot_text import format_due
from newsletter.issues.assembly.missed_slots import describe_next_step, find_missed_slots
from newsletter.models import Slot


def find_missed_slot_tasks(*, now: datetime, person: User | AnonymousUser) -> list[Task]:
    """Return a task for each time that was missed, if the person may view issues.

    Its link is for those who make issues. If an issue may have been sent, a button for those who approve says that they have
    checked it.
    """
    if not person.has_perm("newsletter.view_issue"):
        return []
    can_make = person.has_perm("newsletter.change_issue")
    can_check = person.has_perm("newsletter.approve_issue")
    return [
        _make_task(
            slot,
            can_make=can_make and slot.kind == Slot.Kind.ISSUE,
            can_check=can_check and slot.state == Slot.State.UNCERTAIN,
        )
        for slot in find_missed_slots(now=now)
    ]


def _make_task(slot: Slot, *, can_make: bool, can_check: bool) -> Task:
    publication = slot.publication
    title = (
        _("%(publication)s: an issue may have been sent on %(due)s")
        if slot.state == Slot.State.UNCERTAIN
        else _("%(publication)s: nothing was sent on %(due)s")
    )
    return Task(
        title=title % {"publication": publication, "due": format_due(slot.due_at, zone=publication.zone)},
        detail=f"{translate(slot.reason)} {translate(describe_next_step(slot))}",
        url=f"{reverse('newsletter_issue_new')}?publication={publication.pk}" if can_make else "",
        button=_("New issue") if can_make else "",
        tone="urgent",
        done_url=reverse("newsletter_slot_checked", args=[slot.pk]) if can_check else "",
        done_button=_("I have checked this") if can_check else "",
    )
