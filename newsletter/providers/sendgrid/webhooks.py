"""Verify and read SendGrid's event webhooks: ECDSA P-256 over timestamp and raw body; some events come twice."""

from datetime import datetime

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.base.json_values import Row, as_text, parse_address, parse_delivery_id, parse_time
from newsletter.providers.base.webhooks.bodies import make_key, parse_json_objects
from newsletter.providers.base.webhooks.bounces import classify_bounce, find_report_status
from newsletter.providers.base.webhooks.events import BounceClass, Feedback, FeedbackKind
from newsletter.providers.base.webhooks.verification import (
    WebhookHandler,
    WebhookRequest,
    check_age,
    read_base64,
    read_signature,
    read_timestamp,
    require_keys,
    wrong_signature,
)

_SIGNATURE = "x-twilio-email-event-webhook-signature"
_TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
_KINDS = {
    "processed": FeedbackKind.ACCEPTED,
    "delivered": FeedbackKind.DELIVERED,
    "deferred": FeedbackKind.DEFERRED,
    "bounce": FeedbackKind.BOUNCED,
    "dropped": FeedbackKind.BOUNCED,
    "spamreport": FeedbackKind.COMPLAINED,
    "unsubscribe": FeedbackKind.UNSUBSCRIBED,
    "group_unsubscribe": FeedbackKind.UNSUBSCRIBED,
    "open": FeedbackKind.OPENED,
    "click": FeedbackKind.CLICKED,
}
_LISTED_FOR = {
    "bounced address": FeedbackKind.BOUNCED,
    "spam reporting address": FeedbackKind.COMPLAINED,
    "unsubscribed address": FeedbackKind.UNSUBSCRIBED,
}
"""Reasons for which SendGrid drops a mail because the address is on a list of the account."""


def verify_sendgrid(call: WebhookRequest, key: str, now: datetime) -> str:
    """Check the signature with the verification key of SendGrid's settings page. Raise BadWebhook."""
    keys = [_load_key(text) for text in require_keys(key, provider="SendGrid")]
    timestamp = call.headers.get(_TIMESTAMP, "")
    signed_at = read_timestamp(timestamp)
    signature = read_signature(call.headers.get(_SIGNATURE, ""))
    if not any(_is_signed_by(text, signature, timestamp.encode() + call.body) for text in keys):
        raise wrong_signature()
    check_age(signed_at, now=now)
    return ""


def parse_sendgrid(call: WebhookRequest) -> list[Feedback]:
    """Return the events of a body. Raise BadWebhook if it is not one of SendGrid's."""
    return [_parse_event(event) for event in parse_json_objects(call.body, provider="SendGrid")]


def _parse_event(event: Row) -> Feedback:
    name = as_text(event.get("event")).lower()
    kind = _KINDS.get(name, FeedbackKind.UNKNOWN)
    reason = as_text(event.get("reason")) or as_text(event.get("response"))
    delivery = parse_delivery_id(event.get("delivery"))
    message_id = as_text(event.get("sg_message_id"), max_length=200)
    bounce_class = _classify_bounce(event, name=name, reason=reason)
    return Feedback(
        provider="sendgrid",
        key=_make_event_key(event, name=name, message_id=message_id, delivery=delivery),
        kind=kind,
        address=parse_address(event.get("email")),
        delivery=delivery,
        batch=as_text(event.get("batch"), max_length=80),
        at=parse_time(event.get("timestamp")),
        bounce_class=bounce_class,
        reason=reason,
        provider_id=message_id,
        status=find_report_status(kind, f"{as_text(event.get('status'), max_length=12)} {reason}"),
        listed_for=_LISTED_FOR[reason.lower()] if bounce_class is BounceClass.SUPPRESSED else None,
    )


def _make_event_key(event: Row, *, name: str, message_id: str, delivery: int | None) -> str:
    """Return a key that a repeat has too. SendGrid's own id of an event changes at each retry."""
    recipient = delivery if delivery is not None else f"{message_id}/{as_text(event.get('email'))}"
    return make_key(
        recipient, name, as_text(event.get("timestamp")), as_text(event.get("attempt")), as_text(event.get("url"))
    )


def _classify_bounce(event: Row, *, name: str, reason: str) -> BounceClass:
    if name == "dropped" and reason.lower() in _LISTED_FOR:
        return BounceClass.SUPPRESSED
    if name == "dropped":
        return BounceClass.HARD if reason.lower() == "invalid" else BounceClass.BLOCK
    if name != "bounce":
        return BounceClass.NONE
    if as_text(event.get("type")).lower() == "blocked":
        return BounceClass.BLOCK
    return classify_bounce(f"{as_text(event.get('status'), max_length=12)} {reason}")


def _load_key(key: str) -> EllipticCurvePublicKey:
    why = (
        "The webhook_key of SendGrid is not its verification key, so no report of SendGrid can be believed. Copy the key again; "
        "write each + in it as %2B."
    )
    try:
        loaded = load_der_public_key(read_base64(key))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadWebhook(why) from error
    if not isinstance(loaded, EllipticCurvePublicKey):
        raise BadWebhook(why)
    return loaded


def _is_signed_by(key: EllipticCurvePublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


SENDGRID = WebhookHandler(name="sendgrid", verify=verify_sendgrid, parse=parse_sendgrid, atomic=True)
