"""Reports of providers for tests: sends whose calls are over, webhook events about them, and what they led to."""

import json
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F

from newsletter.feedback.apply import apply_due_events
from newsletter.feedback.endpoint import webhook_secret
from newsletter.feedback.receive import store_webhook
from newsletter.models import Batch, Delivery, Send
from newsletter.providers.base.webhooks.verification import WebhookRequest
from newsletter.sending.freezing.start import start_send
from subscribers.models import Subscriber, Subscription, Suppression
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story
from tests.support.repeated_rows import repeat_rows

LATER = NOW + timedelta(hours=1)


@repeat_rows
def make_send(
    *, recipients: int = 3, state: str = Batch.State.ACCEPTED, slug: str = "weekly", **publication: Any
) -> Send:
    """Create a send with a frozen audience whose calls are over; its batches have the state."""
    made = make_publication(slug=slug, **publication)
    make_story(f"The first verdict of {slug}")
    add_subscribers(made, recipients)
    send = start_send(issue=make_issue(made, approved=True), now=NOW)
    send.batches.update(state=state, attempt_number=1, handed_to=F("account"))
    return send


def deliveries_of(send: Send) -> list[Delivery]:
    return list(Delivery.objects.filter(batch__send=send).order_by("subscriber_id"))


def address_of(delivery: Delivery) -> str:
    return Subscriber.objects.get(pk=delivery.subscriber_id).email


def brevo_event(name: str, delivery: Delivery, *, at: datetime = LATER, **more: Any) -> dict[str, Any]:
    ours = {"delivery": str(delivery.pk), "batch": delivery.batch.key}
    return {
        "event": name,
        "email": address_of(delivery),
        "message-id": f"<{delivery.pk}@relay>",
        "ts_epoch": int(at.timestamp() * 1000),
        "X-Mailin-custom": json.dumps(ours),
        **more,
    }


def postmark_event(record: str, delivery: Delivery, *, at: datetime = LATER, **more: Any) -> dict[str, Any]:
    return {
        "RecordType": record,
        "MessageID": f"message-{delivery.pk}",
        "Recipient": address_of(delivery),
        "ReceivedAt": at.isoformat(),
        "Metadata": {"delivery": str(delivery.pk), "batch": delivery.batch.key},
        **more,
    }


def store_reports(*events: dict[str, Any], provider: str = "brevo", now: datetime = LATER) -> None:
    """Store the events as one webhook."""
    store_webhook(
        provider=provider,
        secret=webhook_secret(provider),
        call=WebhookRequest(json.dumps(list(events)).encode()),
        now=now,
    )


def apply_reports(*events: dict[str, Any], provider: str = "brevo", now: datetime = LATER) -> None:
    """Store the events and apply all that are due."""
    store_reports(*events, provider=provider, now=now)
    apply_due_events(clock=lambda: now)


def find_suppressions(delivery: Delivery) -> set[str]:
    """Return the reasons for which the recipient's address is suppressed."""
    rows = Suppression.objects.live().values_list("address_hash", "reason")
    stored = bytes(delivery.address_hash)
    return {reason for address_hash, reason in rows if bytes(address_hash).startswith(stored)}


def is_subscribed(delivery: Delivery) -> bool:
    return Subscription.objects.filter(subscriber=delivery.subscriber_id).open().exists()
