"""Decide if a channel may show a story at a time, and check the stories of an issue by these rules.

A consent holds through its last day, in UTC. In doubt the answer is no. No database.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from newsletter.common.errors import NotReady
from newsletter.common.messages import Message
from newsletter.issues.snapshot.records.blocks import list_stories
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.stories import ConsentRecord, StoryRecord
from newsletter.models import Story
from newsletter.models.content.consent import Channel, ConsentGiver, Identity
from newsletter.models.content.story_origins import GoneCode
from newsletter.rendering.lint.findings import Finding

WHY_GONE = {
    GoneCode.REMOVED.value: Message("removed at its source"),
    GoneCode.PRIVATE.value: Message("not public at its source"),
    GoneCode.PROTECTED.value: Message("protected by a password at its source"),
}
EMAIL, ARCHIVE = Channel.EMAIL.value, Channel.ARCHIVE.value
_CONSENT_WARNING_PERIOD = timedelta(days=14)
_NAMELESS = (Identity.PSEUDONYM, Identity.ANONYMOUS)


def make_consent_record(story: Story) -> ConsentRecord:
    """Return the consent details in the story's row.

    A translation has the consent of its original, unless the translation needs a consent of its own. If
    the original was withdrawn or is gone, so is the translation.
    """
    if story.translation_of is not None:
        own_record, original = _make_own_record(story), make_consent_record(story.translation_of)
        consent = (
            own_record
            if own_record.needed
            else replace(original, embargo_until=own_record.embargo_until or original.embargo_until)
        )
        return replace(
            consent,
            withdrawn=own_record.withdrawn or original.withdrawn,
            gone=own_record.gone if own_record.gone else original.gone,
        )
    return _make_own_record(story)


def _make_own_record(story: Story) -> ConsentRecord:
    return ConsentRecord(
        needed=story.consent_needed or story.about_minor,
        channels=tuple(sorted(story.consent_channels)),
        identity=story.consent_identity,
        given_by=story.consent_given_by,
        given_on=story.consent_given_on,
        expires_on=story.consent_expires_on,
        form_holder=bool(story.consent_form_holder),
        minor=story.about_minor,
        embargo_until=story.embargo_until,
        withdrawn=story.withdrawn_at is not None,
        gone=story.gone_code if story.gone_at is not None else None,
    )


def find_display_restriction(
    consent: ConsentRecord, *, channel: str, at: datetime, required: bool = False
) -> Message | None:
    """Return why the story may not be shown, as text that follows “the story”, or None if it may.

    ``required``: the publication shows only stories with a consent, even if a story needs none.
    """
    if consent.withdrawn:
        return Message("was withdrawn")
    if consent.gone:
        return Message("is gone: %(why_gone)s", why_gone=WHY_GONE[consent.gone])
    if consent.embargo_until and at < consent.embargo_until:
        return Message("is under embargo until %(until)s UTC", until=consent.embargo_until)
    if not (consent.needed or required):
        return None
    return (
        _find_missing_detail(consent)
        or _find_date_restriction(consent, at=at)
        or _find_scope_restriction(consent, channel=channel)
    )


def _find_missing_detail(consent: ConsentRecord) -> Message | None:
    details = (
        (consent.given_by, Message("who agreed")),
        (consent.given_on, Message("when they agreed")),
        (consent.form_holder, Message("who holds the signed form")),
    )
    missing = [label for value, label in details if not value]
    if len(missing) == len(details):
        return Message("has no recorded consent")
    if missing:
        listed = missing[0] if len(missing) == 1 else Message("%(one)s and %(other)s", one=missing[0], other=missing[1])
        return Message("has a consent that is not complete: %(missing)s is missing", missing=listed)
    return None


def _find_date_restriction(consent: ConsentRecord, *, at: datetime) -> Message | None:
    if consent.given_on and at.date() < consent.given_on:
        return Message("has a consent that begins only on %(given)s", given=consent.given_on)
    if consent.expires_on and at.date() > consent.expires_on:
        return Message("has a consent that ran out on %(date)s", date=consent.expires_on)
    return None


def _find_scope_restriction(consent: ConsentRecord, *, channel: str) -> Message | None:
    if channel not in consent.channels:
        return Message(
            "has a consent that does not cover this channel (%(label)s)", label=Channel(channel).label.lower()
        )
    if consent.minor and consent.given_by != ConsentGiver.GUARDIAN:
        return Message("is about a person under 18, and no parent or guardian agreed")
    if consent.minor and consent.identity not in _NAMELESS:
        return Message("is about a person under 18, who must be shown by a pseudonym or not be named at all")
    return None


def check_stories(content: IssueContent) -> Iterator[Finding]:
    """Yield the problems of the stories at the time at which the issue is due."""
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
    restrictions = {
        (story.id, story.title): Message("“%(title)s” %(reason)s", title=story.title, reason=reason)
        for story, reason in reasons
        if reason
    }
    return list(restrictions.values())


def require_unrestricted_stories(content: IssueContent, *, at: datetime) -> None:
    """Raise NotReady if a story may not be mailed at that time. The approval may be older than a change."""
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
