"""Verify and read Resend's webhooks, which Svix signs: HMAC-SHA256 over id, timestamp and raw body."""

import base64
import hashlib
import hmac
import re
from datetime import datetime, timedelta

from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.base.json_values import (
    Row,
    as_list,
    as_mapping,
    as_text,
    parse_address,
    parse_delivery_id,
    parse_time,
)
from newsletter.providers.base.webhooks.bodies import fingerprint, make_key, parse_json_object
from newsletter.providers.base.webhooks.bounces import (
    classify_bounce,
    find_enhanced_status,
    find_report_status,
    is_about_sender,
    is_mailbox_full,
)
from newsletter.providers.base.webhooks.events import BounceClass, Feedback, FeedbackKind
from newsletter.providers.base.webhooks.verification import (
    WebhookHandler,
    WebhookRequest,
    check_age,
    is_one_of,
    missing_signature,
    read_base64,
    read_timestamp,
    require_keys,
    wrong_signature,
)

MAX_SIGNATURE_AGE = timedelta(minutes=5)
_UNKNOWN, _NONE = FeedbackKind.UNKNOWN, BounceClass.NONE
_SUPPRESSED = {"suppressed", "onaccountsuppressionlist"}
_LISTED_FOR = re.compile(r"\bhistory of producing (?:(hard bounces)|(?:spam )?complaints)\b", re.IGNORECASE)
"""The only place where Resend says why an address is on its suppression list."""
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
    """Check the signature with the signing secret (``whsec_…``) of the webhook's page. Raise BadWebhook."""
    keys = require_keys(key, provider="Resend")
    secrets = [_read_secret(key) for key in keys]
    name, timestamp = call.headers.get("svix-id", ""), call.headers.get("svix-timestamp", "")
    if not name:
        raise missing_signature()
    signed_at = read_timestamp(timestamp)
    signed = f"{name}.{timestamp}.".encode("utf-8", "replace") + call.body
    valid = [base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)) for secret in secrets]
    signatures = call.headers.get("svix-signature", "").split()[:10]
    values = [signature[3:].encode("utf-8", "replace") for signature in signatures if signature.startswith("v1,")]
    if not any(is_one_of(signature, valid) for signature in values):
        raise wrong_signature()
    check_age(signed_at, now=now, max_age=MAX_SIGNATURE_AGE)
    return ""


def _read_secret(key: str) -> bytes:
    try:
        return read_base64(key.removeprefix("whsec_"))
    except ValueError as error:
        raise BadWebhook(
            "The webhook_key of Resend is not its signing secret, so no report of Resend can be believed. Copy the secret, which "
            "begins with whsec_, again; write each + in it as %2B."
        ) from error


def parse_resend(call: WebhookRequest) -> list[Feedback]:
    """Return an event for each recipient that the webhook names. Raise BadWebhook if it is not one of Resend's."""
    event = parse_json_object(call.body, provider="Resend")
    data = as_mapping(event.get("data"))
    name = as_text(event.get("type")).lower()
    bounce = as_mapping(data.get("bounce")) or as_mapping(data.get("suppressed"))
    reason = as_text(bounce.get("message")) or as_text(as_mapping(data.get("failed")).get("reason"))
    server_reply = " ".join([reason, *(as_text(line) for line in as_list(bounce.get("diagnosticCode")))]).strip()
    ids = _read_tags(data.get("tags"))
    kind = _KINDS.get(name, _UNKNOWN)
    is_bounce = kind is FeedbackKind.BOUNCED
    bounce_class = (
        _classify_bounce(name, bounce=bounce, reason=reason, server_reply=server_reply) if is_bounce else _NONE
    )
    event_id = call.headers.get("svix-id", "") or fingerprint(event)
    people = [parse_address(recipient) for recipient in (as_list(data.get("to")) or [data.get("to")])]
    return [
        Feedback(
            provider="resend",
            key=make_key(event_id) if number == 0 else make_key(event_id, number),
            kind=kind,
            address=recipient_address,
            delivery=parse_delivery_id(ids.get("delivery")),
            batch=as_text(ids.get("batch"), max_length=80),
            at=parse_time(event.get("created_at")),
            bounce_class=bounce_class,
            reason=reason,
            provider_id=as_text(data.get("email_id"), max_length=80),
            status=find_report_status(kind, server_reply),
            listed_for=_find_listed_for(reason) if bounce_class is BounceClass.SUPPRESSED else None,
        )
        for number, recipient_address in enumerate(people)
    ]


def _read_tags(value: object) -> Row:
    """Return the tags, which Resend gives back as an object or as a list of names and values."""
    if isinstance(value, list):
        return {as_text(as_mapping(tag).get("name")): as_mapping(tag).get("value") for tag in value}
    return as_mapping(value)


def _list_bounce_types(bounce: Row) -> set[str]:
    return {as_text(bounce.get("type")).lower(), as_text(bounce.get("subType")).lower()}


def _is_suppressed(name: str, bounce: Row) -> bool:
    """Return True if Resend did not send at all because the address is on its suppression list."""
    return name == "email.suppressed" or (name == "email.bounced" and bool(_list_bounce_types(bounce) & _SUPPRESSED))


def _find_listed_for(reason: str) -> FeedbackKind | None:
    match = _LISTED_FOR.search(reason)
    if match is None:
        return None
    return FeedbackKind.BOUNCED if match.group(1) else FeedbackKind.COMPLAINED


def _classify_bounce(name: str, *, bounce: Row, reason: str, server_reply: str) -> BounceClass:
    if _is_suppressed(name, bounce):
        return BounceClass.SUPPRESSED
    if is_about_sender(server_reply):
        return BounceClass.BLOCK
    if name == "email.failed" or _list_bounce_types(bounce) & {"contentrejected", "attachmentrejected"}:
        return BounceClass.BLOCK
    if is_mailbox_full(reason) or _list_bounce_types(bounce) & {"mailboxfull", "messagetoolarge"}:
        return BounceClass.SOFT
    is_permanent = as_text(bounce.get("type")).lower() in ("permanent", "hard") or "hard bounce" in reason.lower()
    status = find_enhanced_status(server_reply)
    return classify_bounce(status, fallback=BounceClass.HARD if is_permanent else BounceClass.SOFT)


RESEND = WebhookHandler(name="resend", verify=verify_resend, parse=parse_resend, atomic=True)
