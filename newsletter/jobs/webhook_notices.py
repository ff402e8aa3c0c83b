"""Notify administrators of a webhook that was stopped because its receiver took nothing."""

from datetime import datetime

from django.conf import settings

from newsletter.common.messages import Message
from newsletter.issues.approval.write_notices import list_staff_with_permission, write_notice
from newsletter.models import Publication
from subscribers.models import WebhookEndpoint


def notify_stopped_webhooks(*, now: datetime) -> None:
    """Queue one notice each time that a webhook is stopped. The first publication is the sender."""
    stopped = list(WebhookEndpoint.objects.filter(state=WebhookEndpoint.State.STOPPED))
    publication = Publication.objects.order_by("pk").first() if stopped else None
    if publication is None:
        return
    for endpoint in stopped:
        paragraphs = [
            Message(
                "“%(name)s” has taken no webhook since %(since)s, so we stopped trying.",
                name=endpoint.name,
                since=f"{endpoint.failing_since:%Y-%m-%d %H:%M} UTC",
            ),
            Message(
                "What happens meanwhile is kept for 30 days. Turn it on again when its receiver works: it gets everything."
            ),
        ]
        write_notice(
            publication,
            f"webhook-{endpoint.pk}-{endpoint.failing_since:%Y%m%d%H%M}",
            Message("The webhook “%(name)s” is stopped", name=endpoint.name),
            paragraphs,
            f"{settings.NEWSLETTER_SITE_URL}/admin/webhooks/{endpoint.pk}/",
            now,
            people=list_staff_with_permission("subscribers.change_webhookendpoint"),
        )
