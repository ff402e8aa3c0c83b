"""Resend's webhooks: signed the way of Svix, HMAC-SHA256 over id, timestamp and raw body, five minutes either way."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.base.webhooks.bounces import classify_bounce, enhanced_status, is_mailbox_full
from newsletter.providers.base.webhooks.events import BounceClass, Feedback, FeedbackKind
from newsletter.providers.base.webhooks.values import (
    address,
    delivery_id,
    fingerprint,
    make_key,
    parse_time,
    read_json_object,
    rows,
    table,
    text,
)
from newsletter.providers.base.webhooks.verification import (
    WebhookHandler,
    WebhookRequest,
    check_age,
    read_base64,
    require_keys,
)

TOLERANCE = timedelta(minutes=5)
_UNKNOWN, _NONE = FeedbackKind.UNKNOWN, BounceClass.NONE
_KEPT = {"suppressed", "onaccountsuppressionlist"}
_KINDS = {
    "email.sent": FeedbackKind.ACCEPTED,
    "email.delivered": FeedbackKind.DELIVERED,
    "email.delivery_delayed": FeedbackKind.DEFERRED,
    "email.bounced": FeedbackKind.BOUNCED,
    "email.failed": FeedbackKind.BOUNCED,
    "email.suppressed": FeedbackKind.BOUNCED,
    "email.complained": FeedbackKind.COMPLAINED,
    "email.opened": FeedbackKind.OPENED,
    "email.clicked": FeedbackKind.CLICKED,
}


def verify_resend(call: WebhookRequest, key: str, now: datetime) -> str:
    """Check the signature with the signing secret (``whsec_…``) of the webhook's page. Raises BadWebhook."""
    keys = require_keys(key, provider="Resend")
    secrets = [read_base64(each.removeprefix("whsec_"), what="signing secret") for each in keys]
    name, timestamp = call.headers.get("svix-id", ""), call.headers.get("svix-timestamp", "")
    if not name or not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 11:
        raise BadWebhook("The webhook has no signature, or one that cannot be read.")
    signed = f"{name}.{timestamp}.".encode("utf-8", "replace") + call.body
    rights = [base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)) for secret in secrets]
    given = [each[3:].encode("utf-8", "replace") for each in _signatures(call) if each.startswith("v1,")]
    if not any(hmac.compare_digest(right, each) for right in rights for each in given):
        raise BadWebhook("The webhook's signature is wrong: it was not made with our signing secret.")
    check_age(datetime.fromtimestamp(int(timestamp), UTC), now=now, max_age=TOLERANCE)
    return ""


def parse_resend(call: WebhookRequest) -> list[Feedback]:
    """Give one event for each person that the webhook names. Raises BadWebhook where it is not one of Resend's."""
    event = read_json_object(call.body, provider="Resend")
    data = table(event.get("data"))
    name = text(event.get("type")).lower()
    bounce = table(data.get("bounce")) or table(data.get("suppressed"))
    said = text(bounce.get("message")) or text(table(data.get("failed")).get("reason"))
    ours = _tags(data.get("tags"))
    kind = FeedbackKind.COMPLAINED if _is_kept_for_spam(name, bounce, said=said) else _KINDS.get(name, _UNKNOWN)
    whole = call.headers.get("svix-id", "") or fingerprint(event)
    people = [address(each) for each in (rows(data.get("to")) or [data.get("to")])]
    return [
        Feedback(
            provider="resend",
            key=make_key(whole) if number == 0 else make_key(whole, number),
            kind=kind,
            address=each,
            delivery=delivery_id(ours.get("delivery")),
            batch=text(ours.get("batch"), max_length=80),
            at=parse_time(event.get("created_at")),
            bounce_class=_bounce_class(name, bounce=bounce, said=said) if kind is FeedbackKind.BOUNCED else _NONE,
            reason=said,
            provider_id=text(data.get("email_id"), max_length=80),
            status=enhanced_status(said) if kind is FeedbackKind.BOUNCED else "",
        )
        for number, each in enumerate(people)
    ]


def _signatures(call: WebhookRequest) -> list[str]:
    return call.headers.get("svix-signature", "").split()[:10]


def _tags(value: object) -> Mapping[str, Any]:
    """Resend gives tags back as an object or as a list of names and values."""
    if isinstance(value, list):
        return {text(table(each).get("name")): table(each).get("value") for each in value}
    return table(value)


def _types(bounce: Mapping[str, Any]) -> set[str]:
    return {text(bounce.get("type")).lower(), text(bounce.get("subType")).lower()}


def _is_kept(name: str, bounce: Mapping[str, Any]) -> bool:
    """Return True if Resend did not send at all because the address is on its suppression list."""
    return name == "email.suppressed" or (name == "email.bounced" and bool(_types(bounce) & _KEPT))


def _is_kept_for_spam(name: str, bounce: Mapping[str, Any], *, said: str) -> bool:
    """Return True if the address is on that list because its reader reported spam. The words alone tell."""
    return _is_kept(name, bounce) and "complain" in said.lower()


def _bounce_class(name: str, *, bounce: Mapping[str, Any], said: str) -> BounceClass:
    if _is_kept(name, bounce):
        return BounceClass.HARD if "hard bounce" in said.lower() else BounceClass.BLOCK
    if name == "email.failed" or _types(bounce) & {"contentrejected", "attachmentrejected"}:
        return BounceClass.BLOCK
    if is_mailbox_full(said) or _types(bounce) & {"mailboxfull", "messagetoolarge"}:
        return BounceClass.SOFT
    final = text(bounce.get("type")).lower() in ("permanent", "hard") or "hard bounce" in said.lower()
    status = enhanced_status(said)
    return classify_bounce(status, fallback=BounceClass.HARD if final else BounceClass.SOFT)


RESEND = WebhookHandler(name="resend", verify=verify_resend, parse=parse_resend, signs=True, atomic=True)
