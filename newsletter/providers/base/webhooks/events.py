"""What providers tell us afterwards, in one vocabulary: which delivery, what happened, how final it is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FeedbackKind(StrEnum):
    """What happened to one mail. ``UNKNOWN`` changes nothing; ``SUBSCRIPTION`` waits for a person's click."""

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
    """How final a bounce is. ``BLOCK`` is about the sender (policy, reputation, a list kept), not about the address."""

    NONE = ""
    HARD = "hard"
    SOFT = "soft"
    BLOCK = "block"


@dataclass(frozen=True)
class Feedback:
    """One event about one person.

    ``key`` names the event for the provider and is never the same for two events. ``delivery`` and ``batch`` are our
    own ids where the mail carried them. ``status`` is the receiving server's enhanced code (``5.1.1``). ``link`` is the
    address that confirms a topic's subscription. Every text comes from outside and is to be shown as text only.
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
