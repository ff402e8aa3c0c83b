"""Tells a dead address from a full mailbox and from a refusal that is about us, by the words of the receiving server.

In doubt it is not the address: nobody is barred from mail because of our own reputation (S2, B5).
"""

import re

from newsletter.providers.base.webhooks.events import BounceClass

_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_BASIC = re.compile(r"\b([45])\d\d\b")
_POLICY_WORDS = re.compile(
    r"\b(spam|blocked|blacklist|blocklist|denylist|reputation|policy|dmarc|dkim|spf|unauthenticated|rate limit)",
    re.IGNORECASE,
)
_FULL_CODES = ((2, 2), (2, 3), (3, 4))
_STORAGE_EXCEEDED = re.compile(r"\b552\b")
_FULL_WORDS = re.compile(
    r"(mail ?box|inbox|folder|storage|account|user)\b.{0,30}\b(full|exceed(s|ed)|over) ?(quota|storage|limit)?\b"
    r"|\b(over|out of|exceed(s|ed|ing)?|insufficient)\b.{0,30}\b(quota|storage|disk space|mailbox size)"
    r"|\bquota\b.{0,20}\bexceed"
    r"|\b(message|mail|size)\b.{0,40}\b(too (large|big|long)|exceeds?.{0,30}\bsize|exceeds.{0,20}\blimit)",
    re.IGNORECASE,
)
AUTHENTICATION = frozenset({"5.7.20", "5.7.21", "5.7.22", "5.7.23", "5.7.25", "5.7.26", "5.7.27", "5.7.509", "5.7.515"})


def enhanced_status(said: str) -> str:
    """Give the first enhanced status code in a server's words, such as ``5.1.1``, or nothing."""
    found = _ENHANCED.search(said)
    return found.group(0) if found else ""


def is_mailbox_full(said: str) -> bool:
    """Return True if the words say that the mailbox is full or the mail too large: the address is alive."""
    return bool(_FULL_WORDS.search(said))


def classify_bounce(said: str, *, fallback: BounceClass = BounceClass.HARD) -> BounceClass:
    """Class a final failure by its words; ``fallback`` is what the provider calls it, for words that say nothing."""
    if found := _ENHANCED.search(said):
        kind, subject, detail = (int(part) for part in found.groups())
        if subject == 7:
            return BounceClass.BLOCK
        if kind == 4 or subject in (3, 4) or (subject, detail) in _FULL_CODES or is_mailbox_full(said):
            return BounceClass.SOFT
        return fallback
    basic = _BASIC.search(said[:40])
    if basic and basic.group(1) == "4":
        return BounceClass.SOFT
    if is_mailbox_full(said):
        return BounceClass.SOFT
    if _POLICY_WORDS.search(said):
        return BounceClass.BLOCK
    return BounceClass.SOFT if _STORAGE_EXCEEDED.search(said[:40]) else fallback
