"""Home's tasks for events that changed after people were shown them. Reads only."""

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.desk.home.people_tasks import Task
from newsletter.issues.corrections.changed_events import ChangedEvent, find_changed_events

CORRECT_PERMISSION = "newsletter.change_issue"
_EDIT_URL_NAME = "wagtailsnippets_newsletter_eventnotice:edit"


def find_event_tasks(*, now: datetime, person: Any) -> list[Task]:
    """One task for each changed event that no correction announces yet, for whoever may see issues."""
    can_correct = person.has_perm(CORRECT_PERMISSION)
    can_open = can_correct or person.has_perm("newsletter.change_eventnotice")
    return (
        [_make_task(changed, can_correct=can_correct) for changed in find_changed_events(now=now)] if can_open else []
    )


def _make_task(changed: ChangedEvent, *, can_correct: bool) -> Task:
    event, first = changed.event, changed.misinformed[0]
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
        url=reverse("newsletter_event_announce" if can_correct else _EDIT_URL_NAME, args=[event.pk]),
        button=_("Correct it") if can_correct else _("Look at it"),
        tone="urgent",
    )
