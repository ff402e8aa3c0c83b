"""Say why a person was left out of an issue that was sent, by the reason that was stored when its audience was frozen."""

from collections.abc import Iterable

from newsletter.common.messages import Message
from newsletter.issues.variants.count_recipients import NOT_ON_LIST
from newsletter.issues.visible.visible_content import (
    HAD_THE_STORIES,
    NO_BLOCK_FOR_THEM,
    NO_EVENT_NEAR,
    NO_STORY_IN_THEIR_REGION,
    NO_STORY_OF_TOPICS,
)
from newsletter.models import Exclusion, Issue, Send
from subscribers.audience.eligibility import (
    IMPLIED_CONSENT_EXPIRED,
    NOT_CHARITABLE,
    NOT_ON_ALLOWLIST,
    OTHER_FREQUENCY,
    OVER_BUDGET,
    PAUSED,
    RESTING,
    UNCONFIRMED,
)
from subscribers.models import Frequency, Reason, Subscriber
from subscribers.people.data_export import format_moment

_NO_CANDIDATE = Message("They did not get it: they were not on its list, or not in its segment, when it was sent.")
_NOT_KEPT = Message(
    "They did not get it. The reason was kept for 90 days, and then only the number of people for each."
)
_SENTENCES = {
    UNCONFIRMED: Message("They did not get it: they had not confirmed by mail yet."),
    IMPLIED_CONSENT_EXPIRED: Message("They did not get it: their implied consent had ended."),
    RESTING: Message(
        "They did not get it: they got no newsletters, because they had not answered whether they still want mail."
    ),
    PAUSED: Message("They did not get it: they had paused their mail."),
    NOT_ON_ALLOWLIST: Message(
        "They did not get it: this installation was allowed to mail only the addresses in NEWSLETTER_ONLY_TO."
    ),
    OVER_BUDGET: Message(
        "They did not get it: with it, they would have had more mails in 7 days than the limit for one person allows."
    ),
    NOT_CHARITABLE: Message(
        "They did not get it: it was not only for your charitable purposes, and their charitable soft opt-in covers nothing else."
    ),
    OTHER_FREQUENCY[Frequency.EVERY]: Message(
        "They did not get it: they had chosen every issue, not this type of mail."
    ),
    OTHER_FREQUENCY[Frequency.MONTHLY]: Message("They did not get it: they had chosen one mail a month."),
    OTHER_FREQUENCY[Frequency.EVENTS]: Message("They did not get it: they had chosen only events near them."),
    NOT_ON_LIST: Message("They did not get it: they had unsubscribed since the mail to which it belongs."),
    NO_EVENT_NEAR: Message("They did not get it: they had chosen only events near them, and there were none."),
    NO_STORY_OF_TOPICS: Message(
        "They did not get it: none of its stories was of their topics, and there were no events for them."
    ),
    HAD_THE_STORIES: Message(
        "They did not get it: they had its stories in another issue, and there were no events for them."
    ),
    NO_BLOCK_FOR_THEM: Message("They did not get it: each of its blocks was only for other readers."),
    NO_STORY_IN_THEIR_REGION: Message(
        "They did not get it: no story could be shown where they live, or may live, and nothing else was left."
    ),
}
_SUPPRESSED = "suppressed:"


def was_frozen(issue: Issue) -> bool:
    """Return True if it was once decided who gets the issue."""
    return issue.sends.exclude(state=Send.State.PREPARING).filter(candidates__gt=0).exists()


def explain_left_out(issue: Issue, *, person: Subscriber) -> str:
    """Return the sentence on a person without a delivery of an issue whose audience was frozen."""
    row = Exclusion.objects.filter(send__issue=issue, subscriber=person).order_by("-send").first()
    if row is not None:
        return describe_exclusion(row.reason)
    return _NOT_KEPT if issue.sends.filter(purged_at__isnull=False).exists() else _NO_CANDIDATE


def describe_exclusion(code: str) -> str:
    """Return the sentence of a stored reason."""
    if code.startswith(_SUPPRESSED):
        label = Reason(code.removeprefix(_SUPPRESSED)).label
        return Message("They did not get it: they could not be mailed (%(label)s).", label=label)
    return _SENTENCES[code]


def find_left_out(person: Subscriber, *, issues: Iterable[int]) -> dict[int, str]:
    """Return the sentence for each of these issues that left the person out."""
    rows = Exclusion.objects.filter(subscriber=person, send__issue__in=issues).order_by("send")
    return {issue: describe_exclusion(code) for issue, code in rows.values_list("send__issue", "reason")}


def describe_exclusions_of(person: Subscriber) -> list[dict[str, object]]:
    """Return one entry for each send, the oldest first, as JSON data. Times are ISO 8601 in UTC."""
    rows = Exclusion.objects.filter(subscriber=person).select_related("send__issue__publication").order_by("send")
    return [
        {
            "issue": str(row.send.issue),
            "at": format_moment(row.send.started_at),
            "code": row.reason,
            "reason": describe_exclusion(row.reason),
        }
        for row in rows
    ]
