"""Read Amazon SES events from signed SNS messages: one for each recipient that the event names."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from newsletter.common.messages import Message
from newsletter.providers.base.json_values import (
    Row,
    as_list,
    as_mapping,
    as_text,
    parse_address,
    parse_delivery_id,
    parse_time,
)
from newsletter.providers.base.webhooks.bodies import make_key, parse_json_object
from newsletter.providers.base.webhooks.bounces import classify_bounce, find_report_status
from newsletter.providers.base.webhooks.events import BounceClass, Feedback, FeedbackKind
from newsletter.providers.base.webhooks.sns import (
    SnsCertificates,
    SnsService,
    check_sns,
    parse_event,
    parse_subscription,
    read_message_id,
)
from newsletter.providers.base.webhooks.verification import WebhookHandler, WebhookRequest, require_keys

_PROVIDER = "Amazon SNS"
_KINDS = {
    "send": FeedbackKind.ACCEPTED,
    "delivery": FeedbackKind.DELIVERED,
    "deliverydelay": FeedbackKind.DEFERRED,
    "bounce": FeedbackKind.BOUNCED,
    "reject": FeedbackKind.BOUNCED,
    "renderingfailure": FeedbackKind.BOUNCED,
    "complaint": FeedbackKind.COMPLAINED,
    "open": FeedbackKind.OPENED,
    "click": FeedbackKind.CLICKED,
}
_FULL = ("mailboxfull", "messagetoolarge")
_BLOCKED = ("contentrejected", "attachmentrejected")
_SUPPRESSED = {"suppressed": FeedbackKind.BOUNCED, "onaccountsuppressionlist": None}
"""Subtypes of bounces by which Amazon did not try to send. The first is Amazon's global list, which has hard bounces only."""
_HOST = re.compile(r"sns\.[a-z0-9-]{1,40}\.amazonaws\.com(\.cn)?")
AMAZON_SNS = SnsService("Amazon SNS", host=_HOST, certificate_host=_HOST)


def make_ses_handler(certificates: SnsCertificates | None = None) -> WebhookHandler:
    """Return the handler, which caches certificates. ``webhook_key`` is the ARN of our topic."""
    cache = certificates or SnsCertificates(AMAZON_SNS)

    def verify(call: WebhookRequest, key: str, now: datetime) -> str:
        topics = require_keys(key, provider="Amazon SES (the ARN of its SNS topic)")
        check_sns(parse_json_object(call.body, provider=_PROVIDER), topics=topics, certificates=cache, now=now)
        return ""

    return WebhookHandler(name="ses", verify=verify, parse=parse_ses, atomic=False)


def parse_ses(call: WebhookRequest) -> list[Feedback]:
    """Return the events of an SNS message. Raise BadWebhook if it is not one."""
    message = parse_json_object(call.body, provider=_PROVIDER)
    if subscription := parse_subscription(message, service=AMAZON_SNS, provider="ses"):
        return [subscription]
    message_id, event = read_message_id(message), parse_event(message)
    kind, bounce_class, reason = _classify(event)
    at = _parse_event_time(event) or parse_time(message.get("Timestamp"))
    tags = as_mapping(as_mapping(event.get("mail")).get("tags"))
    return [
        Feedback(
            provider="ses",
            key=make_key(message_id) if number == 0 else make_key(message_id, number),
            kind=kind,
            address=address,
            delivery=parse_delivery_id(_first_of(tags.get("delivery"))),
            batch=as_text(_first_of(tags.get("batch")), max_length=80),
            at=at,
            bounce_class=_refine_bounce_class(bounce_class, server_reply),
            reason=server_reply or reason,
            provider_id=as_text(as_mapping(event.get("mail")).get("messageId"), max_length=100),
            status=find_report_status(kind, server_reply),
            listed_for=_find_listed_for(event),
        )
        for number, (address, server_reply) in enumerate(_list_recipients(event) or [("", "")])
    ]


def _read_event_name(event: Row) -> str:
    return as_text(event.get("eventType") or event.get("notificationType")).lower().replace(" ", "")


