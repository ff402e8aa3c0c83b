"""Tells those who look after the people that a colleague waits for their yes to a file of more than 500 people."""

from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.db.models import Q

from newsletter.common.messages import Message, Quantity
from newsletter.models import Publication, StaffNotice
from subscribers.exporting.export_requests import list_waiting_exports

EXPORT_KEY_PREFIX = "export-"


def notify_waiting_exports(*, now: datetime) -> None:
    """A mail to everybody who may allow it, but not to who asked; once for each export. A publication is the sender."""
    publication = Publication.objects.order_by("pk").first()
    waiting = list(list_waiting_exports(now=now)) if publication is not None else []
    if not waiting:
        return
    may_allow = _list_export_approvers()
    StaffNotice.objects.bulk_create(
        (
            StaffNotice(
                key=f"{EXPORT_KEY_PREFIX}{asked.pk}",
                person=person,
                subject=Message("A file of people waits for your yes"),
                paragraphs=[
                    Message(
                        "%(asked_by)s asks to export %(people)s people, for “%(reason)s”.",
                        asked_by=asked.asked_by,
                        people=Quantity(asked.people_when_asked),
                        reason=asked.reason,
                    ),
                    Message(
                        "What you allow is %(most)s people at most; if there are more when the file is taken, you are "
                        "asked again.",
                        most=Quantity(asked.max_people),
                    ),
                    Message("More than 500 people may leave the system only if a second person allows it."),
                ],
                link=f"{settings.NEWSLETTER_SITE_URL}/admin/people/download/",
                publication=publication,
                made_at=now,
            )
            for asked in waiting
            for person in may_allow
            if person.pk != asked.asked_by_id
        ),
        ignore_conflicts=True,
    )


def _list_export_approvers() -> list[User]:
    may = Permission.objects.filter(content_type__app_label="subscribers", codename="add_importbatch")
    people = User.objects.filter(
        Q(is_superuser=True) | Q(groups__permissions__in=may) | Q(user_permissions__in=may), is_active=True
    )
    return list(people.exclude(email="").distinct().order_by("pk"))
