"""Record that a person replied to our mail: a sign of life, and a response to the subject of an issue.

Staff, the API and the inbound mailbox record replies here.
"""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.timezone import localdate

from newsletter.common.errors import DomainError
from subscribers.consent_events import end_rest, record_preferences
from subscribers.models import Reply, StayQuestion, Subscriber
from subscribers.people.publishing_hooks import get_publishing_hooks


class BadReply(DomainError):
    """A reply that cannot be recorded."""


class ReplyToUnsentIssue(BadReply):
    """The reply names an issue that the person did not get."""


@dataclass(frozen=True)
class RecordedReply:
    """A reply on record. ``new``: it was not known before. ``ended_rest``: it answers an open “Do you still want this?”."""

    reply: Reply
    new: bool
    ended_rest: bool


@transaction.atomic
def record_reply(
    *, subscriber: Subscriber, replied_on: date, issue: int | None, origin: Reply.Origin, by: str, now: datetime
) -> RecordedReply:
    """Record a reply, once for each issue, or for each day if the issue is unknown.

    A reply since the day of an open question “do you still want mail?” answers it. Raises BadReply.
    """
    if replied_on > localdate(now):
        raise BadReply("%(day)s has not come yet. Nothing was recorded. Enter the day of the reply.", day=replied_on)
    if issue is not None and not was_sent(subscriber, issue=issue):
        raise ReplyToUnsentIssue(
            "This issue was not sent to this person in the last 90 days. Nothing was recorded. Leave the issue out, or choose "
            "one that they got."
        )
    reply, new = Reply.objects.get_or_create(
        subscriber=subscriber,
        **({"issue": issue} if issue is not None else {"issue": None, "replied_on": replied_on}),
        defaults={"replied_on": replied_on, "origin": origin, "by": by, "recorded_at": now},
    )
    return RecordedReply(reply, new=new, ended_rest=_answer_question(subscriber, replied_on=replied_on, by=by, now=now))


def was_sent(subscriber: Subscriber, *, issue: int) -> bool:
    """Return True if it is known that the person was sent this issue."""
    return any(mail.issue_id == issue for mail in get_publishing_hooks().list_mails(subscriber))


def list_replies(subscriber: Subscriber) -> list[Reply]:
    """Return the replies of a person, newest first."""
    return list(Reply.objects.filter(subscriber=subscriber).order_by("-replied_on", "-pk"))


def move_replies(*, keep: Subscriber, absorb: Subscriber) -> None:
    """Give the replies of one record of a person to the other, without those that it has already."""
    for reply in Reply.objects.filter(subscriber=absorb):
        same = {"replied_on": reply.replied_on} if reply.issue is None else {}
        if not Reply.objects.filter(subscriber=keep, issue=reply.issue, **same).exists():
            Reply.objects.filter(pk=reply.pk).update(subscriber=keep)


@transaction.atomic
def forget_replied_issue(issue: int) -> None:
    """Forget that replies were to this issue, because it is no longer kept who got it. The days stay."""
    for reply in Reply.objects.filter(issue=issue):
        if Reply.objects.filter(subscriber=reply.subscriber_id, replied_on=reply.replied_on, issue=None).exists():
            reply.delete()
        else:
            Reply.objects.filter(pk=reply.pk).update(issue=None)


def _answer_question(subscriber: Subscriber, *, replied_on: date, by: str, now: datetime) -> bool:
    asked_at = StayQuestion.objects.open().filter(subscriber=subscriber).values_list("asked_at", flat=True).first()
    if asked_at is None or replied_on < localdate(asked_at) or not end_rest(subscriber, now=now):
        return False
    record_preferences(subscriber, {"stays": True}, now=now, by=by)
    return True
