"""Write the notices about people's data: a waiting export, too many held sign-ups, a stopped webhook."""

from datetime import datetime

from django.conf import settings

from newsletter.common.messages import Message, Quantity, describe_people
from newsletter.issues.approval.write_notices import list_staff_with_permission, write_notice
from newsletter.models import Publication
from subscribers.consent.signup_limits import MAX_HELD_SIGNUPS, is_full
from subscribers.exporting.export_requests import EXPORT_PERMISSIONS, list_waiting_exports
from subscribers.models import HeldSignup, WebhookEndpoint

EXPORT_KEY_PREFIX, HELD_SIGNUPS_KEY_PREFIX, WEBHOOK_KEY_PREFIX = "export-", "held-full-", "webhook-"


def notify_waiting_exports(*, now: datetime) -> None:
    """Queue a notice about each waiting export for everybody who may allow it, except the person who asked.

    The first publication is the sender.
    """
    waiting = list_waiting_exports(now=now)
    publication = Publication.objects.order_by("pk").first() if waiting else None
    if publication is None:
        return
    for request in waiting:
        approvers = list_staff_with_permission(EXPORT_PERMISSIONS[0])
        paragraphs = [
            Message(
                "%(asked_by)s asks to export %(people)s, for “%(reason)s”.",
                asked_by=request.asker,
                people=describe_people(request.people_when_asked),
                reason=request.reason,
            ),
            Message(
                "You allow at most %(limit)s. If there are more when the file is downloaded, you are asked again.",
                limit=describe_people(request.max_people),
            ),
            Message("An export of more than 500 people needs a second person’s approval."),
        ]
        write_notice(
            publication,
            f"{EXPORT_KEY_PREFIX}{request.pk}",
            Message("An export of people is waiting for your approval"),
            paragraphs,
            f"{settings.NEWSLETTER_SITE_URL}/admin/people/download/",
            now,
            people=[
                person
                for person in approvers
                if person.has_perms(EXPORT_PERMISSIONS)
                and person.pk != request.asked_by_id
                and person.get_username() != request.key_maker
            ],
        )


def notify_held_signups_full(*, now: datetime) -> None:
    """Queue a notice for everybody who may decide about sign-ups, once a day (UTC) while the limit is reached."""
    is_reached = is_full(waiting=HeldSignup.objects.count())
    publication = Publication.objects.order_by("pk").first() if is_reached else None
    if publication is None:
        return
    paragraphs = [
        Message("%(limit)s sign-ups are waiting, which is the limit.", limit=Quantity(MAX_HELD_SIGNUPS)),
        Message(
            "Until somebody decides about some of them, further suspicious sign-ups are dropped: these people get "
            "no confirmation mail. All other sign-ups continue."
        ),
    ]
    write_notice(
        publication,
        f"{HELD_SIGNUPS_KEY_PREFIX}{now:%Y-%m-%d}",
        Message("Sign-ups to review have reached their limit, so further ones are dropped"),
        paragraphs,
        f"{settings.NEWSLETTER_SITE_URL}/admin/people/held/",
        now,
        people=list_staff_with_permission("subscribers.add_subscription"),
    )


def notify_stopped_webhooks(*, now: datetime) -> None:
    """Queue one notice each time that a webhook is stopped. The first publication is the sender."""
    stopped = list(WebhookEndpoint.objects.filter(state=WebhookEndpoint.State.STOPPED))
    publication = Publication.objects.order_by("pk").first() if stopped else None
    if publication is None:
        return
    for endpoint in stopped:
        paragraphs = [
            Message(
                "“%(name)s” has accepted no webhook since %(since)s, so we stopped trying.",
                name=endpoint.name,
                since=Message("%(moment)s (UTC)", moment=endpoint.failing_since),
            ),
            Message(
                "What happens meanwhile is kept for 30 days. Turn it on again when its receiver works: it gets everything."
            ),
        ]
        write_notice(
            publication,
            f"{WEBHOOK_KEY_PREFIX}{endpoint.pk}-{endpoint.failing_since:%Y%m%d%H%M}",
            Message("The webhook “%(name)s” is stopped", name=endpoint.name),
            paragraphs,
            f"{settings.NEWSLETTER_SITE_URL}/admin/webhooks/{endpoint.pk}/",
            now,
            people=list_staff_with_permission("subscribers.change_webhookendpoint"),
        )
