"""Mailgun's webhooks: is this one real and fresh, and what does it say.

Mailgun signs a timestamp and a token, not the body: the caller must remember each token and refuse it the second time.
"""

import hashlib
import hmac
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from newsletter.providers.errors import BadWebhook
from newsletter.providers.feedback import BounceClass, Feedback, FeedbackKind

FRESH = timedelta(hours=24)
_AHEAD = timedelta(minutes=5)
_DEEPEST = 20
_KINDS = {
    "accepted": FeedbackKind.ACCEPTED,
    "delivered": FeedbackKind.DELIVERED,
    "complained": FeedbackKind.COMPLAINED,
    "unsubscribed": FeedbackKind.UNSUBSCRIBED,
    "opened": FeedbackKind.OPENED,
    "clicked": FeedbackKind.CLICKED,
}
_POLICY_WORDS = re.compile(
    r"\b(spam|blocked|blacklist|blocklist|denylist|reputation|policy|dmarc|rate limit)", re.IGNORECASE
)
_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")


@dataclass(frozen=True)
class Verified:
    """Proof that Mailgun made the webhook. ``token`` may be used once: refuse a second webhook that has it."""

    token: str
    signed_at: datetime


def verify_mailgun(body: bytes, *, signing_key: str, now: datetime, fresh: timedelta = FRESH) -> Verified:
    """Check signature and age of a webhook's raw body. Raises BadWebhook, also where no signing key is set."""
    if not signing_key:
        raise BadWebhook("No webhook signing key is set. Add &webhook_key=… to NEWSLETTER_PROVIDER_URL.")
    block = _read(body).get("signature")
    if not isinstance(block, dict):
        raise BadWebhook("The webhook has no signature.")
    timestamp, token, signature = (block.get(name) for name in ("timestamp", "token", "signature"))
    timestamp = str(timestamp)
    if not isinstance(token, str) or not isinstance(signature, str) or not re.fullmatch(r"\d{1,11}", timestamp):
        raise BadWebhook("The webhook's signature cannot be read.")
    right = hmac.new(signing_key.encode(), (timestamp + token).encode("utf-8", "replace"), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(right.encode(), signature.encode("utf-8", "replace")):
        raise BadWebhook("The webhook's signature is wrong: it was not made with our signing key.")
    signed_at = datetime.fromtimestamp(int(timestamp), UTC)
    if not now - fresh <= signed_at <= now + _AHEAD:
        raise BadWebhook("The webhook's signature is too old, or this machine's clock is wrong.")
    return Verified(token=token, signed_at=signed_at)


def parse_mailgun(body: bytes) -> list[Feedback]:
    """Give the events of a webhook's body (Mailgun sends one). An event of a new kind comes out as ``unknown``.

    Raises BadWebhook where the body is not one of Mailgun's.
    """
    event = _read(body).get("event-data")
    if not isinstance(event, dict):
        raise BadWebhook("The webhook does not have Mailgun's form (no event-data).")
    return [_feedback(event)]


def _feedback(event: Mapping[str, Any]) -> Feedback:
    kind, bounce_class = _kind(event)
    ours = _table(event.get("user-variables"))
    status = _table(event.get("delivery-status"))
    reason = _text(status.get("description")) or _text(status.get("message")) or _text(event.get("reason"))
    headers = _table(_table(event.get("message")).get("headers"))
    delivery = _text(ours.get("delivery"))
    return Feedback(
        provider="mailgun",
        key=_text(event.get("id")) or _fingerprint(event),
        kind=kind,
        address=_text(event.get("recipient"), longest=254),
        delivery=int(delivery) if re.fullmatch(r"[0-9]{1,18}", delivery) else None,
        batch=_text(ours.get("batch")),
        at=_moment(event.get("timestamp")),
        bounce_class=bounce_class,
        reason=reason,
        provider_id=_text(headers.get("message-id")).strip("<>"),
    )


def _kind(event: Mapping[str, Any]) -> tuple[FeedbackKind, BounceClass]:
    name = _text(event.get("event")).lower()
    if name != "failed":
        return _KINDS.get(name, FeedbackKind.UNKNOWN), BounceClass.NONE
    if _text(event.get("severity")).lower() == "temporary":
        return FeedbackKind.DEFERRED, BounceClass.NONE
    return FeedbackKind.BOUNCED, _bounce_class(event)


def _bounce_class(event: Mapping[str, Any]) -> BounceClass:
    """Tell a dead address from a full mailbox and from a refusal that is about us; in doubt it is not the address."""
    status = _table(event.get("delivery-status"))
    said = f"{_text(status.get('message'))} {_text(status.get('description'))}"
    reason = _text(event.get("reason")).lower()
    if reason.startswith("suppress-") or reason in ("espblock", "policy"):
        return BounceClass.BLOCK
    if found := _ENHANCED.search(said):
        kind, subject, detail = (int(part) for part in found.groups())
        if subject == 7:
            return BounceClass.BLOCK
        if kind == 4 or (subject, detail) in ((2, 2), (2, 3), (3, 4)) or subject in (3, 4):
            return BounceClass.SOFT
        return BounceClass.HARD
    if reason == "old" or str(status.get("code", "")).startswith("4"):
        return BounceClass.SOFT
    if _POLICY_WORDS.search(said):
        return BounceClass.BLOCK
    return BounceClass.HARD


def _read(body: bytes) -> Mapping[str, Any]:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadWebhook("The webhook cannot be read: it is not JSON.") from error
    if not isinstance(parsed, dict) or _too_deep(parsed):
        raise BadWebhook("The webhook does not have Mailgun's form.")
    return parsed


def _too_deep(parsed: object) -> bool:
    level: list[object] = [parsed]
    for _ in range(_DEEPEST):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node if isinstance(node, list) else ())
        ]
        if not level:
            return False
    return True


def _moment(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return datetime.fromtimestamp(value, UTC) if 0 <= value < 32_503_680_000 else None


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object, *, longest: int = 500) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return "".join(c if c.isprintable() else " " for c in value[:longest]).strip() if isinstance(value, str) else ""


def _fingerprint(event: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()
