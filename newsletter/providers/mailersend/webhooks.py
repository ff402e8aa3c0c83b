"""Verify and read MailerSend's webhooks: HMAC-SHA256 over the raw body, in hex, without a time.

Source: developers.mailersend.com/api/v1/webhooks, of 16 December 2025. Both versions of the payload are read: version 2 has
the address in ``data.recipient`` or ``data.email``, version 1 has an object there. No id of ours comes back but the tag of
the batch, so the delivery is found by batch and address.
"""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from newsletter.providers.base.json_values import (
    Row,
    as_list,
    as_mapping,
    as_text,
    parse_address,
    parse_json_or_none,
    parse_time,
)
from newsletter.providers.base.webhooks.bodies import fingerprint, make_key, parse_json_object
from newsletter.providers.base.webhooks.bounces import classify_bounce, find_report_status
from newsletter.providers.base.webhooks.events import BounceClass, Feedback, FeedbackKind
from newsletter.providers.base.webhooks.verification import (
    KEY_OF_REPORTS,
    WebhookHandler,
    WebhookRequest,
    is_one_of,
    require_keys,
    wrong_signature,
)
from newsletter.providers.mailersend.adapter import BATCH_TAG

TEST_EVENT = "webhook.test"
TEST_SECRET = "test_Am3L1GuOIc4blLUuHqAPxxwkZaJyEk8G"  # noqa: S105 - MailerSend publishes it: its question proves nothing
"""The secret that signs MailerSend's question. It is public, so it is believed for that question alone, which changes nothing."""
_UNKNOWN, _NONE = FeedbackKind.UNKNOWN, BounceClass.NONE
_KINDS = {
    "activity.sent": FeedbackKind.ACCEPTED,
    "activity.delivered": FeedbackKind.DELIVERED,
    "activity.deferred": FeedbackKind.DEFERRED,
    "activity.soft_bounced": FeedbackKind.BOUNCED,
    "activity.hard_bounced": FeedbackKind.BOUNCED,
    "activity.suppressed": FeedbackKind.BOUNCED,
    "activity.spam_complaint": FeedbackKind.COMPLAINED,
    "activity.unsubscribed": FeedbackKind.UNSUBSCRIBED,
    "activity.opened": FeedbackKind.OPENED,
    "activity.opened_unique": FeedbackKind.OPENED,
    "activity.clicked": FeedbackKind.CLICKED,
    "activity.clicked_unique": FeedbackKind.CLICKED,
}
_LISTED_FOR = {
    "hard_bounced": FeedbackKind.BOUNCED,
    "spam_complained": FeedbackKind.COMPLAINED,
    "unsubscribed": FeedbackKind.UNSUBSCRIBED,
}
_REASONS = ("bounce_reason", "reject_reason", "suppression_reason", "unsubscribe_reason", "reason", "readable_reason")


def verify_mailersend(call: WebhookRequest, key: str, now: datetime) -> str:
    """Check the signature with the webhook's signing secret. Raise BadWebhook."""
    keys = require_keys(key, provider="MailerSend", by_hand=True)
    if not _is_signed(call, keys):
        raise wrong_signature(only_in=KEY_OF_REPORTS)
    return ""


def is_mailersend_question(call: WebhookRequest) -> bool:
    """Return True if MailerSend tries our address, which it does when a webhook is created or changed."""
    if not _is_signed(call, [TEST_SECRET]):
        return False
    return as_mapping(parse_json_or_none(call.body)).get("type") == TEST_EVENT


def parse_mailersend(call: WebhookRequest) -> list[Feedback]:
    """Return the event of a webhook, none of MailerSend's question. Raise BadWebhook if it is not one of MailerSend's."""
    event = parse_json_object(call.body, provider="MailerSend")
    name = as_text(event.get("type")).lower()
    if name == TEST_EVENT:
        return []
    data = as_mapping(event.get("data"))
    email = as_mapping(data.get("email"))
    detail = as_mapping(data.get("meta")) or as_mapping(data.get("morph"))
    reason = next((as_text(detail[part]) for part in _REASONS if as_text(detail.get(part))), "")
    server_reply = f"{as_text(detail.get('bounce_code'), max_length=12)} {reason}".strip()
    kind, bounce_class = _classify(name, server_reply=server_reply)
    event_id = as_text(data.get("id"), max_length=80)
    return [
        Feedback(
            provider="mailersend",
            key=make_key(event_id, name) if event_id else make_key(fingerprint(event)),
            kind=kind,
            address=_read_address(data, email),
            batch=_read_batch(data, email),
            at=parse_time(data.get("created_at")) or parse_time(event.get("created_at")),
            bounce_class=bounce_class,
            reason=reason,
            provider_id=as_text(data.get("message_id") or as_mapping(email.get("message")).get("id"), max_length=80),
            status=find_report_status(kind, server_reply),
            listed_for=_find_listed_for(reason) if bounce_class is BounceClass.SUPPRESSED else None,
        )
    ]


def _is_signed(call: WebhookRequest, secrets: Sequence[str]) -> bool:
    signature = call.headers.get("signature", "").strip().lower().encode("ascii", "replace")
    return is_one_of(
        signature, [hmac.digest(key.encode(), call.body, hashlib.sha256).hex().encode() for key in secrets]
    )


def _classify(name: str, *, server_reply: str) -> tuple[FeedbackKind, BounceClass]:
    kind = _KINDS.get(name, _UNKNOWN)
    if name == "activity.suppressed":
        return kind, BounceClass.SUPPRESSED
    if kind is not FeedbackKind.BOUNCED:
        return kind, _NONE
    fallback = BounceClass.HARD if name == "activity.hard_bounced" else BounceClass.SOFT
    return kind, classify_bounce(server_reply, fallback=fallback)


def _find_listed_for(reason: str) -> FeedbackKind | None:
    """Return on which list of the account the address is. The blocklist and the list on hold do not say why."""
    return _LISTED_FOR.get("_".join(reason.lower().split()))


def _read_address(data: Row, email: Row) -> str:
    return parse_address(
        as_mapping(email.get("recipient")).get("email")
        or data.get("recipient")
        or (data.get("email") if not email else "")
    )


def _read_batch(data: Row, email: Row) -> str:
    tags = (as_text(tag, max_length=100) for tag in as_list(data.get("tags") or email.get("tags")))
    return next((tag.removeprefix(BATCH_TAG)[:80] for tag in tags if tag.startswith(BATCH_TAG)), "")


MAILERSEND = WebhookHandler(
    name="mailersend",
    verify=verify_mailersend,
    parse=parse_mailersend,
    atomic=False,
    is_question=is_mailersend_question,
    key_by_hand=True,
)
