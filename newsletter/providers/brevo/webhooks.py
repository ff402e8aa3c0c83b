"""Brevo's webhooks: not signed; a password or a bearer token may be asked for. One event, or a list where batched."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.base.webhooks.bounces import classify_bounce, enhanced_status
from newsletter.providers.base.webhooks.events import BounceClass, Feedback, FeedbackKind
from newsletter.providers.base.webhooks.values import (
    address,
    delivery_id,
    make_key,
    parse_time,
    read_json,
    read_json_objects,
    table,
    text,
)
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
    """Give the events of a body. Raises BadWebhook where it is not one of Brevo's."""
    return [_feedback(event) for event in read_json_objects(call.body, provider="Brevo")]


def _feedback(event: Mapping[str, Any]) -> Feedback:
    name = text(event.get("event")).lower()
    said = text(event.get("reason"))
    ours = _ours(event)
    mail = text(event.get("message-id"), max_length=200)
    bounce_class = _bounce_class(name, said=said)
    return Feedback(
        provider="brevo",
        key=make_key(mail, text(event.get("email")), name, _time_text(event), text(event.get("link"))),
        kind=_KINDS.get(name, FeedbackKind.UNKNOWN),
        address=address(event.get("email")),
        delivery=delivery_id(ours.get("delivery")),
        batch=text(ours.get("batch"), max_length=80),
        at=_moment(event),
        bounce_class=bounce_class,
        reason=said,
        provider_id=mail.strip("<>"),
        status=enhanced_status(said) if bounce_class else "",
    )


def _ours(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Our ids stand in the header X-Mailin-custom: as JSON, or as ``name:value`` with ``|`` between."""
    said = event.get("X-Mailin-custom")
    if isinstance(said, dict):
        return said
    said = text(said)
    if said.startswith("{"):
        try:
            return table(read_json(said.encode()))
        except BadWebhook:
            return {}
    return dict(re.findall(r"([a-z]+):([^|]*)", said))


def _bounce_class(name: str, *, said: str) -> BounceClass:
    if name in ("hard_bounce", "invalid_email", "invalid"):
        return classify_bounce(said)
    if name == "soft_bounce":
        return classify_bounce(said, fallback=BounceClass.SOFT)
    return BounceClass.BLOCK if name in ("blocked", "error") else BounceClass.NONE


def _time_text(event: Mapping[str, Any]) -> str:
    return next((text(event[name]) for name in ("ts_epoch", "ts_event", "ts", "date") if event.get(name)), "")


def _moment(event: Mapping[str, Any]) -> datetime | None:
    """``ts_epoch`` counts milliseconds, ``ts_event`` and ``ts`` seconds; ``date`` has no zone and is not used."""
    epoch = event.get("ts_epoch")
    if isinstance(epoch, int) and not isinstance(epoch, bool):
        return parse_time(epoch / 1000)
    return parse_time(event.get("ts_event")) or parse_time(event.get("ts"))


BREVO = WebhookHandler(name="brevo", verify=check_password, parse=parse_brevo, signs=False, atomic=True)
