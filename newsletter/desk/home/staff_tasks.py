"""Home's tasks for administrators: staff who cannot give the code of their second factor. Reads only."""

from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse
from django.utils.translation import gettext as _

from newsletter.desk.home.task_item import Task
from newsletter.models import AuditEntry

LOOK_BACK = timedelta(days=7)


def find_staff_tasks(*, now: datetime, person: User | AnonymousUser) -> list[Task]:
    """Return a task for each lost second factor, if the person may change accounts."""
    if not person.has_perm("auth.change_user"):
        return []
    reported = AuditEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(User),
        action="newsletter.factor_lost",
        timestamp__gt=now - LOOK_BACK,
    )
    latest = {int(entry.object_id): entry.timestamp for entry in reported.order_by("pk")}
    people = User.objects.filter(pk__in=latest, is_active=True).order_by("username")
    return [_lost_factor_task(one) for one in people if _has_factor_from_before(one, latest[one.pk])]


def _has_factor_from_before(person: User, moment: datetime) -> bool:
    return bool(Authenticator.objects.filter(user=person, created_at__lt=moment).exists())


def _lost_factor_task(person: User) -> Task:
    return Task(
        title=_("%(person)s cannot give the code of their second factor") % {"person": person},
        detail=_("Ask them in person or by phone whether this is true. If it is, remove the second factor."),
        url=reverse("wagtailusers_users:edit", args=[person.pk]),
        button=_("View"),
    )
