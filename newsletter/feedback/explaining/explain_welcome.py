"""Say which mails of a welcome a person gets, got or does not get, and why. Reads only."""

from datetime import timedelta

from newsletter.common.messages import Message
from newsletter.models import Issue, WelcomeStep
from subscribers.models import Subscriber
from subscribers.people.data_export import format_moment, register_export_section

_NOT_ENTERED = Message(
    "Not a recipient. It goes only to people who joined the list after it was turned on, and to nobody twice."
)
_REASONS = {
    WelcomeStep.Code.UNSUBSCRIBED: Message("they unsubscribed or may no longer be mailed"),
    WelcomeStep.Code.PAUSED: Message("they paused their mail"),
    WelcomeStep.Code.MOVED: Message("they changed their address"),
    WelcomeStep.Code.TOO_LATE: Message("it was more than 14 days late"),
    WelcomeStep.Code.TURNED_OFF: Message("staff turned it off"),
    WelcomeStep.Code.REJECTED: Message("the provider refused the mail"),
    WelcomeStep.Code.EMPTY: Message("it had nothing for them: no block, or no story that they did not have"),
    WelcomeStep.Code.EARLIER_STEP: Message("the mail before it did not reach them"),
}


def explain_step(issue: Issue, *, person: Subscriber) -> str:
    """Return a sentence that says if a person gets a welcome mail that they did not get yet."""
    row = issue.welcome_steps.filter(subscriber_id=person.pk).first()
    if row is None:
        return _NOT_ENTERED
    if row.state == WelcomeStep.State.NOT_SENT:
        return Message("They do not get it: %(reason)s.", reason=_REASONS[WelcomeStep.Code(row.code)])
    if row.state == WelcomeStep.State.WAITING:
        day = (row.joined_at + timedelta(days=issue.delay_days or 0)).date()
        return Message("They get it on %(day)s, after the mails before it.", day=day)
    return Message("It is uncertain whether they got it.")


def register() -> None:
    """Add the welcome to a person's data export. The app calls it when it starts."""
    register_export_section("welcome", describe_steps)


def describe_steps(person: Subscriber) -> list[dict[str, object]]:
    """Return one entry for each mail of a welcome, as JSON data. Times are ISO 8601 in UTC."""
    rows = WelcomeStep.objects.filter(subscriber_id=person.pk).select_related("issue__publication")
    return [
        {
            "issue": str(row.issue),
            "joined_at": format_moment(row.joined_at),
            "state": row.state,
            "code": row.code,
            "settled_at": format_moment(row.settled_at),
        }
        for row in rows.order_by("pk")
    ]
