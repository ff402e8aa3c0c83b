"""The reasons why people are not recipients, as texts that follow a number of people."""

from collections.abc import Mapping

from newsletter.common.messages import Message, Quantity
from newsletter.issues.variants.audience_rules import find_audience_segment
from newsletter.issues.variants.count_recipients import NOT_ON_LIST
from newsletter.issues.variants.unreached import SENT_BY_COMPLETION
from newsletter.issues.visible.visible_content import (
    HAD_THE_STORIES,
    NO_BLOCK_FOR_THEM,
    NO_EVENT_NEAR,
    NO_STORY_IN_THEIR_REGION,
    NO_STORY_OF_TOPICS,
)
from newsletter.models import Issue
from subscribers.audience.counting import AudienceCount
from subscribers.audience.exclusion_labels import EXCLUSION_LABELS

_LABELS: dict[str, str] = {
    **EXCLUSION_LABELS,
    "every_issue": Message("chose to get every issue, not this type of mail"),
    "monthly": Message("chose one mail a month"),
    "events_only": Message("chose only events near them"),
    NO_STORY_OF_TOPICS: Message("none of the stories is of their topics, and there are no events"),
    HAD_THE_STORIES: Message("had these stories in another issue, and there are no events"),
    NO_BLOCK_FOR_THEM: Message("get no block, because each is only for other readers"),
    NO_STORY_IN_THEIR_REGION: Message("live, or may live, where no story may be shown, and nothing else is left"),
    NO_EVENT_NEAR: Message("chose only events near them, and there are none"),
    NOT_ON_LIST: Message("unsubscribed since"),
    SENT_BY_COMPLETION: Message("get the corrected issue instead"),
}


def get_exclusion_label(code: str) -> str:
    return _LABELS.get(code, code.replace("suppressed:", "").replace("_", " "))


def describe_exclusions(excluded: Mapping[str, int]) -> Message:
    """Return the reasons with the number of people for each, the largest first: “3 paused, 1 not confirmed yet”."""
    rows = sorted(excluded.items(), key=lambda row: -row[1])
    parts = [
        Message("%(people)s %(reason)s", people=Quantity(people), reason=get_exclusion_label(code))
        for code, people in rows
    ]
    return Message.joined(parts, between=", ")


def explain_nobody(issue: Issue, *, counted: AudienceCount) -> Message:
    """Return the sentence for an issue that has no recipient, with the reasons."""
    if counted.excluded:
        reasons = describe_exclusions(counted.excluded)
        return Message("Nobody would get %(issue)s: %(reasons)s. Nothing was sent.", issue=issue, reasons=reasons)
    name = issue.publication.mailing_list.name
    if segment := find_audience_segment(issue):
        return Message(
            "Nobody would get %(issue)s: the list “%(name)s” has nobody in the segment “%(segment)s”. Nothing was sent.",
            issue=issue,
            name=name,
            segment=segment.name,
        )
    return Message(
        "Nobody would get %(issue)s: the list “%(name)s” is empty. Nothing was sent.", issue=issue, name=name
    )
