"""What providers tell us afterwards, in one vocabulary: which delivery, what happened, how final it is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FeedbackKind(StrEnum):
    """What happened to one mail. ``UNKNOWN`` is kept and changes nothing."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    OPENED = "opened"
    CLICKED = "clicked"
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
    own ids where the mail carried them. Every text comes from outside and is to be shown as text only.
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
