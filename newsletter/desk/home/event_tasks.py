"""Home's tasks about events: corrections to write, times and locations to check. Reads only."""

from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.contrib.humanize.templatetags.humanize import intcomma
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.desk.home.checked_events import hash_unsure_events, list_unsure_events
from newsletter.desk.home.task_item import Task
from newsletter.issues.corrections.changed_events import ChangedEvent, find_changed_events
from newsletter.models import EventNotice

CORRECT_PERMISSION = "newsletter.change_issue"
_EDIT_URL_NAME = "wagtailsnippets_newsletter_eventnotice:edit"


def find_event_tasks(*, now: datetime, person: User | AnonymousUser) -> list[Task]:
    """Return a task for each changed event that no correction announces yet, if the person may correct or edit it."""
    can_correct = person.has_perm(CORRECT_PERMISSION)
    if not (can_correct or person.has_perm("newsletter.change_eventnotice")):
        return []
    return [_changed_event_task(changed, can_correct=can_correct) for changed in find_changed_events(now=now)]


def _changed_event_task(changed: ChangedEvent, *, can_correct: bool) -> Task:
    event, first = changed.event, changed.misinformed[0]
    if changed.to_files:
        detail = ngettext(
            "%(people)s person would have received different details: %(when)s.",
            "%(people)s people would have received different details: %(when)s.",
            changed.people,
        )
        cancelled, moved = (
            _("“%(event)s” was cancelled after it was written to files"),
            _("“%(event)s” changed after it was written to files"),
        )
    else:
        detail = ngettext(
            "%(people)s person received different details: %(when)s.",
            "%(people)s people received different details: %(when)s.",
            changed.people,
        )
        cancelled, moved = (
            _("“%(event)s” was cancelled after it was mailed"),
            _("“%(event)s” changed after it was mailed"),
        )
    detail %= {"people": intcomma(changed.people), "when": first.when}
    title = cancelled if event.cancelled else moved
    if not event.cancelled:
        when_and_where = ", ".join(filter(None, [first.when_now, first.where_now]))
        detail += " " + _("The details are now: %(when)s.") % {"when": when_and_where}
    return Task(
        title=title % {"event": event.title},
        detail=detail,
        url=reverse("newsletter_event_announce" if can_correct else _EDIT_URL_NAME, args=[event.pk]),
        button=_("Write a correction") if can_correct else _("View"),
        tone="calm" if changed.to_files else "urgent",
    )


def find_unsure_event_tasks(*, now: datetime, person: User | AnonymousUser) -> list[Task]:
    """Return one task if something about upcoming events is uncertain, such as the time, or whether they take place.

    A button for those who change events says that all of them are checked.
    """
    unsure = list_unsure_events(now=now)
    count = len(unsure)
    if not count:
        return []
    can_check = person.has_perm("newsletter.change_eventnotice")
    return [
        Task(
            title=ngettext(
                "%(events)s upcoming event needs checking", "%(events)s upcoming events need checking", count
            )
            % {"events": count},
            detail=_("A time or place is unclear, or whether it takes place. People in the region will still see it."),
            url=reverse("wagtailsnippets_newsletter_eventnotice:list") + "?unsure=yes&when=ahead",
            button=_("Review"),
            tone="calm",
            done_url=reverse("newsletter_events_checked") if can_check else "",
            done_button=ngettext("I have checked it", "I have checked all %(events)s", count) % {"events": count}
            if can_check
            else "",
            seen=hash_unsure_events(unsure),
        )
    ]


def find_event_location_tasks(*, now: datetime) -> list[Task]:
    """Return one task if staff must set the location of upcoming events."""
    count = EventNotice.objects.filter(starts_at__gte=now, cancelled=False).exclude(place_question={}).count()
    if not count:
        return []
    return [
        Task(
            title=ngettext(
                "%(events)s upcoming event needs a location", "%(events)s upcoming events need a location", count
            )
            % {"events": count},
            detail=_("Nobody nearby sees it until you choose a place."),
            url=reverse("newsletter_event_places"),
            button=_("Set the location"),
        )
    ]
