"""Providers' reports in one vocabulary: which delivery, what happened, and how permanent it is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FeedbackKind(StrEnum):
    """The kind of a report about one mail. ``UNKNOWN`` changes nothing; ``SUBSCRIPTION`` waits until staff confirm it."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    OPENED = "opened"
    CLICKED = "clicked"
    SUBSCRIPTION = "subscription"
    UNKNOWN = "unknown"


class BounceClass(StrEnum):
    """The permanence of a bounce.

    ``BLOCK`` is about the sender (policy, reputation, a blocklist), not the address. ``SUPPRESSED`` is a mail that the
    provider did not try to send, because the address is on the provider's own suppression list.
    """

    NONE = ""
    HARD = "hard"
    SOFT = "soft"
    BLOCK = "block"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True)
class Feedback:
    """One event about one recipient.

    ``key`` identifies the event and its repeats among the provider's events. ``delivery`` and ``batch`` are our own ids, if
    the mail carried them. ``status`` is the receiving server's enhanced code (``5.1.1``). ``link`` is the URL that confirms
    a topic's subscription. ``listed_for`` is why a ``SUPPRESSED`` address is on the provider's list (BOUNCED, COMPLAINED or
    UNSUBSCRIBED), if the provider says so. It happened earlier, and counts for no mail of this send. Every text comes from
    outside: show it as text only.
    """

    provider: str
    key: str
    kind: FeedbackKind
    address: str = ""
    delivery: int | None = None
    batch: str = ""
    at: datetime | None = None
    bounce_class: BounceClass = BounceClass.NONE
    reason: str = ""
    provider_id: str = ""
    status: str = ""
    link: str = ""
    listed_for: FeedbackKind | None = None
