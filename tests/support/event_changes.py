"""An event in London that was sent in an issue, its later changes, and the people notified of them."""

from typing import Any

from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.corrections.correct import announce_change
from newsletter.models import Batch, Delivery, EventNotice, Issue, Publication, Send
from newsletter.sending.freezing.start import start_send
from subscribers.models import Subscriber
from tests.support.fixtures import (
    HOUSTON,
    LONDON,
    NOW,
    add_subscribers,
    make_approver,
    make_event,
    make_issue,
    make_publication,
    make_story,
)
from tests.support.repeated_rows import repeat_rows

LONDONERS = {f"person{number}@example.com" for number in range(3)}


def send_out(issue: Issue) -> Send:
    """As if the provider took everything."""
    send = start_send(issue=issue, now=NOW)
    Send.objects.filter(pk=send.pk).update(provider="mailgun")
    Batch.objects.filter(send=send).update(state=Batch.State.ACCEPTED)
    Issue.objects.filter(pk=issue.pk).update(state=Issue.State.SENT)
    return send


def finish(issue: Issue) -> Issue:
    """As if the provider took everything and the send has ended. Return the issue as it is then."""
    send = send_out(Issue.objects.get(pk=issue.pk))
    Send.objects.filter(pk=send.pk).update(state=Send.State.SUBMITTED)
    return Issue.objects.get(pk=issue.pk)


@repeat_rows
def publish(*, shown: dict[str, Any] | None = None, **publication: Any) -> tuple[Publication, EventNotice]:
    """An issue with an event in London that went out to three people there and two elsewhere."""
    made = make_publication(**publication)
    make_story("The first verdict")
    event = make_event("Vigil by the river", where=LONDON, **(shown or {}))
    add_subscribers(made, 3, where=LONDON)
    add_subscribers(made, 2, where=HOUSTON, start=10)
    send_out(make_issue(made, approved=True))
    return made, event


def move_event(event: EventNotice, **changes: Any) -> EventNotice:
    EventNotice.objects.filter(pk=event.pk).update(**changes)
    event.refresh_from_db()
    return event


def announce(event: EventNotice, publication: Publication) -> Issue:
    return announce_change(event=event, publication=publication, by=make_approver(), now=NOW)


def list_recipient_addresses(issue: Issue) -> set[str]:
    ids = Delivery.objects.filter(issue=issue).values_list("subscriber_id", flat=True)
    return set(Subscriber.objects.filter(pk__in=ids).values_list("email", flat=True))


def tell(event: EventNotice, publication: Publication) -> Issue:
    """Announced, approved and gone out."""
    issue = announce(event, publication)
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    send_out(issue)
    return Issue.objects.get(pk=issue.pk)
