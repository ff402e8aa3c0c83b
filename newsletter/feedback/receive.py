"""Store the events of a webhook once it is verified. Nothing is applied here."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime

from django.db import transaction

from newsletter.feedback.endpoint import (
    find_account_of_secret,
    find_reporting_account,
    list_former_keys,
    require_key,
    webhook_key,
)
from newsletter.feedback.webhook_setup.keys import key_mark, note_report
from newsletter.models import ProviderEvent
from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.base.webhooks.events import Feedback, FeedbackKind
from newsletter.providers.base.webhooks.verification import WebhookHandler, WebhookRequest, split_keys
from newsletter.providers.registry import find_webhook_handler

MAX_BODY_BYTES = 1024 * 1024
_APPLICABLE = frozenset(FeedbackKind) - {FeedbackKind.UNKNOWN, FeedbackKind.SUBSCRIPTION}


def store_webhook(*, provider: str, secret: str, call: WebhookRequest, now: datetime) -> int:
    """Verify a webhook and store its events, each once. Return how many it contains, new or not.

    Only a return means that they are stored. Raise BadWebhook if it is not genuine, WebhookCheckUnavailable if that
    cannot be checked now, and Django's DatabaseError if the events cannot be stored.
    """
    reader = find_webhook_handler(provider)
    address = find_account_of_secret(provider=reader.name, secret=secret)
    account = find_reporting_account(provider=reader.name, address=address)
    once, key = _verify(reader, call, now=now)
    mark = key_mark(key) if key else ""
    shared = mark if account is None else ""
    events = [_make_event(feedback, once=once, verified_by=shared, now=now) for feedback in reader.parse(call)]
    with transaction.atomic(durable=True):
        _store_events(events)
        # Otherwise the reports are noted when they are applied, for the account that their mails went through.
        if account is not None and any(event.kind != FeedbackKind.SUBSCRIPTION.value for event in events):
            note_report(reader.name, account=account, verified_by=mark, now=now)
    if once:
        _require_first_use(provider=reader.name, once=once, events=events)
    return len(events)


def _verify(reader: WebhookHandler, call: WebhookRequest, *, now: datetime) -> tuple[str, str]:
    """Verify a webhook with the keys of the configured accounts, or else with those of former ones.

    Return its token, "" if it has none, and the key that verified it, "" if none is needed. A former account's key is
    believed for as long as it is used, so its use is noted.
    """
    keys, former = webhook_key(reader.name), list_former_keys(reader.name, now=now)
    try:
        if former:
            # Without a key, some handlers believe everything: verify only with a key.
            require_key(reader.name)
        once = reader.verify(call, keys, now)
        return once, _find_key(reader, call, keys=split_keys(keys), now=now)
    except BadWebhook:
        for account, key in former:
            with suppress(BadWebhook):
                once = reader.verify(call, key, now)
                note_report(reader.name, account=account, verified_by=key_mark(key), now=now)
                return once, key
        raise


def _find_key(reader: WebhookHandler, call: WebhookRequest, *, keys: Sequence[str], now: datetime) -> str:
    """Return the key that verifies the webhook, "" if none of them does."""
    for key in keys[:-1]:
        with suppress(BadWebhook):
            reader.verify(call, key, now)
            return key
    return keys[-1] if keys else ""


def store_feedback(feedback: Iterable[Feedback], *, now: datetime) -> None:
    """Store events that did not arrive by webhook, each once. The caller has made sure that they are genuine."""
    _store_events([_make_event(report, once="", now=now) for report in feedback])


def _store_events(events: Iterable[ProviderEvent]) -> None:
    ProviderEvent.objects.bulk_create(
        sorted(events, key=lambda event: event.key), ignore_conflicts=True, batch_size=2000
    )


def _make_event(feedback: Feedback, *, once: str, now: datetime, verified_by: str = "") -> ProviderEvent:
    """Return the row of an event. One that is never applied keeps nothing but a link to confirm, so nobody's address."""
    applicable = feedback.kind in _APPLICABLE
    body: dict[str, object] = {
        "delivery": feedback.delivery,
        "batch": feedback.batch,
        "address": feedback.address,
        "at": feedback.at.isoformat() if feedback.at else "",
        "class": feedback.bounce_class.value,
        "status": feedback.status,
        "reason": feedback.reason,
        "link": feedback.link,
        "listed_for": feedback.listed_for.value if feedback.listed_for else "",
        "verified_by": verified_by,
    }
    stored = body if applicable else {"link": feedback.link}
    return ProviderEvent(
        provider=feedback.provider,
        key=_hash_key(feedback.key),
        kind=feedback.kind.value,
        body={name: value for name, value in stored.items() if value or value == 0},
        once=once or None,
        received_at=now,
        retry_at=now,
        applied_at=None if applicable else now,
        result=ProviderEvent.Result.WAITING if applicable else ProviderEvent.Result.NOTED,
    )


def _hash_key(key: str) -> str:
    """Return 24 characters in place of a provider's key, which may be long and contain an address."""
    return base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()[:18]).decode("ascii")


def _require_first_use(*, provider: str, once: str, events: Iterable[ProviderEvent]) -> None:
    """Raise BadWebhook if the token came before with another event.

    The same event may come again with its token, because our answer was lost.
    """
    first = ProviderEvent.objects.filter(provider=provider, once=once).values_list("key", flat=True).first()
    event_keys = {event.key for event in events}
    if first not in event_keys and ProviderEvent.objects.filter(provider=provider, key__in=event_keys).count() < len(
        event_keys
    ):
        raise BadWebhook(
            "The webhook's token was used before for another event, so it is probably a copy and was refused. If reports are "
            "missing, let the provider post this one again."
        )
