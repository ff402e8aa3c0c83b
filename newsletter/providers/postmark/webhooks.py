"""Read Postmark's webhooks. They are not signed: a secret URL, and a password if one is set, protect them."""

from newsletter.providers.base.json_values import Row, as_mapping, as_text, parse_address, parse_delivery_id, parse_time
from newsletter.providers.base.webhooks.bodies import fingerprint, make_key, parse_json_objects
from newsletter.providers.base.webhooks.bounces import classify_bounce, find_report_status
from newsletter.providers.base.webhooks.events import BounceClass, Feedback, FeedbackKind
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
    "unconfirmed",
    "virusnotification",
)
_SUPPRESSED = "manuallydeactivated"
_DEFERRED = ("transient", "dnserror")


def parse_postmark(call: WebhookRequest) -> list[Feedback]:
    """Return the event of a body. Raise BadWebhook if it is not one of Postmark's."""
    return [_parse_event(event) for event in parse_json_objects(call.body, provider="Postmark")]


def _parse_event(event: Row) -> Feedback:
    record = as_text(event.get("RecordType")).lower()
    reason = " ".join(part for part in (as_text(event.get("Details")), as_text(event.get("Description"))) if part)
    kind, bounce_class = _classify(event, record=record, reason=reason)
    ids = as_mapping(event.get("Metadata"))
    when = next((event[n] for n in ("DeliveredAt", "BouncedAt", "ChangedAt", "ReceivedAt") if event.get(n)), None)
    message_id = as_text(event.get("MessageID"), max_length=80)
    event_id = as_text(event.get("ID"), max_length=40) or as_text(when, max_length=40)
    return Feedback(
        provider="postmark",
        key=make_key(record, message_id, event_id) if message_id and event_id else make_key(record, fingerprint(event)),
        kind=kind,
        address=parse_address(event.get("Email") or event.get("Recipient")),
        delivery=parse_delivery_id(ids.get("delivery")),
        batch=as_text(ids.get("batch"), max_length=80),
        at=parse_time(when),
        bounce_class=bounce_class,
        reason=reason,
        provider_id=message_id,
        status=find_report_status(kind, reason),
    )


def _classify(event: Row, *, record: str, reason: str) -> tuple[FeedbackKind, BounceClass]:
    if record == "subscriptionchange":
        kind = _classify_subscription_change(event)
        return kind, BounceClass.HARD if kind is FeedbackKind.BOUNCED else BounceClass.NONE
    if record != "bounce":
        return _KINDS.get(record, FeedbackKind.UNKNOWN), BounceClass.NONE
    name = as_text(event.get("Type")).lower()
    if name in _HARD:
        return FeedbackKind.BOUNCED, classify_bounce(reason)
    if name in _SOFT:
        return FeedbackKind.BOUNCED, classify_bounce(reason, fallback=BounceClass.SOFT)
    if name in _BLOCK:
        return FeedbackKind.BOUNCED, BounceClass.BLOCK
    if name == _SUPPRESSED:
        return FeedbackKind.BOUNCED, BounceClass.SUPPRESSED
    if name in _DEFERRED:
        return FeedbackKind.DEFERRED, BounceClass.NONE
    kinds = {"unsubscribe": FeedbackKind.UNSUBSCRIBED, "spamcomplaint": FeedbackKind.COMPLAINED}
    return kinds.get(name, FeedbackKind.UNKNOWN), BounceClass.NONE


def _classify_subscription_change(event: Row) -> FeedbackKind:
    """Return what a change of Postmark's suppression list means.

    The end of a suppression is UNKNOWN: a webhook can stop mail and never start it. So is what the organisation
    (``Customer``) or Postmark's staff (``Admin``) entered by hand, which they can enter here too.
    """
    if event.get("SuppressSending") is not True:
        return FeedbackKind.UNKNOWN
    reason = as_text(event.get("SuppressionReason")).lower()
    if reason == "spamcomplaint":
        return FeedbackKind.COMPLAINED
    if reason == "hardbounce":
        return FeedbackKind.BOUNCED
    is_by_recipient = as_text(event.get("Origin")).lower() == "recipient"
    return FeedbackKind.UNSUBSCRIBED if reason == "manualsuppression" and is_by_recipient else FeedbackKind.UNKNOWN


POSTMARK = WebhookHandler(name="postmark", verify=check_password, parse=parse_postmark, atomic=False)
