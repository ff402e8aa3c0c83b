"""SparkPost's webhooks: a list of events in envelopes (``msys``), behind a secret address and a password."""

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
    "injection": FeedbackKind.ACCEPTED,
    "delivery": FeedbackKind.DELIVERED,
    "delay": FeedbackKind.DEFERRED,
    "bounce": FeedbackKind.BOUNCED,
    "out_of_band": FeedbackKind.BOUNCED,
    "policy_rejection": FeedbackKind.BOUNCED,
    "generation_failure": FeedbackKind.BOUNCED,
    "generation_rejection": FeedbackKind.BOUNCED,
    "spam_complaint": FeedbackKind.COMPLAINED,
    "link_unsubscribe": FeedbackKind.UNSUBSCRIBED,
    "list_unsubscribe": FeedbackKind.UNSUBSCRIBED,
    "open": FeedbackKind.OPENED,
    "initial_open": FeedbackKind.OPENED,
    "amp_open": FeedbackKind.OPENED,
    "amp_initial_open": FeedbackKind.OPENED,
    "click": FeedbackKind.CLICKED,
    "amp_click": FeedbackKind.CLICKED,
}
_HARD = ("10", "30")
_FULL = ("22", "23")
_BLOCK = ("25", "26", "50", "51", "52", "53", "54")
_NO_BOUNCE = {"60": FeedbackKind.UNKNOWN, "80": FeedbackKind.UNKNOWN, "100": FeedbackKind.UNKNOWN}


def parse_sparkpost(call: WebhookRequest) -> list[Feedback]:
    """Give the events of a body; a ping has none. Raises BadWebhook where it is not one of SparkPost's."""
    envelopes = [table(row.get("msys")) for row in read_json_objects(call.body, provider="SparkPost")]
    return [_feedback(event) for envelope in envelopes for event in envelope.values() if isinstance(event, dict)]


def _feedback(event: Mapping[str, Any]) -> Feedback:
    said = text(event.get("raw_reason")) or text(event.get("reason"))
    kind, bounce_class = _kind(event, said=said)
    ours = table(event.get("rcpt_meta"))
    return Feedback(
        provider="sparkpost",
        key=make_key(text(event.get("event_id"), max_length=80) or fingerprint(event)),
        kind=kind,
        address=address(event.get("raw_rcpt_to") or event.get("rcpt_to")),
        delivery=delivery_id(ours.get("delivery")),
        batch=text(ours.get("batch"), max_length=80),
        at=parse_time(event.get("timestamp")),
        bounce_class=bounce_class,
        reason=said,
        provider_id=text(event.get("transmission_id"), max_length=80),
        status=enhanced_status(said) if bounce_class else "",
    )


def _kind(event: Mapping[str, Any], *, said: str) -> tuple[FeedbackKind, BounceClass]:
    """The class of a bounce is SparkPost's own number; 60, 80 and 100 are answers of a mailbox that has the mail."""
    name = text(event.get("type")).lower()
    kind = _KINDS.get(name, FeedbackKind.UNKNOWN)
    if kind is FeedbackKind.COMPLAINED and text(event.get("fbtype")).lower() == "not-spam":
        return FeedbackKind.UNKNOWN, BounceClass.NONE
    if kind is not FeedbackKind.BOUNCED:
        return kind, BounceClass.NONE
    if name not in ("bounce", "out_of_band"):
        return kind, BounceClass.BLOCK
    number = text(event.get("bounce_class"), max_length=4)
    if number == "90":
        return FeedbackKind.UNSUBSCRIBED, BounceClass.NONE
    if number in _NO_BOUNCE:
        return _NO_BOUNCE[number], BounceClass.NONE
    if number in _BLOCK:
        return kind, BounceClass.BLOCK
    if number in _FULL:
        return kind, BounceClass.SOFT
    return kind, classify_bounce(said, fallback=BounceClass.HARD if number in _HARD else BounceClass.SOFT)


SPARKPOST = WebhookHandler(name="sparkpost", verify=check_password, parse=parse_sparkpost, signs=False, atomic=False)
