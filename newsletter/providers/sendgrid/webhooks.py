"""SendGrid's event webhook: ECDSA P-256 over its timestamp and the raw body; a list of events, some of them twice."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.base.webhooks.bounces import classify_bounce, enhanced_status
from newsletter.providers.base.webhooks.events import BounceClass, Feedback, FeedbackKind
from newsletter.providers.base.webhooks.values import (
    address,
    delivery_id,
    make_key,
    parse_time,
    read_json_objects,
    text,
)
from newsletter.providers.base.webhooks.verification import (
    WebhookHandler,
    WebhookRequest,
    check_age,
    read_base64,
    require_keys,
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


def verify_sendgrid(call: WebhookRequest, key: str, now: datetime) -> str:
    """Check the signature with the verification key of SendGrid's settings page. Raises BadWebhook."""
    keys = [_load(each) for each in require_keys(key, provider="SendGrid")]
    timestamp = call.headers.get(_TIMESTAMP, "")
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 11:
        raise BadWebhook("The webhook has no signature, or one that cannot be read.")
    signature = read_base64(call.headers.get(_SIGNATURE, ""), what="signature")
    if not any(_signed_by(each, signature, timestamp.encode() + call.body) for each in keys):
        raise BadWebhook("The webhook's signature is wrong: it was not made with the key of our SendGrid account.")
    check_age(datetime.fromtimestamp(int(timestamp), UTC), now=now)
    return ""


def parse_sendgrid(call: WebhookRequest) -> list[Feedback]:
    """Give the events of a body. Raises BadWebhook where it is not one of SendGrid's."""
    return [_feedback(event) for event in read_json_objects(call.body, provider="SendGrid")]


def _feedback(event: Mapping[str, Any]) -> Feedback:
    name = text(event.get("event")).lower()
    kind = _KINDS.get(name, FeedbackKind.UNKNOWN)
    said = text(event.get("reason")) or text(event.get("response"))
    delivery = delivery_id(event.get("delivery"))
    mail = text(event.get("sg_message_id"), max_length=200)
    return Feedback(
        provider="sendgrid",
        key=_key(event, name=name, mail=mail, delivery=delivery),
        kind=kind,
        address=address(event.get("email")),
        delivery=delivery,
        batch=text(event.get("batch"), max_length=80),
        at=parse_time(event.get("timestamp")),
        bounce_class=_bounce_class(event, name=name, said=said),
        reason=said,
        provider_id=mail,
        status=(text(event.get("status"), max_length=12) or enhanced_status(said))
        if kind is FeedbackKind.BOUNCED
        else "",
    )


def _key(event: Mapping[str, Any], *, name: str, mail: str, delivery: int | None) -> str:
    """SendGrid's own id of an event is another one at each retry, so it cannot tell an event from its repeat."""
    whose = delivery if delivery is not None else f"{mail}/{text(event.get('email'))}"
    return make_key(whose, name, text(event.get("timestamp")), text(event.get("attempt")), text(event.get("url")))


def _bounce_class(event: Mapping[str, Any], *, name: str, said: str) -> BounceClass:
    if name == "dropped":
        return BounceClass.HARD if said.lower() == "invalid" else BounceClass.BLOCK
    if name != "bounce":
        return BounceClass.NONE
    if text(event.get("type")).lower() == "blocked":
        return BounceClass.BLOCK
    return classify_bounce(f"{text(event.get('status'), max_length=12)} {said}")


def _load(key: str) -> EllipticCurvePublicKey:
    why = "The webhook_key of SendGrid is not its verification key. Copy the key again; write each + in it as %2B."
    try:
        loaded = load_der_public_key(read_base64(key, what="verification key"))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadWebhook(why) from error
    if not isinstance(loaded, EllipticCurvePublicKey):
        raise BadWebhook(why)
    return loaded


def _signed_by(key: EllipticCurvePublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


SENDGRID = WebhookHandler(name="sendgrid", verify=verify_sendgrid, parse=parse_sendgrid, signs=True, atomic=True)
