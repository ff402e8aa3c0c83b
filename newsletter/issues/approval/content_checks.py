"""Checks of an issue that no template can make: what will be over by the time readers get it, and names that need a note.

Pure reading of the resolved content, beside what rendering checks in each mail. An error keeps an issue from being approved.
"""

from collections.abc import Iterator
from datetime import datetime

from newsletter.common.messages import Message
from newsletter.content.parsing.html import plain_text
from newsletter.content.parsing.pseudonyms import ANY_NAME, list_notes_for
from newsletter.issues.snapshot.records.blocks import NoteBlock, QuoteBlock, list_events
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.rendering.lint.findings import Finding

MAX_TITLE_LENGTH = 60

Pseudonyms = dict[int, list[list[str]]]


def check_content(content: IssueContent, *, pseudonyms: Pseudonyms, now: datetime) -> list[Finding]:
    """What is wrong with the issue whoever reads it, errors first. ``pseudonyms`` are those of its stories, by id."""
    delivered_at = max(content.issue.due_at, now)
    findings = [*check_events(content, delivered_at=delivered_at), *_check_names(content, pseudonyms)]
    return sorted(findings, key=lambda finding: finding.level)


def check_events(content: IssueContent, *, delivered_at: datetime) -> Iterator[Finding]:
    """Events that are over, have begun or were cancelled when readers get the mail; what a correction says and is no more."""
    if content.issue.is_correction:
        yield from _check_announced(content)
        return
    for block in content.blocks:
        for event in list_events(block):
            title = _shorten_title(event.title)
            if event.cancelled:
                message = Message(
                    "The event “%(title)s” was cancelled. It is shown to nobody: take it out.", title=title
                )
                yield Finding("warning", "event-cancelled", message, block=block.key, field="events")
            elif event.over_at <= delivered_at:
                message = Message("The event “%(title)s” will be over when readers get this. Take it out.", title=title)
                yield Finding("error", "event-past", message, block=block.key, field="events")
            elif event.starts_at <= delivered_at and not event.all_day:
                message = Message(
                    "The event “%(title)s” will have begun when readers get this. Look whether it still helps them.",
                    title=title,
                )
                yield Finding("warning", "event-begun", message, block=block.key, field="events")


def _check_announced(content: IssueContent) -> Iterator[Finding]:
    announced = content.issue.announces
    if announced and announced.event.fingerprint() != announced.fingerprint:
        title = _shorten_title(announced.event.title)
        message = Message(
            "The event “%(title)s” changed again: what this says no longer holds. Announce the change anew, "
            "from the event.",
            title=title,
        )
        yield Finding("error", "event-overtaken", message)


def _check_names(content: IssueContent, pseudonyms: Pseudonyms) -> Iterator[Finding]:
    """A changed name in staff's own words of a note or a quote, without the note that must stand wherever it does."""
    pairs = tuple((str(name), str(note)) for story in pseudonyms.values() for name, note in story if name != ANY_NAME)
    for block in content.blocks if pairs else ():
        if isinstance(block, NoteBlock):
            text = kept = f"{block.heading}\n{plain_text(block.html)}"
        elif isinstance(block, QuoteBlock):
            text = f"{block.text}\n{block.who}"
            kept = "\n".join([text, *block.notes])
        else:
            continue
        for name, note in pairs:
            if note not in kept and list_notes_for(text, ((name, note),)):
                message = Message(
                    "“%(name)s” is a changed name, and its note does not stand beside it here. Add “%(note)s”.",
                    name=name,
                    note=_shorten_title(note),
                )
                yield Finding("warning", "pseudonym", message, block=block.key, field="text")


def _shorten_title(text: str) -> str:
    return text if len(text) <= MAX_TITLE_LENGTH else text[: MAX_TITLE_LENGTH - 1] + "…"
