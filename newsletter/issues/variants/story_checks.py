"""Check whether an issue's stories may be mailed at a moment: consent, embargo, age, withdrawal. No database."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from newsletter.common.errors import NotReady
from newsletter.common.messages import Message
from newsletter.issues.snapshot.consent_rules import EMAIL, find_display_restriction
from newsletter.issues.snapshot.records.blocks import list_stories
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.stories import StoryRecord
from newsletter.rendering.lint.findings import Finding

_CONSENT_WARNING_PERIOD = timedelta(days=14)


def check_stories(content: IssueContent) -> Iterator[Finding]:
    """Yield what is wrong with the stories at the moment at which the issue is due."""
    due = content.issue.due_at
    for block in content.blocks:
        for story in list_stories(block):
            for finding in _check_story(story, due=due, required=content.publication.consent_required):
                yield replace(finding, block=block.key, story=story.id)


def list_restricted_stories(content: IssueContent, *, at: datetime) -> list[Message]:
    """Return a sentence for each story that may not be mailed at that moment."""
    reasons = (
        (story, _find_restriction(story, at=at, required=content.publication.consent_required))
        for version in content.all_versions
        for story in version.stories
    )
    found = {
        (story.id, story.title): Message("“%(title)s” %(reason)s", title=story.title, reason=reason)
        for story, reason in reasons
        if reason
    }
    return list(found.values())


def require_unrestricted_stories(content: IssueContent, *, at: datetime) -> None:
    """Raise NotReady if a story may not be mailed at that moment, whatever was true when the issue was approved."""
    restricted = list_restricted_stories(content, at=at)
    if restricted:
        raise NotReady(
            "%(unfit)s. Nothing was sent. Remove the story from the issue, or correct its consent details.",
            unfit=Message.joined(restricted),
        )


def _check_story(story: StoryRecord, *, due: datetime, required: bool) -> Iterator[Finding]:
    reason = _find_restriction(story, at=due, required=required)
    if reason:
        message = Message(
            "“%(title)s” %(reason)s. Remove it, or correct its consent details.", title=story.title, reason=reason
        )
        yield Finding("error", "consent", message)
        return
    expires_on = story.consent.expires_on
    if expires_on and expires_on < (due + _CONSENT_WARNING_PERIOD).date():
        message = Message(
            "The consent for “%(title)s” expires on %(expires_on)s, soon after the issue is sent.",
            title=story.title,
            expires_on=expires_on.isoformat(),
        )
        yield Finding("warning", "consent-soon", message)
    if story.consent.minor:
        message = Message(
            "“%(title)s” is about a person under 18. Check that its text, link and image reveal no "
            "surname, school or exact location, and no face without consent.",
            title=story.title,
        )
        yield Finding("warning", "minor", message)


def _find_restriction(story: StoryRecord, *, at: datetime, required: bool) -> Message | None:
    return find_display_restriction(story.consent, channel=EMAIL, at=at, required=required)