def _classify(event: Row) -> tuple[FeedbackKind, BounceClass, str]:
    name = _read_event_name(event)
    kind = _KINDS.get(name, FeedbackKind.UNKNOWN)
    detail = as_mapping(event.get(name))
    if name == "bounce":
        kinds = (as_text(detail.get("bounceType")), as_text(detail.get("bounceSubType")))
        return kind, _classify_bounce(*(name.lower() for name in kinds)), ": ".join(kinds)
    if name == "complaint":
        if _read_sub_type(event) in _SUPPRESSED:
            return (
                FeedbackKind.BOUNCED,
                BounceClass.SUPPRESSED,
                Message("Amazon has this address on its own list of complaints."),
            )
        feedback_type = as_text(detail.get("complaintFeedbackType"))
        return (FeedbackKind.UNKNOWN if feedback_type == "not-spam" else kind), BounceClass.NONE, feedback_type
    if name == "subscription":
        return (FeedbackKind.UNSUBSCRIBED if _is_unsubscribed(detail) else FeedbackKind.UNKNOWN), BounceClass.NONE, ""
    if kind is FeedbackKind.BOUNCED:
        failure = as_mapping(event.get("failure"))
        return kind, BounceClass.BLOCK, as_text(failure.get("errorMessage")) or as_text(detail.get("reason"))
    return kind, BounceClass.NONE, ""


def _read_sub_type(event: Row) -> str:
    name = _read_event_name(event)
    return as_text(as_mapping(event.get(name)).get(f"{name}SubType")).lower()


def _find_listed_for(event: Row) -> FeedbackKind | None:
    """Return why the address is on a list of Amazon. It reports one for a complaint as a complaint."""
    sub_type = _read_sub_type(event)
    if _read_event_name(event) == "complaint":
        return FeedbackKind.COMPLAINED if sub_type in _SUPPRESSED else None
    return _SUPPRESSED.get(sub_type)


def _classify_bounce(bounce_type: str, sub_type: str) -> BounceClass:
    if sub_type in _SUPPRESSED:
        return BounceClass.SUPPRESSED
    if sub_type in _BLOCKED:
        return BounceClass.BLOCK
    return BounceClass.HARD if bounce_type == "permanent" and sub_type not in _FULL else BounceClass.SOFT


def _refine_bounce_class(bounce_class: BounceClass, server_reply: str) -> BounceClass:
    if bounce_class in (BounceClass.HARD, BounceClass.SOFT) and server_reply:
        return classify_bounce(server_reply, fallback=bounce_class)
    return bounce_class


def _is_unsubscribed(detail: Row) -> bool:
    chosen = as_mapping(detail.get("newTopicPreferences"))
    topics = [as_mapping(row).get("subscriptionStatus") for row in as_list(chosen.get("topicSubscriptionStatus"))]
    return chosen.get("unsubscribeAll") is True or "OptOut" in topics


def _list_recipients(event: Row) -> list[tuple[str, str]]:
    """Return the addresses that this event is about, each with the receiving server's reply."""
    name = _read_event_name(event)
    detail = as_mapping(event.get("deliveryDelay" if name == "deliverydelay" else name))
    for field in ("bouncedRecipients", "complainedRecipients", "delayedRecipients"):
        if detail.get(field):
            return list(_read_recipients(as_list(detail[field])))
    recipients = as_list(detail.get("recipients")) or as_list(as_mapping(event.get("mail")).get("destination"))
    return [(parse_address(address), "") for address in recipients]


def _read_recipients(rows: Sequence[object]) -> Iterator[tuple[str, str]]:
    for item in rows:
        row = as_mapping(item)
        server_reply = " ".join(
            part for part in (as_text(row.get("status"), max_length=12), as_text(row.get("diagnosticCode"))) if part
        )
        yield parse_address(row.get("emailAddress")), server_reply


def _parse_event_time(event: Row) -> datetime | None:
    name = _read_event_name(event)
    return parse_time(as_mapping(event.get("deliveryDelay" if name == "deliverydelay" else name)).get("timestamp"))


def _first_of(value: object) -> object:
    return as_list(value)[0] if as_list(value) else None


SES = make_ses_handler()
