"""Read Brevo's webhooks: one event, or a list if batched. They are not signed; a password or token may protect them."""

import re
from datetime import datetime

from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.base.json_values import Row, as_mapping, as_text, parse_address, parse_delivery_id, parse_time
from newsletter.providers.base.webhooks.bodies import make_key, parse_json, parse_json_objects
from newsletter.providers.base.webhooks.bounces import classify_bounce, find_report_status
from newsletter.providers.base.webhooks.events import BounceClass, Feedback, FeedbackKind
from newsletter.providers.base.webhooks.verification import WebhookHandler, WebhookRequest, check_password

_KINDS = {
    "request": FeedbackKind.ACCEPTED,
    "delivered": FeedbackKind.DELIVERED,
    "deferred": FeedbackKind.DEFERRED,
    "soft_bounce": FeedbackKind.BOUNCED,
    "hard_bounce": FeedbackKind.BOUNCED,
    "invalid_email": FeedbackKind.BOUNCED,
    "invalid": FeedbackKind.BOUNCED,
    "blocked": FeedbackKind.BOUNCED,
    "error": FeedbackKind.BOUNCED,
    "spam": FeedbackKind.COMPLAINED,
    "complaint": FeedbackKind.COMPLAINED,
    "unsubscribed": FeedbackKind.UNSUBSCRIBED,
    "unsubscribe": FeedbackKind.UNSUBSCRIBED,
    "opened": FeedbackKind.OPENED,
    "unique_opened": FeedbackKind.OPENED,
    "proxy_open": FeedbackKind.OPENED,
    "unique_proxy_open": FeedbackKind.OPENED,
    "click": FeedbackKind.CLICKED,
}


def parse_brevo(call: WebhookRequest) -> list[Feedback]:
    """Return the events of a body. Raise BadWebhook if it is not one of Brevo's."""
    return [_parse_event(event) for event in parse_json_objects(call.body, provider="Brevo")]


def _parse_event(event: Row) -> Feedback:
    name = as_text(event.get("event")).lower()
    reason = as_text(event.get("reason"))
    ids = _ours(event)
    message_id = as_text(event.get("message-id"), max_length=200)
    bounce_class = _classify_bounce(name, reason=reason)
    kind = _KINDS.get(name, FeedbackKind.UNKNOWN)
    return Feedback(
        provider="brevo",
        key=make_key(message_id, as_text(event.get("email")), name, _read_time_text(event), as_text(event.get("link"))),
        kind=kind,
        address=parse_address(event.get("email")),
        delivery=parse_delivery_id(ids.get("delivery")),
        batch=as_text(ids.get("batch"), max_length=80),
        at=_parse_event_time(event),
        bounce_class=bounce_class,
        reason=reason,
        provider_id=message_id.strip("<>"),
        status=find_report_status(kind, reason),
    )


def _ours(event: Row) -> Row:
    """Return our ids from the header X-Mailin-custom: JSON, or ``name:value`` with ``|`` between."""
    reason = event.get("X-Mailin-custom")
    if isinstance(reason, dict):
        return reason
    reason = as_text(reason)
    if reason.startswith("{"):
        try:
            return as_mapping(parse_json(reason.encode()))
        except BadWebhook:
            return {}
    return dict(re.findall(r"([a-z]+):([^|]*)", reason))


def _classify_bounce(name: str, *, reason: str) -> BounceClass:
    if name in ("hard_bounce", "invalid_email", "invalid"):
        return classify_bounce(reason)
    if name == "soft_bounce":
        return classify_bounce(reason, fallback=BounceClass.SOFT)
    if name == "blocked":
        return BounceClass.SUPPRESSED
    return BounceClass.BLOCK if name == "error" else BounceClass.NONE


def _read_time_text(event: Row) -> str:
    return next((as_text(event[name]) for name in ("ts_epoch", "ts_event", "ts", "date") if event.get(name)), "")


def _parse_event_time(event: Row) -> datetime | None:
    """Return the event's time: ``ts_epoch`` is in milliseconds, ``ts_event`` and ``ts`` in seconds; ``date`` has no zone."""
    epoch = event.get("ts_epoch")
    if isinstance(epoch, int) and not isinstance(epoch, bool):
        return parse_time(epoch / 1000)
    return parse_time(event.get("ts_event")) or parse_time(event.get("ts"))


BREVO = WebhookHandler(name="brevo", verify=check_password, parse=parse_brevo, atomic=True)
