"""Takes a webhook in: believed only when verified, and in the database before anybody is told that we have it.

What the events mean for people and sends is for later; nothing here looks at a delivery.
"""

import base64
import hashlib
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from newsletter.feedback.endpoint import check_secret, webhook_key
from newsletter.models import ProviderEvent
from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.base.webhooks.events import Feedback, FeedbackKind
from newsletter.providers.base.webhooks.verification import WebhookRequest
from newsletter.providers.registry import find_webhook_handler

MAX_BODY_BYTES = 1024 * 1024
_APPLICABLE = frozenset(FeedbackKind) - {FeedbackKind.UNKNOWN, FeedbackKind.SUBSCRIPTION}


def store_webhook(*, provider: str, secret: str, call: WebhookRequest, now: datetime) -> int:
    """Verify a webhook and store its events, each once. Returns how many it told of, new or not.

    Raises BadWebhook for what is not to be believed, WebhookCheckUnavailable where that cannot be found out now, and
    Django's DatabaseError where they could not be stored: only a return means that we have them.
    """
    reader = find_webhook_handler(provider)
    check_secret(provider=reader.name, secret=secret)
    once = reader.verify(call, webhook_key(reader.name), now)
    events = [_row(told, once=once, now=now) for told in reader.parse(call)]
    with transaction.atomic(durable=True):
        ProviderEvent.objects.bulk_create(
            sorted(events, key=lambda event: event.key), ignore_conflicts=True, batch_size=2000
        )
    if once:
        _refuse_another_use(provider=reader.name, once=once, events=events)
    return len(events)


def _row(told: Feedback, *, once: str, now: datetime) -> ProviderEvent:
    """Opened, clicked and the like are kept without the person: only that the mail was taken counts."""
    body: dict[str, object] = {
        "delivery": told.delivery,
        "batch": told.batch,
        "address": told.address,
        "at": told.at.isoformat() if told.at else "",
        "class": told.bounce_class.value,
        "status": told.status,
        "reason": told.reason,
        "link": told.link,
    }
    applicable = told.kind in _APPLICABLE
    return ProviderEvent(
        provider=told.provider,
        key=_stored_key(told.key),
        kind=told.kind.value,
        body={name: value for name, value in body.items() if value or value == 0},
        once=once or None,
        received_at=now,
        retry_at=now,
        applied_at=None if applicable else now,
        result=ProviderEvent.Result.WAITING if applicable else ProviderEvent.Result.NOTED,
    )


def _stored_key(key: str) -> str:
    """24 characters: a provider's own key is long, and some hold the reader's address."""
    return base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()[:18]).decode("ascii")


def _refuse_another_use(*, provider: str, once: str, events: Iterable[ProviderEvent]) -> None:
    """A token that came before is fine with the same event (the provider did not hear our 200), and with no other."""
    first = ProviderEvent.objects.filter(provider=provider, once=once).values_list("key", flat=True).first()
    known = {event.key for event in events}
    if first not in known and ProviderEvent.objects.filter(provider=provider, key__in=known).count() < len(known):
        raise BadWebhook("The webhook's token was used before, for another event. Somebody repeats an old one.")
