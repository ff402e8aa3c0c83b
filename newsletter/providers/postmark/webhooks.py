"""Postmark's webhooks: not signed, so the secret address (and a password, where one is set) is the proof."""

from collections.abc import Mapping
from typing import Any

from newsletter.providers.base.webhooks.bounces import classify_bounce, enhanced_status
from newsletter.providers.base.webhooks.events import BounceClass, Feedback, FeedbackKind
from newsletter.providers.base.webhooks.values import (
    address,
    delivery_id,
    fingerprint,
    make_key,
    parse_time,
    read_json_objects,
    table,
    text,
)
from newsletter.providers.base.webhooks.verification import WebhookHandler, WebhookRequest, check_password

_KINDS = {
    "delivery": FeedbackKind.DELIVERED,
    "spamcomplaint": FeedbackKind.COMPLAINED,
    "open": FeedbackKind.OPENED,
    "click": FeedbackKind.CLICKED,
}
_HARD = ("hardbounce", "bademailaddress")
_SOFT = ("softbounce", "undeliverable", "notdelivered")
_BLOCK = (
    "blocked",
    "spamnotification",
    "dmarcpolicy",
    "smtpapierror",
    "templaterenderingfailed",
    "manuallydeactivated",
    "unconfirmed",
    "virusnotification",
)
_LATER = ("transient", "dnserror")


def parse_postmark(call: WebhookRequest) -> list[Feedback]:
    """Give the event of a body. Raises BadWebhook where it is not one of Postmark's."""
    return [_feedback(event) for event in read_json_objects(call.body, provider="Postmark")]


def _feedback(event: Mapping[str, Any]) -> Feedback:
    record = text(event.get("RecordType")).lower()
    said = " ".join(part for part in (text(event.get("Details")), text(event.get("Description"))) if part)
    kind, bounce_class = _kind(event, record=record, said=said)
    ours = table(event.get("Metadata"))
    when = next((event[n] for n in ("DeliveredAt", "BouncedAt", "ChangedAt", "ReceivedAt") if event.get(n)), None)
    mail = text(event.get("MessageID"), max_length=80)
    which = text(event.get("ID"), max_length=40) or text(when, max_length=40)
    return Feedback(
        provider="postmark",
        key=make_key(record, mail, which) if mail and which else make_key(record, fingerprint(event)),
        kind=kind,
        address=address(event.get("Email") or event.get("Recipient")),
        delivery=delivery_id(ours.get("delivery")),
        batch=text(ours.get("batch"), max_length=80),
        at=parse_time(when),
        bounce_class=bounce_class,
        reason=said,
        provider_id=mail,
        status=enhanced_status(said) if bounce_class else "",
    )


def _kind(event: Mapping[str, Any], *, record: str, said: str) -> tuple[FeedbackKind, BounceClass]:
    if record == "subscriptionchange":
        kind = _subscription(event)
        return kind, BounceClass.HARD if kind is FeedbackKind.BOUNCED else BounceClass.NONE
    if record != "bounce":
        return _KINDS.get(record, FeedbackKind.UNKNOWN), BounceClass.NONE
    name = text(event.get("Type")).lower()
    if name in _HARD:
        return FeedbackKind.BOUNCED, classify_bounce(said)
    if name in _SOFT:
        return FeedbackKind.BOUNCED, classify_bounce(said, fallback=BounceClass.SOFT)
    if name in _BLOCK:
        return FeedbackKind.BOUNCED, BounceClass.BLOCK
    if name in _LATER:
        return FeedbackKind.DEFERRED, BounceClass.NONE
    named = {"unsubscribe": FeedbackKind.UNSUBSCRIBED, "spamcomplaint": FeedbackKind.COMPLAINED}
    return named.get(name, FeedbackKind.UNKNOWN), BounceClass.NONE


def _subscription(event: Mapping[str, Any]) -> FeedbackKind:
    """What Postmark stops sending, as its list of suppressions is read (``barred_lists``).

    A person who comes back at Postmark's is only noted: a webhook can take mail away and never bring it (W9). What the
    organisation (``Customer``) or Postmark's staff (``Admin``) entered there by hand is theirs to enter here too.
    """
    if event.get("SuppressSending") is not True:
        return FeedbackKind.UNKNOWN
    reason = text(event.get("SuppressionReason")).lower()
    if reason == "spamcomplaint":
        return FeedbackKind.COMPLAINED
    if reason == "hardbounce":
        return FeedbackKind.BOUNCED
    by_person = text(event.get("Origin")).lower() == "recipient"
    return FeedbackKind.UNSUBSCRIBED if reason == "manualsuppression" and by_person else FeedbackKind.UNKNOWN


POSTMARK = WebhookHandler(name="postmark", verify=check_password, parse=parse_postmark, signs=False, atomic=False)
