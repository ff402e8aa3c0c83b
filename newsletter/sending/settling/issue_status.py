"""The JSON of `newsletter status ISSUE --json`: an issue, its newest send and the numbers of its receipt."""

from collections.abc import Sequence
from typing import TypedDict

from newsletter.issues.variants.audience_rules import NamedAudience, name_audience
from newsletter.models import Issue, Send
from newsletter.sending.settling.receipt import Receipt, make_receipt


class SendStatus(TypedDict):
    """``hours`` are those of readers' clocks, as `Send.hours` keeps them. ``accounts`` are as in the receipt."""

    id: int
    state: str
    reason: str
    provider: str
    hours: list[dict[str, object]]
    accounts: dict[str, dict[str, int]]


class AudienceStatus(TypedDict):
    """The slugs of the list and the segments. ``candidates`` are ``recipients`` and, by reason, ``excluded``."""

    list: str
    segments: Sequence[str]
    candidates: int
    excluded: dict[str, int]
    recipients: int


class IssueStatus(TypedDict):
    """The JSON of `newsletter status ISSUE --json`. ``state`` is the issue's; ``deliveries`` and ``batches`` are by state."""

    issue: str
    id: int
    publication: str
    number: int
    subject: str
    state: str
    held: bool
    due: str | None
    send: SendStatus | None
    audience: AudienceStatus
    deliveries: dict[str, int]
    batches: dict[str, int]
    delivered: int
    bounced: int
    complained: int
    unsubscribed: int
    unsent: int


def status_of(issue: Issue) -> IssueStatus:
    """Return the JSON of ``newsletter status ISSUE --json``."""
    send = issue.sends.exclude(recipients=0, state=Send.State.CANCELLED).first()
    receipt = make_receipt(send)
    audience: NamedAudience = send.audience if send and send.audience else name_audience(issue)
    return {
        "issue": issue.reference,
        "id": issue.pk,
        "publication": issue.publication.slug,
        "number": issue.number,
        "subject": issue.subject,
        "state": issue.state,
        "held": issue.held,
        "due": issue.due_at.isoformat() if issue.due_at else None,
        "send": _describe_send(send, receipt) if send else None,
        "audience": {
            "list": audience["list"],
            "segments": audience["segments"],
            "candidates": receipt.candidates,
            "excluded": receipt.excluded,
            "recipients": receipt.recipients,
        },
        "deliveries": receipt.deliveries,
        "batches": receipt.batches,
        "delivered": receipt.delivered,
        "bounced": receipt.bounced,
        "complained": receipt.complained,
        "unsubscribed": receipt.unsubscribed,
        "unsent": receipt.unsent,
    }


def _describe_send(send: Send, receipt: Receipt) -> SendStatus:
    return {
        "id": send.pk,
        "state": send.state,
        "reason": send.reason,
        "provider": send.provider,
        "hours": send.hours,
        "accounts": receipt.accounts,
    }
