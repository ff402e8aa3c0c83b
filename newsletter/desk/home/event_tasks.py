"""Home's tasks for events that changed after people were shown them. Reads only."""

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.desk.home.people_tasks import Task
from newsletter.issues.corrections.changed_events import ChangedEvent, find_changed_events

MAY_CORRECT = "newsletter.change_issue"
_EDIT = "wagtailsnippets_newsletter_eventnotice:edit"


def find_event_tasks(*, now: datetime, person: Any) -> list[Task]:
    """One task for each changed event that no correction announces yet, for whoever may see issues."""
    may_correct = person.has_perm(MAY_CORRECT)
    may_open = may_correct or person.has_perm("newsletter.change_eventnotice")
    return [_task(changed, may_correct=may_correct) for changed in find_changed_events(now=now)] if may_open else []


def _task(changed: ChangedEvent, *, may_correct: bool) -> Task:
    event, first = changed.event, changed.misled[0]
    people = ngettext(
        "%(people)s person was shown it otherwise: %(when)s.",
        "%(people)s people were shown it otherwise: %(when)s.",
        changed.people,
    ) % {"people": f"{changed.people:,}", "when": first.when}
    if event.cancelled:
        title, now_is = _("“%(event)s” was mailed and does not take place"), ""
    else:
        title = _("“%(event)s” was mailed and has changed")
        where = f", {first.where_now}" if first.where_now else ""
        now_is = " " + _("It is %(when)s now.") % {"when": f"{first.when_now}{where}"}
    return Task(
        title=title % {"event": event.title},
        detail=f"{people}{now_is}",
        url=reverse("newsletter_event_announce" if may_correct else _EDIT, args=[event.pk]),
        button=_("Correct it") if may_correct else _("Look at it"),
        tone="urgent",
    )
