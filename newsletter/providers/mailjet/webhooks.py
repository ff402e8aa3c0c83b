"""Read Mailjet's webhooks (Event API), which sign nothing: user and password are in the address.

A body is one event, or a list of them if the webhook groups events.
"""

from newsletter.providers.base.json_values import Row, as_text, parse_address, parse_delivery_id, parse_time
from newsletter.providers.base.webhooks.bodies import fingerprint, make_key, parse_json_objects
from newsletter.providers.base.webhooks.bounces import find_report_status, is_about_sender, is_mailbox_full
from newsletter.providers.base.webhooks.events import BounceClass, Feedback, FeedbackKind
from newsletter.providers.base.webhooks.verification import WebhookHandler, WebhookRequest, check_password

_KINDS = {
    "sent": FeedbackKind.DELIVERED,
    "bounce": FeedbackKind.BOUNCED,
    "blocked": FeedbackKind.BOUNCED,
    "spam": FeedbackKind.COMPLAINED,
    "unsub": FeedbackKind.UNSUBSCRIBED,
    "open": FeedbackKind.OPENED,
    "click": FeedbackKind.CLICKED,
}
_DEAD = {"user unknown", "mailbox inactive", "invalid domain", "no mail host"}
_FULL = "quota exceeded"
_DELAYED = "greylisted"
_LISTED_FOR = {"spam reporter": FeedbackKind.COMPLAINED, "preblocked": None, "blacklisted": None}
"""Errors of mails that Mailjet did not try to send, because of an earlier event. ``preblocked`` does not say of which."""


def parse_mailjet(call: WebhookRequest) -> list[Feedback]:
    """Return the events of a webhook. Raise BadWebhook if it is not one of Mailjet's."""
    return [_parse_event(event) for event in parse_json_objects(call.body, provider="Mailjet")]


def _parse_event(event: Row) -> Feedback:
    kind = _find_kind(event)
    delivery, _, batch = as_text(event.get("Payload"), max_length=200).partition(" ")
    bounce_class = BounceClass.NONE
    server_reply = f"{as_text(event.get('comment'))} {as_text(event.get('smtp_reply'))}".strip()
    if kind is FeedbackKind.BOUNCED:
        bounce_class = _classify(event, server_reply)
    message = as_text(event.get("MessageID"), max_length=80)
    return Feedback(
        provider="mailjet",
        key=_make_key(event, message),
        kind=kind,
        address=parse_address(event.get("email")),
        delivery=parse_delivery_id(delivery or event.get("CustomID")),
        batch=batch[:80],
        at=parse_time(event.get("time")),
        bounce_class=bounce_class,
        reason=server_reply or as_text(event.get("error")),
        provider_id=message,
        status=find_report_status(kind, server_reply),
        listed_for=_find_listed_for(event) if bounce_class is BounceClass.SUPPRESSED else None,
    )


def _make_key(event: Row, message: str) -> str:
    """Return what an event and its repeat have in common: Mailjet gives no id of an event."""
    if not message:
        return make_key(fingerprint(event))
    parts = (event.get("event"), event.get("time"), event.get("url"))
    return make_key(message, *(as_text(part) for part in parts))


def _find_kind(event: Row) -> FeedbackKind:
    name = as_text(event.get("event")).lower()
    if name == "bounce" and _read_error(event) == _DELAYED and event.get("hard_bounce") is not True:
        return FeedbackKind.DEFERRED
    return _KINDS.get(name, FeedbackKind.UNKNOWN)


def _read_error(event: Row) -> str:
    return as_text(event.get("error")).lower()


def _was_not_tried(event: Row) -> bool:
    """Return True if Mailjet knew from an earlier mail that nobody reads this address."""
    return event.get("event") == "blocked" and _read_error(event) in _DEAD


def _find_listed_for(event: Row) -> FeedbackKind | None:
    return FeedbackKind.BOUNCED if _was_not_tried(event) else _LISTED_FOR.get(_read_error(event))


def _classify(event: Row, server_reply: str) -> BounceClass:
    error = _read_error(event)
    if error in _LISTED_FOR:
        return BounceClass.SUPPRESSED
    if is_about_sender(server_reply):
        return BounceClass.BLOCK
    if error == _FULL or is_mailbox_full(server_reply):
        return BounceClass.SOFT
    if _was_not_tried(event):
        return BounceClass.SUPPRESSED
    if error in _DEAD:
        return BounceClass.SOFT if event.get("hard_bounce") is False else BounceClass.HARD
    if as_text(event.get("error_related_to")).lower() == "recipient" and event.get("hard_bounce") is True:
        return BounceClass.HARD
    return BounceClass.SOFT if as_text(event.get("error_related_to")).lower() == "system" else BounceClass.BLOCK


MAILJET = WebhookHandler(name="mailjet", verify=check_password, parse=parse_mailjet, atomic=False)
