"""Amazon SES through SNS: the events inside a signed message, one for each person that the event itself names (W4)."""

from collections.abc import Iterator, Mapping
from datetime import datetime
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
    read_json,
    read_json_object,
    rows,
    table,
    text,
)
from newsletter.providers.base.webhooks.verification import WebhookHandler, WebhookRequest, require_keys
from newsletter.providers.ses.sns import Certificates, check_sns, is_amazon

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
_BLOCKED = ("suppressed", "onaccountsuppressionlist", "contentrejected", "attachmentrejected")


def make_ses_handler(certificates: Certificates | None = None) -> WebhookHandler:
    """Give the reader; ``webhook_key`` is the ARN of our topic. It keeps the certificates that it has seen."""
    kept = certificates or Certificates()

    def verify(call: WebhookRequest, key: str, now: datetime) -> str:
        topics = require_keys(key, provider="Amazon SES (the ARN of its SNS topic)")
        check_sns(read_json_object(call.body, provider=_PROVIDER), topics=topics, certificates=kept, now=now)
        return ""

    return WebhookHandler(name="ses", verify=verify, parse=parse_ses, signs=True, atomic=False)


def parse_ses(call: WebhookRequest) -> list[Feedback]:
    """Give the events of an SNS message. Raises BadWebhook where it is none."""
    message = read_json_object(call.body, provider=_PROVIDER)
    name = text(message.get("MessageId"), max_length=100) or fingerprint(message)
    if message.get("Type") == "SubscriptionConfirmation":
        return [_subscription(message, name)]
    event = _event(message.get("Message"))
    kind, bounce_class, said = _kind(event)
    at = _moment(event) or parse_time(message.get("Timestamp"))
    tags = table(table(event.get("mail")).get("tags"))
    return [
        Feedback(
            provider="ses",
            key=make_key(name) if number == 0 else make_key(name, number),
            kind=kind,
            address=whom,
            delivery=delivery_id(_first(tags.get("delivery"))),
            batch=text(_first(tags.get("batch")), max_length=80),
            at=at,
            bounce_class=_refine(bounce_class, words),
            reason=words or said,
            provider_id=text(table(event.get("mail")).get("messageId"), max_length=100),
            status=enhanced_status(words) if kind is FeedbackKind.BOUNCED else "",
        )
        for number, (whom, words) in enumerate(_people(event) or [("", "")])
    ]


def _subscription(message: Mapping[str, Any], name: str) -> Feedback:
    url = message.get("SubscribeURL")
    if not isinstance(url, str) or not is_amazon(url):
        raise BadWebhook("The confirmation's link does not lead to Amazon SNS.")
    return Feedback(
        provider="ses",
        key=make_key(name),
        kind=FeedbackKind.SUBSCRIPTION,
        at=parse_time(message.get("Timestamp")),
        reason=f"Amazon asks whether {text(message.get('TopicArn'), max_length=200)} may send its reports here.",
        link=url,
    )


def _event(said: object) -> Mapping[str, Any]:
    """SNS also sends plain sentences ("Successfully validated SNS topic…"); those are events of no kind."""
    if not isinstance(said, str):
        return {}
    try:
        return table(read_json(said.encode("utf-8", "replace")))
    except BadWebhook:
        return {"said": said[:200]}


def _name(event: Mapping[str, Any]) -> str:
    return text(event.get("eventType") or event.get("notificationType")).lower().replace(" ", "")


def _kind(event: Mapping[str, Any]) -> tuple[FeedbackKind, BounceClass, str]:
    name = _name(event)
    kind = _KINDS.get(name, FeedbackKind.UNKNOWN)
    detail = table(event.get(name))
    if name == "bounce":
        kinds = (text(detail.get("bounceType")), text(detail.get("bounceSubType")))
        return kind, _bounce_class(*(each.lower() for each in kinds)), ": ".join(kinds)
    if name == "complaint":
        if text(detail.get("complaintSubType")).lower() in _BLOCKED:
            return FeedbackKind.BOUNCED, BounceClass.BLOCK, "Amazon keeps this address on its own list of complaints."
        how = text(detail.get("complaintFeedbackType"))
        return (FeedbackKind.UNKNOWN if how == "not-spam" else kind), BounceClass.NONE, how
    if name == "subscription":
        return (FeedbackKind.UNSUBSCRIBED if _left(detail) else FeedbackKind.UNKNOWN), BounceClass.NONE, ""
    if kind is FeedbackKind.BOUNCED:
        failure = table(event.get("failure"))
        return kind, BounceClass.BLOCK, text(failure.get("errorMessage")) or text(detail.get("reason"))
    return kind, BounceClass.NONE, ""


def _bounce_class(how: str, which: str) -> BounceClass:
    if which in _BLOCKED:
        return BounceClass.BLOCK
    return BounceClass.HARD if how == "permanent" and which not in _FULL else BounceClass.SOFT


def _refine(bounce_class: BounceClass, words: str) -> BounceClass:
    if bounce_class in (BounceClass.HARD, BounceClass.SOFT) and words:
        return classify_bounce(words, fallback=bounce_class)
    return bounce_class


def _left(detail: Mapping[str, Any]) -> bool:
    chosen = table(detail.get("newTopicPreferences"))
    topics = [table(row).get("subscriptionStatus") for row in rows(chosen.get("topicSubscriptionStatus"))]
    return chosen.get("unsubscribeAll") is True or "OptOut" in topics


def _people(event: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Whom this very event is about, each with the words of the receiving server."""
    name = _name(event)
    detail = table(event.get("deliveryDelay" if name == "deliverydelay" else name))
    for field in ("bouncedRecipients", "complainedRecipients", "delayedRecipients"):
        if detail.get(field):
            return list(_recipients(rows(detail[field])))
    named = rows(detail.get("recipients")) or rows(table(event.get("mail")).get("destination"))
    return [(address(each), "") for each in named]


def _recipients(named: Any) -> Iterator[tuple[str, str]]:
    for each in named:
        row = table(each)
        words = " ".join(
            part for part in (text(row.get("status"), max_length=12), text(row.get("diagnosticCode"))) if part
        )
        yield address(row.get("emailAddress")), words


def _moment(event: Mapping[str, Any]) -> datetime | None:
    name = _name(event)
    return parse_time(table(event.get("deliveryDelay" if name == "deliverydelay" else name)).get("timestamp"))


def _first(value: object) -> object:
    return rows(value)[0] if rows(value) else None


SES = make_ses_handler()
