"""Checks of an issue beyond those of its mails: past events, changed names without their note, personal fields without a value.

They only read. An error keeps an issue from being approved.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import product

from django.utils.text import Truncator

from newsletter.common.messages import Message
from newsletter.common.personal_tokens import TOKEN_PREFIX
from newsletter.content.parsing.markup import plain_text
from newsletter.content.parsing.pseudonyms import ANY_NAME, list_notes_for
from newsletter.issues.checks.issue_check import CheckedIssue, IssueCheck
from newsletter.issues.snapshot.records.blocks import EventsBlock, NoteBlock, QuoteBlock, list_events
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.visible.block_choices import shows_events
from newsletter.models import Story, Variant
from newsletter.rendering.errors import RenderingError
from newsletter.rendering.lint.findings import Finding
from newsletter.rendering.mail import split
from newsletter.rendering.merge import FIELDS
from newsletter.rendering.personal_values import values_for
from newsletter.rendering.tokens import Variable

MAX_TITLE_LENGTH = 60

_ODD_CHARACTERS = "\"'<&>\u202e{{ x }}%recipient.x%\r\nBcc: x@example.org\x00\U0001f600\u0301"
ODD_VALUE = (_ODD_CHARACTERS * 8)[:200]
_LINK = "https://example.org/link?a=1&b=2"


class EventsAndNames(IssueCheck):
    """Past events, and changed names without their notes."""

    interface = 1

    def check(self, issue: CheckedIssue) -> list[Finding]:
        """Return the findings about the content, errors first."""
        findings = [
            *check_events(issue.content, delivered_at=issue.delivered_at),
            *_check_names(issue.content, issue.pseudonyms),
        ]
        return sorted(findings, key=lambda finding: finding.level)


def describe_checked(content: IssueContent, *, now: datetime) -> CheckedIssue:
    """Return the facts that checks may read: the content, and its stories as their sources have them."""
    rows = Story.objects.filter(pk__in=[story.id for story in content.stories])
    rows = rows.only("title", "teaser", "body_html", "pseudonyms")
    return CheckedIssue(
        content=content,
        now=now,
        pseudonyms={story.pk: story.pseudonyms for story in rows},
        sources={story.pk: "\n".join([story.title, story.teaser, plain_text(story.body_html)]) for story in rows},
    )


def check_events(content: IssueContent, *, delivered_at: datetime) -> Iterator[Finding]:
    """Find events that are over, have begun or are cancelled on delivery, and corrections that are out of date."""
    if content.issue.is_correction:
        yield from _check_announced(content, delivered_at=delivered_at)
        return
    for block in content.blocks:
        if isinstance(block, EventsBlock) and not shows_events(content):
            message = Message(
                "The publication shows no events, so nobody sees this block. Remove it, show an event in full, or raise the "
                "maximum of events in the publication.",
            )
            yield Finding("warning", "events-off", message, block=block.key, field="events")
            continue
        for event in list_events(block):
            title = Truncator(event.title).chars(MAX_TITLE_LENGTH)
            if event.cancelled:
                message = Message(
                    "The event “%(title)s” was cancelled, so nobody sees it. Remove it from the issue.", title=title
                )
                yield Finding("warning", "event-cancelled", message, block=block.key, field="events")
            elif event.over_at <= delivered_at:
                message = Message(
                    "The event “%(title)s” will be over when people get this issue. Remove it.", title=title
                )
                yield Finding("error", "event-past", message, block=block.key, field="events")
            elif event.starts_at <= delivered_at and not event.all_day:
                message = Message(
                    "The event “%(title)s” will have begun when people get this issue. Check that it still helps them.",
                    title=title,
                )
                yield Finding("warning", "event-begun", message, block=block.key, field="events")


def check_events_by_last_hour(
    content: IssueContent, *, delivered_at: datetime, last_hour: datetime
) -> Iterator[Finding]:
    """Find events that are over before the last readers get the issue, if they get it by their own clock."""
    for block in content.blocks:
        for event in list_events(block):
            if not event.cancelled and delivered_at < event.over_at <= last_hour:
                message = Message(
                    "The event “%(title)s” will be over before the last people get this issue, by their own clock. Check that "
                    "it still helps them.",
                    title=Truncator(event.title).chars(MAX_TITLE_LENGTH),
                )
                yield Finding("warning", "event-past-later", message, block=block.key, field="events")


def _check_announced(content: IssueContent, *, delivered_at: datetime) -> Iterator[Finding]:
    announced = content.issue.announces
    title = Truncator(announced.event.title).chars(MAX_TITLE_LENGTH) if announced else ""
    if announced and announced.event.over_at <= delivered_at:
        # Only a warning: people may have read of a later day.
        message = Message(
            "The event “%(title)s” will be over when people get this correction. Check that it still helps them, or cancel "
            "the correction.",
            title=title,
        )
        yield Finding("warning", "event-past", message)
    if announced and announced.event.fingerprint() != announced.fingerprint:
        message = Message(
            "The event “%(title)s” changed again, so this correction is out of date. Announce the change again, "
            "from the event.",
            title=title,
        )
        yield Finding("error", "event-overtaken", message)


def _check_names(content: IssueContent, pseudonyms: Mapping[int, list[list[str]]]) -> Iterator[Finding]:
    """Find changed names in notes and quotes that lack the note that must accompany them."""
    pairs = tuple((str(name), str(note)) for story in pseudonyms.values() for name, note in story if name != ANY_NAME)
    for block in content.all_blocks if pairs else ():
        if isinstance(block, NoteBlock):
            text = with_notes = f"{block.heading}\n{plain_text(block.html)}"
        elif isinstance(block, QuoteBlock):
            text = f"{block.text}\n{block.who}"
            with_notes = "\n".join([text, *block.notes])
        else:
            continue
        for name, note in pairs:
            if note not in with_notes and list_notes_for(text, ((name, note),)):
                message = Message(
                    "“%(name)s” is a changed name, and its note is missing here. Add “%(note)s”.",
                    name=name,
                    note=Truncator(note).chars(MAX_TITLE_LENGTH),
                )
                yield Finding("warning", "pseudonym", message, block=block.key, field="text")


def find_merge_field_error(variant: Variant) -> str:
    """Return why the variant's mail cannot be made for some recipient, as a sentence; "" if it can for all.

    Each field of a recipient is tested with a blank, an ordinary and the oddest value that the database can store.
    """
    variables = tuple(Variable(**data) for data in variant.variables)
    parts = {"subject": split(variant.subject), "HTML": split(variant.html), "text": split(variant.text)}
    for fields in _iter_field_values({variable.field for variable in variables}):
        try:
            values = values_for(variables=variables, fields=fields)
            filled = {part: fragments.join(values) for part, fragments in parts.items()}
        except RenderingError as error:
            return error.message
        except KeyError as error:
            return Message("Its personal field %(error)s has no value. Remove it from the issue.", error=error)
        left = [part for part, text in filled.items() if TOKEN_PREFIX in text]
        if left:
            return Message("A personal field has no value: %(left)s. Remove it from the issue.", left=", ".join(left))
    return ""


def _iter_field_values(used: set[str]) -> Iterator[Mapping[str, str]]:
    """Yield values for the fields that the mail uses, in every combination of blank, ordinary and odd. Links are always set."""
    personal = sorted(used.intersection(FIELDS))
    links = dict.fromkeys(used - set(FIELDS), _LINK)
    choices: list[tuple[str, ...]] = [("", "Amina", ODD_VALUE)] * len(personal)
    for values in product(*choices):
        yield {**links, **dict(zip(personal, values, strict=True))}
