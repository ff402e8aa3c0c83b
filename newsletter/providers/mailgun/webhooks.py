"""Verify and read Mailgun's webhooks.

Mailgun signs a timestamp and a token, not the body: the caller must remember each token and refuse it a second time.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from newsletter.providers.base.json_values import Row, as_mapping, as_text, parse_address, parse_delivery_id, parse_time
from newsletter.providers.base.webhooks.bodies import fingerprint, make_key, parse_json_object, wrong_form
from newsletter.providers.base.webhooks.bounces import classify_bounce, find_enhanced_status, find_report_status
from newsletter.providers.base.webhooks.events import BounceClass, Feedback, FeedbackKind
from newsletter.providers.base.webhooks.verification import (
    WebhookHandler,
    WebhookRequest,
    check_age,
    is_one_of,
    missing_signature,
    require_keys,
    wrong_signature,
)

MAX_SIGNATURE_AGE = timedelta(hours=24)
_KINDS = {
    "accepted": FeedbackKind.ACCEPTED,
    "delivered": FeedbackKind.DELIVERED,
    "complained": FeedbackKind.COMPLAINED,
    "unsubscribed": FeedbackKind.UNSUBSCRIBED,
    "opened": FeedbackKind.OPENED,
    "clicked": FeedbackKind.CLICKED,
}
_LISTED_FOR = {
    "suppress-bounce": FeedbackKind.BOUNCED,
    "suppress-complaint": FeedbackKind.COMPLAINED,
    "suppress-unsubscribe": FeedbackKind.UNSUBSCRIBED,
}


def verify_mailgun(body: bytes, *, signing_key: str, now: datetime) -> str:
    """Check signature and age of a webhook's raw body. Return its token: refuse a second webhook with the same one.

    Raise BadWebhook, also if no signing key is set.
    """
    keys = require_keys(signing_key, provider="Mailgun")
    signature_part = parse_json_object(body, provider="Mailgun").get("signature")
    if not isinstance(signature_part, dict):
        raise missing_signature()
    timestamp, token, signature = (signature_part.get(name) for name in ("timestamp", "token", "signature"))
    return check_mailgun_signature(timestamp, token, signature, keys=keys, now=now)


def check_mailgun_signature(
    timestamp: object, token: object, signature: object, *, keys: Sequence[str], now: datetime
) -> str:
    """Check the three values with which Mailgun signs reports and mails. Return the token. Raise BadWebhook."""
    timestamp = str(timestamp)
    is_signed = re.fullmatch(r"\d{1,11}", timestamp) and token and signature
    if not is_signed or not isinstance(token, str) or not isinstance(signature, str):
        raise missing_signature()
    signed = (timestamp + token).encode("utf-8", "replace")
    valid = [hmac.new(key.encode(), signed, hashlib.sha256).hexdigest().encode() for key in keys]
    if not is_one_of(signature.encode("utf-8", "replace"), valid):
        raise wrong_signature()
    check_age(datetime.fromtimestamp(int(timestamp), UTC), now=now, max_age=MAX_SIGNATURE_AGE)
    return token


def parse_mailgun(body: bytes) -> list[Feedback]:
    """Return the events of a webhook's body, which has one. An event that is new to us is ``unknown``.

    Raise BadWebhook if the body is not one of Mailgun's.
    """
    event = parse_json_object(body, provider="Mailgun").get("event-data")
    if not isinstance(event, dict):
        raise wrong_form("Mailgun")
    return [_parse_event(event)]


def _verify(call: WebhookRequest, key: str, now: datetime) -> str:
    token = verify_mailgun(call.body, signing_key=key, now=now)
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _parse_event(event: Row) -> Feedback:
    kind, bounce_class = _classify(event)
    ids = as_mapping(event.get("user-variables"))
    status = as_mapping(event.get("delivery-status"))
    server_reply = as_text(status.get("message"))
    reason = as_text(status.get("description")) or server_reply or as_text(event.get("reason"))
    headers = as_mapping(as_mapping(event.get("message")).get("headers"))
    return Feedback(
        provider="mailgun",
        key=make_key(as_text(event.get("id")) or fingerprint(event)),
        kind=kind,
        address=parse_address(event.get("recipient")),
        delivery=parse_delivery_id(ids.get("delivery")),
        batch=as_text(ids.get("batch"), max_length=80),
        at=_parse_time(event.get("timestamp")),
        bounce_class=bounce_class,
        reason=reason,
        provider_id=as_text(headers.get("message-id"), max_length=200).strip("<>"),
        status=find_report_status(kind, _join_reply(status, reason=f"{server_reply} {reason}")),
        listed_for=_LISTED_FOR.get(_read_reason(event)) if bounce_class is BounceClass.SUPPRESSED else None,
    )


def _classify(event: Row) -> tuple[FeedbackKind, BounceClass]:
    name = as_text(event.get("event")).lower()
    if name != "failed":
        return _KINDS.get(name, FeedbackKind.UNKNOWN), BounceClass.NONE
    if as_text(event.get("severity")).lower() == "temporary":
        return FeedbackKind.DEFERRED, BounceClass.NONE
    return FeedbackKind.BOUNCED, _bounce_class(event)


def _bounce_class(event: Row) -> BounceClass:
    status = as_mapping(event.get("delivery-status"))
    server_reply = _join_reply(status)
    reason = _read_reason(event)
    if reason.startswith("suppress-"):
        return BounceClass.SUPPRESSED
    if reason in ("espblock", "policy"):
        return BounceClass.BLOCK
    if not find_enhanced_status(server_reply) and (reason == "old" or str(status.get("code", "")).startswith("4")):
        return BounceClass.SOFT
    soft = as_text(status.get("bounce-type")).lower() == "soft"
    return classify_bounce(server_reply, fallback=BounceClass.SOFT if soft else BounceClass.HARD)


def _read_reason(event: Row) -> str:
    return as_text(event.get("reason")).lower()


def _join_reply(status: Row, *, reason: str = "") -> str:
    """Return all that an event says of the receiving server's answer."""
    parts = (as_text(status.get(name)) for name in ("code", "enhanced-code", "message", "description"))
    return " ".join(part for part in (*parts, reason.strip()) if part and part != "0")


def _parse_time(value: object) -> datetime | None:
    return None if isinstance(value, str) else parse_time(value)


MAILGUN = WebhookHandler(
    name="mailgun",
    verify=_verify,
    parse=lambda call: parse_mailgun(call.body),
    atomic=True,
)
