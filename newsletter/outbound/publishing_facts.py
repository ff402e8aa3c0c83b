"""Report facts about content, issues and sends to the organisation's other systems. Only ids are reported, no words.

A word of a story may be protected or under embargo. Receivers with a key can read the story through the API.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from newsletter.common.errors import InvariantViolated
from newsletter.models import EventNotice, Gift, Issue, Send, Story
from subscribers.models import EventKind, WebhookEndpoint
from subscribers.outbound_events import record_event


def report_issue(kind: EventKind, issue: Issue, *, now: datetime) -> None:
    """Report a change of an issue."""
    record_event(kind, data={"issue": _describe_issue(issue)}, now=now)


def report_sent(send: Send, *, receipt: Callable[[], Mapping[str, object]], now: datetime) -> None:
    """Report that a send ended, with its receipt, and if nothing is open in it, that its issue was sent.

    ``receipt`` is only called if somebody wants it, because it counts everybody.
    """
    if not WebhookEndpoint.objects.wanting({EventKind.ISSUE_SENT, EventKind.SEND_FINISHED}):
        return
    issue = _describe_issue(send.issue)
    if send.state == Send.State.SUBMITTED:
        record_event(EventKind.ISSUE_SENT, data={"issue": issue}, now=now)
    data = {"issue": issue, "send": {"id": send.pk, "state": str(send.state)}, "receipt": _count(receipt)}
    record_event(EventKind.SEND_FINISHED, data=data, now=now)


def report_story(kind: EventKind, story: Story, *, now: datetime) -> None:
    """Report a new, changed or withdrawn story."""
    record_event(kind, data={"story": {"id": story.pk, "source": story.source_id}}, now=now)


def report_event_notice(kind: EventKind, event: EventNotice, *, now: datetime) -> None:
    """Report a new, changed or cancelled event."""
    record_event(kind, data={"event": {"id": event.pk, "source": event.source_id}}, now=now)


def report_gift(gift: Gift, *, now: datetime) -> None:
    """Report that a gift was made through an issue. The donation system knows the rest by its own reference."""
    data = {"gift": gift.reference, "block": gift.block, "issue": _describe_issue(gift.issue)}
    record_event(EventKind.GIFT_MATCHED, data=data, now=now)


def _count(receipt: Callable[[], Mapping[str, object]]) -> dict[str, object] | None:
    """Return the receipt, or None if its numbers do not add up: its page shows that, and the send ends anyway."""
    try:
        return dict(receipt())
    except InvariantViolated:
        return None


def _describe_issue(issue: Issue) -> dict[str, object]:
    return {"id": issue.pk, "reference": issue.reference}
