"""Home's tasks for staff who manage subscribers: exports, held sign-ups, consent that expires. Reads only."""

from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.desk.home.task_item import Task
from newsletter.desk.shell.labels import label_people
from subscribers.consent.implied_consent import list_expiring_subscriptions
from subscribers.consent.signup_limits import is_full
from subscribers.desk.held_signups import REQUIRED_PERMISSION as HELD_SIGNUP_PERMISSION
from subscribers.desk.imports.views import REQUIRED_PERMISSION as EXPORT_PERMISSION
from subscribers.desk.listing import format_moment
from subscribers.exporting.export_requests import list_exports_to_allow, list_ready_exports
from subscribers.models import HeldSignup


def find_people_tasks(*, now: datetime, person: User | AnonymousUser) -> list[Task]:
    """Return the tasks that the person has the permissions for."""
    tasks: list[Task] = []
    if person.has_perm(EXPORT_PERMISSION):
        tasks += [*_exports_to_download(now, person), *_exports_to_approve(now, person)]
    if person.has_perm(HELD_SIGNUP_PERMISSION):
        tasks += _held_signup_tasks()
    if person.has_perm(EXPORT_PERMISSION):
        tasks += _expiring_consent_tasks(now)
    return tasks


def _exports_to_download(now: datetime, person: User | AnonymousUser) -> list[Task]:
    return [
        Task(
            title=_("Your export of %(people)s was approved") % {"people": label_people(export.people_when_asked)},
            detail=_("You can download it once, until %(until)s.")
            % {"until": format_moment(export.expires_at, now=now)},
            url=reverse("subscribers_export"),
            button=_("Download"),
        )
        for export in list_ready_exports(by=person, now=now)
    ]


def _exports_to_approve(now: datetime, person: User | AnonymousUser) -> list[Task]:
    return [
        Task(
            title=_("%(who)s wants to export %(people)s")
            % {"who": export.asker, "people": label_people(export.people_when_asked)},
            detail=_("Reason: “%(reason)s”. A second person must approve the export.") % {"reason": export.reason},
            url=reverse("subscribers_export"),
            button=_("View"),
        )
        for export in list_exports_to_allow(by=person, now=now)
    ]


def _held_signup_tasks() -> list[Task]:
    waiting = HeldSignup.objects.count()
    if not waiting:
        return []
    return [
        Task(
            title=ngettext(
                "%(people)s sign-up is waiting for a decision",
                "%(people)s sign-ups are waiting for a decision",
                waiting,
            )
            % {"people": waiting},
            detail=_describe_held_signups(waiting),
            url=reverse("subscribers_held"),
            button=_("Review"),
        )
    ]


def _describe_held_signups(waiting: int) -> str:
    if is_full(waiting=waiting):
        return _("The limit is reached. More suspicious sign-ups are dropped until you decide about some of these.")
    return _("Accept or drop them. Sign-ups without a decision are deleted after seven days.")


def _expiring_consent_tasks(now: datetime) -> list[Task]:
    people = list_expiring_subscriptions(now=now).count()
    if not people:
        return []
    return [
        Task(
            title=_("The implied consent of %(people)s expires soon") % {"people": label_people(people)},
            detail=_("They get no mail after that day. Ask for their consent while you can."),
            url=reverse("subscribers_expiring"),
            button=_("Review"),
            tone="calm",
        )
    ]
