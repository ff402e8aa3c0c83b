"""What waits for those who look after people: files to allow or to take, sign-ups, consent that runs out. Reads only."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.desk.shell.labels import label_people
from subscribers.consent.implied_consent import list_expiring_subscriptions
from subscribers.consent.signup_limits import is_full
from subscribers.desk.held_signups import REQUIRED_PERMISSION as MAY_LET_IN
from subscribers.desk.imports.views import REQUIRED_PERMISSION as MAY_EXPORT
from subscribers.desk.listing import format_moment
from subscribers.exporting.export_requests import list_ready_exports, list_waiting_exports
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
        tasks += [*_exports_to_download(now, person), *_exports_to_allow(now, person)]
    if person.has_perm(MAY_LET_IN):
        tasks += _held_signup_tasks()
    if person.has_perm(MAY_EXPORT):
        tasks += _expiring_consent_tasks(now)
    return tasks


def _exports_to_download(now: datetime, person: Any) -> list[Task]:
    return [
        Task(
            title=_("Your file of %(people)s is allowed") % {"people": label_people(asked.people_when_asked)},
            detail=_("It can be taken once, until %(until)s.") % {"until": format_moment(asked.expires_at, now=now)},
            url=reverse("subscribers_export"),
            button=_("Take it"),
        )
        for asked in list_ready_exports(by=person, now=now)
    ]


def _exports_to_allow(now: datetime, person: Any) -> list[Task]:
    return [
        Task(
            title=_("%(who)s asks for a file of %(people)s")
            % {"who": asked.asked_by, "people": label_people(asked.people_when_asked)},
            detail=_("For “%(reason)s”. A second person has to allow it.") % {"reason": asked.reason},
            url=reverse("subscribers_export"),
            button=_("Look at it"),
        )
        for asked in list_waiting_exports(now=now).exclude(asked_by=person)
    ]


def _held_signup_tasks() -> list[Task]:
    waiting = HeldSignup.objects.count()
    if not waiting:
        return []
    return [
        Task(
            title=ngettext("%(people)s sign-up waits", "%(people)s sign-ups wait", waiting) % {"people": waiting},
            detail=_describe_held_signups(waiting),
            url=reverse("subscribers_held"),
            button=_("Look through"),
        )
    ]


def _describe_held_signups(waiting: int) -> str:
    if is_full(waiting=waiting):
        return _(
            "The limit is reached: further sign-ups that stand out are dropped until you decide about some of these."
        )
    return _("Let them in or drop them. Whom nobody lets in is forgotten after seven days.")


def _expiring_consent_tasks(now: datetime) -> list[Task]:
    people = list_expiring_subscriptions(now=now).count()
    if not people:
        return []
    return [
        Task(
            title=_("The implied consent of %(people)s runs out soon") % {"people": label_people(people)},
            detail=_("Nobody is mailed after their day. Ask them while you may."),
            url=reverse("subscribers_expiring"),
            button=_("Look through"),
            tone="calm",
        )
    ]
