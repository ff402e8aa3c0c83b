"""Classify bounces by the receiving server's reply: a dead address, a full mailbox, or a refusal of the sender.

If it is unclear, the address is not dead: nobody is suppressed because of the sender's reputation.
"""

import re

from newsletter.providers.base.webhooks.events import BounceClass, FeedbackKind
from newsletter.providers.base.webhooks.sender_refusal_codes import SenderCause, find_cause, find_sender_status

_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_BASIC = re.compile(r"\b([45])\d\d\b")
_POLICY_TEXT = re.compile(
    r"\b(spam|blocked|blacklist|blocklist|denylist|reputation|policy|dmarc|dkim|spf|unauthenticated|rate limit)",
    re.IGNORECASE,
)
_FULL_CODES = ((2, 2), (2, 3), (3, 4))
_STORAGE_EXCEEDED = re.compile(r"\b552\b")
_FULL_TEXT = re.compile(
    r"(mail ?box|inbox|folder|storage|account|user)\b.{0,30}\b(full|exceed(s|ed)|over) ?(quota|storage|limit)?\b"
    r"|\b(over|out of|exceed(s|ed|ing)?|insufficient)\b.{0,30}\b(quota|storage|disk space|mailbox size)"
    r"|\bquota\b.{0,20}\bexceed"
    r"|\b(message|mail|size)\b.{0,40}\b(too (large|big|long)|exceeds?.{0,30}\bsize|exceeds.{0,20}\blimit)",
    re.IGNORECASE,
)


def is_about_sender(reply: str) -> bool:
    """Return True if the reply has a code by which the mail was refused or delayed because of its sender."""
    return bool(find_sender_status(reply))


def find_report_status(kind: FeedbackKind, reply: str) -> str:
    """Return the code that a report keeps: of a bounce always, of a delay only if it is about the sender."""
    if kind is FeedbackKind.BOUNCED:
        return find_sender_status(reply) or find_enhanced_status(reply)
    status = find_sender_status(reply) if kind is FeedbackKind.DEFERRED else ""
    # A delay whose code has no cause may be greylisting, which is about neither.
    return status if status and find_cause(status) is not SenderCause.OTHER else ""


def find_enhanced_status(reply: str) -> str:
    """Return the first enhanced status code in a server's reply, such as ``5.1.1``, or ""."""
    match = _ENHANCED.search(reply)
    return match.group(0) if match else ""


def is_mailbox_full(reply: str) -> bool:
    """Return True if the reply says that the mailbox is full or the mail too large: the address is valid."""
    return bool(_FULL_TEXT.search(reply))


def classify_bounce(reply: str, *, fallback: BounceClass = BounceClass.HARD) -> BounceClass:
    """Return the class of a permanent failure; ``fallback`` is the provider's own class, for an unclear reply."""
    if is_about_sender(reply):
        return BounceClass.BLOCK
    if match := _ENHANCED.search(reply):
        kind, subject, detail = (int(part) for part in match.groups())
        if kind == 4 or subject in (3, 4) or (subject, detail) in _FULL_CODES or is_mailbox_full(reply):
            return BounceClass.SOFT
        return fallback
    basic = _BASIC.search(reply[:40])
    if basic and basic.group(1) == "4":
        return BounceClass.SOFT
    if is_mailbox_full(reply):
        return BounceClass.SOFT
    if _POLICY_TEXT.search(reply):
        return BounceClass.BLOCK
    return BounceClass.SOFT if _STORAGE_EXCEEDED.search(reply[:40]) else fallback
