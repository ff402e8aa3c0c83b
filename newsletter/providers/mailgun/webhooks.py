"""Mailgun's webhooks: is this one real and fresh, and what does it say.

Mailgun signs a timestamp and a token, not the body: the caller must remember each token and refuse it the second time.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.base.webhooks.bounces import classify_bounce, enhanced_status
from newsletter.providers.base.webhooks.events import BounceClass, Feedback, FeedbackKind
from newsletter.providers.base.webhooks.values import (
    address,
    delivery_id,
    fingerprint,
    make_key,
    parse_time,
    read_json_object,
    table,
    text,
)
from newsletter.providers.base.webhooks.verification import WebhookHandler, WebhookRequest, check_age, require_keys

MAX_SIGNATURE_AGE = timedelta(hours=24)
_KINDS = {
    "accepted": FeedbackKind.ACCEPTED,
    "delivered": FeedbackKind.DELIVERED,
    "complained": FeedbackKind.COMPLAINED,
    "unsubscribed": FeedbackKind.UNSUBSCRIBED,
    "opened": FeedbackKind.OPENED,
    "clicked": FeedbackKind.CLICKED,
}


@dataclass(frozen=True)
class VerifiedSignature:
    """Proof that Mailgun made the webhook. ``token`` may be used once: refuse a second webhook that has it."""

    token: str
    signed_at: datetime


def verify_mailgun(
    body: bytes, *, signing_key: str, now: datetime, fresh: timedelta = MAX_SIGNATURE_AGE
) -> VerifiedSignature:
    """Check signature and age of a webhook's raw body. Raises BadWebhook, also where no signing key is set."""
    keys = require_keys(signing_key, provider="Mailgun")
    block = read_json_object(body, provider="Mailgun").get("signature")
    if not isinstance(block, dict):
        raise BadWebhook("The webhook has no signature.")
    timestamp, token, signature = (block.get(name) for name in ("timestamp", "token", "signature"))
    timestamp = str(timestamp)
    if not isinstance(token, str) or not isinstance(signature, str) or not re.fullmatch(r"\d{1,11}", timestamp):
        raise BadWebhook("The webhook's signature cannot be read.")
    signed = (timestamp + token).encode("utf-8", "replace")
    rights = [hmac.new(key.encode(), signed, hashlib.sha256).hexdigest() for key in keys]
    if not any(hmac.compare_digest(right.encode(), signature.encode("utf-8", "replace")) for right in rights):
        raise BadWebhook("The webhook's signature is wrong: it was not made with our signing key.")
    signed_at = datetime.fromtimestamp(int(timestamp), UTC)
    check_age(signed_at, now=now, max_age=fresh)
    return VerifiedSignature(token=token, signed_at=signed_at)


def parse_mailgun(body: bytes) -> list[Feedback]:
    """Give the events of a webhook's body (Mailgun sends one). An event of a new kind comes out as ``unknown``.

    Raises BadWebhook where the body is not one of Mailgun's.
    """
    event = read_json_object(body, provider="Mailgun").get("event-data")
    if not isinstance(event, dict):
        raise BadWebhook("The webhook does not have Mailgun's form (no event-data).")
    return [_feedback(event)]


def _verify(call: WebhookRequest, key: str, now: datetime) -> str:
    return hashlib.sha256(
        verify_mailgun(call.body, signing_key=key, now=now).token.encode("utf-8", "replace")
    ).hexdigest()


def _feedback(event: Mapping[str, Any]) -> Feedback:
    kind, bounce_class = _kind(event)
    ours = table(event.get("user-variables"))
    status = table(event.get("delivery-status"))
    said = text(status.get("message"))
    reason = text(status.get("description")) or said or text(event.get("reason"))
    headers = table(table(event.get("message")).get("headers"))
    return Feedback(
        provider="mailgun",
        key=make_key(text(event.get("id")) or fingerprint(event)),
        kind=kind,
        address=address(event.get("recipient")),
        delivery=delivery_id(ours.get("delivery")),
        batch=text(ours.get("batch"), max_length=80),
        at=_moment(event.get("timestamp")),
        bounce_class=bounce_class,
        reason=reason,
        provider_id=text(headers.get("message-id"), max_length=200).strip("<>"),
        status=enhanced_status(f"{said} {reason}") if bounce_class else "",
    )


def _kind(event: Mapping[str, Any]) -> tuple[FeedbackKind, BounceClass]:
    name = text(event.get("event")).lower()
    if name != "failed":
        return _KINDS.get(name, FeedbackKind.UNKNOWN), BounceClass.NONE
    if text(event.get("severity")).lower() == "temporary":
        return FeedbackKind.DEFERRED, BounceClass.NONE
    return FeedbackKind.BOUNCED, _bounce_class(event)


def _bounce_class(event: Mapping[str, Any]) -> BounceClass:
    status = table(event.get("delivery-status"))
    parts = ("code", "enhanced-code", "message", "description")
    said = " ".join(part for part in (text(status.get(name)) for name in parts) if part and part != "0")
    reason = text(event.get("reason")).lower()
    if reason.startswith("suppress-") or reason in ("espblock", "policy"):
        return BounceClass.BLOCK
    if not enhanced_status(said) and (reason == "old" or str(status.get("code", "")).startswith("4")):
        return BounceClass.SOFT
    soft = text(status.get("bounce-type")).lower() == "soft"
    return classify_bounce(said, fallback=BounceClass.SOFT if soft else BounceClass.HARD)


def _moment(value: object) -> datetime | None:
    return None if isinstance(value, str) else parse_time(value)


MAILGUN = WebhookHandler(
    name="mailgun",
    verify=_verify,
    parse=lambda call: parse_mailgun(call.body),
    signs=True,
    atomic=True,
    refusal=406,
)
