"""Read SparkPost's webhooks: a list of events in envelopes (``msys``), protected by a secret URL and a password."""

import re

from newsletter.providers.base.json_values import Row, as_mapping, as_text, parse_address, parse_delivery_id, parse_time
from newsletter.providers.base.webhooks.bodies import fingerprint, make_key, parse_json_objects
from newsletter.providers.base.webhooks.bounces import classify_bounce, find_report_status, is_about_sender
from newsletter.providers.base.webhooks.events import BounceClass, Feedback, FeedbackKind
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
_HARD_NUMBERS = ("10", "30")
_SOFT_NUMBERS = ("22", "23")
_BLOCK_NUMBERS = ("25", "26", "50", "51", "52", "53", "54")
_SUPPRESSED = re.compile(r"\brecipient address (?:was )?suppressed due to (?:customer|system) policy", re.IGNORECASE)
"""The reason of a mail to an address on SparkPost's suppression list. It has no number, and does not say why it is there.

Source: support.sparkpost.com/docs/tech-resources/preparing-for-async-suppressions.
"""
_NO_BOUNCE = {"60": FeedbackKind.UNKNOWN, "80": FeedbackKind.UNKNOWN, "100": FeedbackKind.UNKNOWN}


def parse_sparkpost(call: WebhookRequest) -> list[Feedback]:
    """Return the events of a body; a ping has none. Raise BadWebhook if it is not one of SparkPost's."""
    envelopes = [as_mapping(row.get("msys")) for row in parse_json_objects(call.body, provider="SparkPost")]
    return [_parse_event(event) for envelope in envelopes for event in envelope.values() if isinstance(event, dict)]


def _parse_event(event: Row) -> Feedback:
    reason = as_text(event.get("raw_reason")) or as_text(event.get("reason"))
    kind, bounce_class = _classify(event, reason=reason)
    ids = as_mapping(event.get("rcpt_meta"))
    return Feedback(
        provider="sparkpost",
        key=make_key(as_text(event.get("event_id"), max_length=80) or fingerprint(event)),
        kind=kind,
        address=parse_address(event.get("raw_rcpt_to") or event.get("rcpt_to")),
        delivery=parse_delivery_id(ids.get("delivery")),
        batch=as_text(ids.get("batch"), max_length=80),
        at=parse_time(event.get("timestamp")),
        bounce_class=bounce_class,
        reason=reason,
        provider_id=as_text(event.get("transmission_id"), max_length=80),
        status=find_report_status(kind, reason),
    )


def _classify(event: Row, *, reason: str) -> tuple[FeedbackKind, BounceClass]:
    """Return kind and bounce class, by SparkPost's number. 60, 80 and 100 are auto-replies of a mailbox with the mail."""
    name = as_text(event.get("type")).lower()
    kind = _KINDS.get(name, FeedbackKind.UNKNOWN)
    if kind is FeedbackKind.COMPLAINED and as_text(event.get("fbtype")).lower() == "not-spam":
        return FeedbackKind.UNKNOWN, BounceClass.NONE
    if kind is not FeedbackKind.BOUNCED:
        return kind, BounceClass.NONE
    if _SUPPRESSED.search(reason):
        return kind, BounceClass.SUPPRESSED
    if name not in ("bounce", "out_of_band"):
        return kind, BounceClass.BLOCK
    number = as_text(event.get("bounce_class"), max_length=4)
    if number == "90":
        return FeedbackKind.UNSUBSCRIBED, BounceClass.NONE
    if number in _NO_BOUNCE:
        return _NO_BOUNCE[number], BounceClass.NONE
    if number in _BLOCK_NUMBERS or is_about_sender(reason):
        return kind, BounceClass.BLOCK
    if number in _SOFT_NUMBERS:
        return kind, BounceClass.SOFT
    return kind, classify_bounce(reason, fallback=BounceClass.HARD if number in _HARD_NUMBERS else BounceClass.SOFT)


SPARKPOST = WebhookHandler(name="sparkpost", verify=check_password, parse=parse_sparkpost, atomic=False)
