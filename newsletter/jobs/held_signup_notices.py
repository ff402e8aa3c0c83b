"""Tells staff by mail that as many sign-ups wait as may wait, so that further ones are dropped."""

from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.db.models import Q

from newsletter.common.messages import Message, Quantity
from newsletter.models import Publication, StaffNotice
from subscribers.consent.signup_limits import MAX_HELD_SIGNUPS, is_full
from subscribers.models import HeldSignup

HELD_SIGNUPS_KEY_PREFIX = "held-full-"


def notify_held_signups_full(*, now: datetime) -> None:
    """Write a mail to everybody who may decide about sign-ups, once a day (UTC) while the limit is reached."""
    publication = Publication.objects.order_by("pk").first()
    if publication is None or not is_full(waiting=HeldSignup.objects.count()):
        return
    StaffNotice.objects.bulk_create(
        (
            StaffNotice(
                key=f"{HELD_SIGNUPS_KEY_PREFIX}{now:%Y-%m-%d}",
                person=person,
                subject=Message("So many sign-ups wait that further ones are dropped"),
                paragraphs=[
                    Message(
                        "%(most_held)s sign-ups are waiting, which is the limit.", most_held=Quantity(MAX_HELD_SIGNUPS)
                    ),
                    Message(
                        "Until somebody decides about some of them, further sign-ups that stand out are dropped: these "
                        "people are not asked by mail. Other sign-ups go on as ever."
                    ),
                ],
                link=f"{settings.NEWSLETTER_SITE_URL}/admin/people/held/",
                publication=publication,
                made_at=now,
            )
            for person in _list_signup_deciders()
        ),
        ignore_conflicts=True,
    )


def _list_signup_deciders() -> list[User]:
    may = Permission.objects.filter(content_type__app_label="subscribers", codename="add_subscription")
    people = User.objects.filter(
        Q(is_superuser=True) | Q(groups__permissions__in=may) | Q(user_permissions__in=may), is_active=True
    )
    return list(people.exclude(email="").distinct().order_by("pk"))
