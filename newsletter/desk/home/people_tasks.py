"""What waits for those who look after people: files to allow or to take, sign-ups, consent that runs out. Reads only."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.desk.shell.labels import say_people
from subscribers.consent.implied_consent import expiring_soon
from subscribers.consent.signup_limits import is_full
from subscribers.desk.held_signups import MAY as MAY_LET_IN
from subscribers.desk.imports.viewset import MAY as MAY_EXPORT
from subscribers.desk.listing import say_moment
from subscribers.exporting.export_requests import ready_exports, waiting_exports
from subscribers.models import HeldSignup


@dataclass(frozen=True)
class Task:
    """One thing that waits for a person. ``tone`` is urgent, waits or calm."""

    title: str
    detail: str
    url: str
    button: str
    tone: str = "waits"


def find_people_tasks(*, now: datetime, person: Any) -> list[Task]:
    """Nothing for whoever may not see people."""
    tasks: list[Task] = []
    if person.has_perm(MAY_EXPORT):
        tasks += [*_files_to_take(now, person), *_files_to_allow(now, person)]
    if person.has_perm(MAY_LET_IN):
        tasks += _sign_ups()
    if person.has_perm(MAY_EXPORT):
        tasks += _running_out(now)
    return tasks


def _files_to_take(now: datetime, person: Any) -> list[Task]:
    return [
        Task(
            title=_("Your file of %(people)s is allowed") % {"people": say_people(asked.people)},
            detail=_("It can be taken once, until %(until)s.") % {"until": say_moment(asked.expires_at, now=now)},
            url=reverse("subscribers_export"),
            button=_("Take it"),
        )
        for asked in ready_exports(by=person, now=now)
    ]


def _files_to_allow(now: datetime, person: Any) -> list[Task]:
    return [
        Task(
            title=_("%(who)s asks for a file of %(people)s")
            % {"who": asked.asked_by, "people": say_people(asked.people)},
            detail=_("For “%(reason)s”. A second person has to allow it.") % {"reason": asked.reason},
            url=reverse("subscribers_export"),
            button=_("Look at it"),
        )
        for asked in waiting_exports(now=now).exclude(asked_by=person)
    ]


def _sign_ups() -> list[Task]:
    waiting = HeldSignup.objects.count()
    if not waiting:
        return []
    return [
        Task(
            title=ngettext("%(people)s sign-up waits", "%(people)s sign-ups wait", waiting) % {"people": waiting},
            detail=_say_signups(waiting),
            url=reverse("subscribers_held"),
            button=_("Look through"),
        )
    ]


def _say_signups(waiting: int) -> str:
    if is_full(waiting=waiting):
        return _(
            "The limit is reached: further sign-ups that stand out are dropped until you decide about some of these."
        )
    return _("Let them in or drop them. Whom nobody lets in is forgotten after seven days.")


def _running_out(now: datetime) -> list[Task]:
    people = expiring_soon(now=now).count()
    if not people:
        return []
    return [
        Task(
            title=_("The implied consent of %(people)s runs out soon") % {"people": say_people(people)},
            detail=_("Nobody is mailed after their day. Ask them while you may."),
            url=reverse("subscribers_expiring"),
            button=_("Look through"),
            tone="calm",
        )
    ]
