"""The part of an issue that one group of readers sees, and the content as they get it. No database.

Groups that see the same have the same key, and so share one variant. A group that sees nothing gets no mail.
"""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import date
from enum import IntEnum
from functools import cached_property

import orjson
from pydantic import JsonValue

from newsletter.common.messages import Message
from newsletter.common.text import escape_merge_fields, shorten
from newsletter.issues.snapshot.drafted_subjects import join_headlines
from newsletter.issues.snapshot.records.blocks import (
    EventCardBlock,
    EventsBlock,
)
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.events import AppealRecord
from newsletter.issues.snapshot.records.stories import CaseRecord
from newsletter.issues.snapshot.redact import list_other_headlines, remove_blocks, remove_stories
from newsletter.issues.visible.interests import (
    reorder_stories,
)
from newsletter.issues.visible.nearby_events import (
    EventSelection,
)

ONLY_EVENTS = "events"
NO_EVENT_NEAR = "no_event_near"
NO_STORY_OF_TOPICS = "no_story_of_topics"
HAD_THE_STORIES = "had_the_stories"
NO_BLOCK_FOR_THEM = "no_block_for_them"
NO_STORY_IN_THEIR_REGION = "no_story_in_their_region"


@dataclass(frozen=True)
class VisibleContent:
    """The choice for each block that varies, by the block's key. Readers must not see the stories ``hidden``.

    ``language`` is that of their mail; ``translated`` says that it is not the publication's own. ``order``
    are the ids of the stories in the order to show, if it is not the order of the issue; ``lead_title`` is the first one's.
    ``closed`` are the keys of the blocks that are not for them, ``met`` the rules of those that are, in words; None if the
    issue has no such block. ``followed`` are the cases that they follow. ``unwanted`` is the code of why their mail has
    nothing for them, or "". ``only_events``: these readers asked for nothing but events near them. ``sent_on`` is the day on
    which the issue is sent, if that is not the day on which it is due.
    """

    language: str
    events: dict[str, EventSelection]
    appeals: dict[str, AppealRecord | None]
    hidden: tuple[int, ...] = ()
    order: tuple[int, ...] = ()
    lead_title: str = ""
    closed: tuple[str, ...] = ()
    met: tuple[Message, ...] | None = None
    followed: tuple[CaseRecord, ...] = ()
    unwanted: str = ""
    only_events: bool = False
    sent_on: date | None = None
    translated: bool = False
    arm: int = 0

    @cached_property
    def key(self) -> str:
        """The name of the variant that these readers get."""
        chosen: dict[str, JsonValue] = {
            "language": self.language,
            "events": {
                block: [chosen.kind, [event.id for event in chosen.events]] for block, chosen in self.events.items()
            },
            "appeals": {block: appeal.id if appeal else None for block, appeal in self.appeals.items()},
        }
        close: dict[str, JsonValue] = {
            block: list(chosen.close) for block, chosen in self.events.items() if chosen.close
        }
        if close:
            chosen["close"] = close
        abroad: dict[str, JsonValue] = {
            block: list(selected.abroad) for block, selected in self.events.items() if selected.abroad
        }
        if abroad:
            chosen["abroad"] = abroad
        if self.hidden:
            chosen["hidden"] = list(self.hidden)
        if self.order:
            chosen["order"] = list(self.order)
        if self.closed:
            chosen["closed"] = list(self.closed)
        if self.followed:
            chosen["followed"] = [case.id for case in self.followed]
        if self.only_events:
            chosen["only"] = ONLY_EVENTS
        if self.sent_on:
            chosen["sent_on"] = self.sent_on.isoformat()
        if self.arm:
            chosen["arm"] = self.arm
        return hashlib.sha256(orjson.dumps(chosen, option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]

    @property
    def is_empty(self) -> bool:
        """Return True if these readers get no mail: it has nothing for them."""
        return bool(self.empty_reason)

    @property
    def empty_reason(self) -> str:
        """The code of why these readers get no mail, or ""."""
        return NO_EVENT_NEAR if self.only_events and not self.has_events else self.unwanted

    @property
    def has_events(self) -> bool:
        return any(chosen.events for chosen in self.events.values())


def filter_visible(content: IssueContent, *, visible: VisibleContent, only_events_subject: str) -> IssueContent:
    """Return the content as these readers get it: without hidden stories and closed blocks, or only the events.

    A preheader that names an event that is not in their mail is replaced by their headlines.
    """
    whole = content
    content = remove_blocks(reorder_stories(content, order=visible.order), keys=visible.closed)
    if not visible.only_events:
        content = remove_stories(content, stories=visible.hidden)
        if not _names_missing_event(content.preheader, whole=whole, visible_content=content, visible=visible):
            return content
        return replace(content, preheader=list_other_headlines(content) or _list_events(visible) or content.preheader)
    titles = [escape_merge_fields(event.title) for chosen in visible.events.values() for event in chosen.events]
    return replace(
        content,
        blocks=tuple(block for block in content.blocks if isinstance(block, EventsBlock)),
        subject=shorten(f"{only_events_subject}: {titles[0]}" if titles else only_events_subject, 150),
        preheader=join_headlines(titles[1:4]),
    )


def _list_events(visible: VisibleContent) -> str:
    events = [event for chosen in visible.events.values() for event in chosen.events]
    return join_headlines(event.title for event in events[:3])


def _names_missing_event(
    text: str, *, whole: IssueContent, visible_content: IssueContent, visible: VisibleContent
) -> bool:
    """Return True if the text has the whole title of an event that the mail lacks, outside the titles that it shows.

    A title of one word, such as “March”, may mean something else in a sentence by staff, so it does not count.
    """
    titles = {story.title for story in visible_content.stories}
    titles |= {event.title for chosen in visible.events.values() for event in chosen.events}
    titles |= {block.events[0].title for block in visible_content.blocks if isinstance(block, EventCardBlock)}
    missing = {event.title for event in whole.events if len(event.title.split()) > 1} - titles
    for title in sorted(titles, key=len, reverse=True):
        text = _match_title(title).sub("·", text)
    return any(_match_title(title).search(text) for title in missing)


def _match_title(title: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(escape_merge_fields(title))}(?!\w)")


def list_shown_ids(content: IssueContent, *, visible: VisibleContent) -> tuple[set[int], set[int]]:
    """Return the ids of the stories and of the events that a variant shows, with those of their translations."""
    events = {event.id for chosen in visible.events.values() for event in chosen.events}
    if visible.only_events:
        return set(), events
    content = remove_blocks(content, keys=visible.closed)
    cards = [block for block in content.blocks if isinstance(block, EventCardBlock)]
    stories_shown = [story for story in content.stories if story.id not in visible.hidden]
    stories = {story.id for story in stories_shown} | {
        story.translation_id for story in stories_shown if story.translation_id
    }
    return stories, events | {event.id for card in cards for event in card.events}


class Fallback(IntEnum):
    """The parts of a version that are given up, if too few people share it. Each value gives up more than those before it.

    ``FIRST``: all stories, with the first of their topics and cases at the top. ``IN_ORDER``: all stories in the order of the
    issue. ``FOR_ALL``: the events of all places, the appeal for everybody and the blocks for everybody. ``ONE_STORY``: of the
    stories, only the first that they did not have. ``LANGUAGE``: in the publication's own language.

    Hiding a story for safety, a story that they had already, and the day of the issue are never given up.
    """

    NONE = 0
    FIRST = 1
    IN_ORDER = 2
    FOR_ALL = 3
    ONE_STORY = 4
    LANGUAGE = 5
