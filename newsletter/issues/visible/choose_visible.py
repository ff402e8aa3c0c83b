"""Choose the stories, events, appeal and blocks of an issue that a group of readers sees. No database."""

from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from newsletter.common.messages import Message
from newsletter.issues.snapshot.records.blocks import (
    AppealsBlock,
    DividerBlock,
    EventCardBlock,
    EventsBlock,
    LeadStoryBlock,
    StoriesBlock,
    list_appeals,
    list_stories,
)
from newsletter.issues.snapshot.records.content import MAX_CASES, MAX_RULE_SETS, MAX_STORIES, IssueContent
from newsletter.issues.snapshot.records.stories import CaseRecord
from newsletter.issues.snapshot.show_rules import describe_rules, list_rule_sets
from newsletter.issues.visible.block_choices import choose_appeals, choose_block_events
from newsletter.issues.visible.interests import NOTHING_CHOSEN, StoryChooser, find_limited_stories, list_cases
from newsletter.issues.visible.nearby_events import EventSelection, RecipientLocation, is_possibly_in
from newsletter.issues.visible.visible_content import (
    HAD_THE_STORIES,
    NO_BLOCK_FOR_THEM,
    NO_EVENT_NEAR,
    NO_STORY_IN_THEIR_REGION,
    NO_STORY_OF_TOPICS,
    ONLY_EVENTS,
    Fallback,
    VisibleContent,
)

NO_RULE_MET = 0
_NO_GIVING_STATUS = ""
_UNKNOWN_LOCATION = RecipientLocation()
_EventsId = tuple[tuple[str, str, tuple[int, ...], tuple[int, ...], tuple[int, ...]], ...]
_AppealsId = tuple[tuple[str, int], ...]


class ReaderTraits(NamedTuple):
    """The traits of a reader in an issue. ``radius_km`` 0 means the publication's own; ``frequency`` is the reader's choice.

    ``interests`` is that of `StoryChooser`. ``seen`` has a bit for each story that the reader got in another issue,
    ``rules`` for each of the `list_rule_sets` that they meet, then for each of the `list_cases` that they follow.
    """

    location: RecipientLocation
    giving: str
    radius_km: int = 0
    frequency: str = "every"
    interests: int = NOTHING_CHOSEN
    seen: int = 0
    rules: int = NO_RULE_MET


class VersionId(NamedTuple):
    """The identity of a version of one content: readers with the same one get the same mail.

    ``hidden`` has a bit for each story of the content, ``follows`` for each case. The others are those of `VisibleContent`.
    """

    events: _EventsId
    appeals: _AppealsId
    hidden: int
    order: tuple[int, ...]
    closed: frozenset[str]
    follows: int
    only_events: bool
    arm: int
    empty_reason: str


class VisibilityChooser:
    """Choose the parts of one content that readers see. It keeps each choice, because many groups of readers share it."""

    def __init__(self, content: IssueContent) -> None:
        self._content = content
        self._is_for_everybody = content.issue.is_correction or content.issue.is_welcome
        self._titles = {story.id: story.title for story in content.stories}
        self._bits = {story: 1 << bit for bit, story in enumerate(self._titles)}
        self._rule_sets = list_rule_sets(content)[:MAX_RULE_SETS]
        self._cases = list_cases(content)[:MAX_CASES]
        self._selections: dict[_EventsId, dict[str, EventSelection]] = {}
        self._events = cache(self._choose_events)
        self._appeals = cache(self._choose_appeals)
        self._restricted = cache(self._find_restricted)
        self._repeated = cache(lambda seen: self._sum_bits(list_repeated(content, seen=seen)))
        self._story_chooser = StoryChooser(content)
        self._stories = cache(self._choose_stories)
        self._closed = cache(self._find_closed)
        self._alternatives = cache(self._close_alternatives)
        self._open_stories = cache(self._find_open_stories)
        self._limited_stories = cache(self._find_limited_stories)
        self._visible = cache(self._make_visible)

    def choose(self, reader: ReaderTraits) -> VisibleContent:
        """Return the parts that a reader without a fallback and without a test sees."""
        return self.get_visible(self.identify(reader, fallback=Fallback.NONE, arm=0))

    def get_visible(self, version: VersionId) -> VisibleContent:
        """Return the parts that readers with this version see."""
        return self._visible(version)

    def identify(self, reader: ReaderTraits, *, fallback: Fallback, arm: int) -> VersionId:
        """Return the version of a reader, as `choose` does, but without making it: a large audience has many readers."""
        location, giving, radius_km, frequency, interests, seen, rules = reader
        only_events = frequency == ONLY_EVENTS and not self._is_for_everybody
        everywhere = fallback >= Fallback.FOR_ALL
        if everywhere:
            location, giving, radius_km, rules = _UNKNOWN_LOCATION, _NO_GIVING_STATUS, 0, NO_RULE_MET
        follows = 0 if fallback >= Fallback.IN_ORDER else rules >> len(self._rule_sets)
        closed = self._closed(rules)
        events = self._events(location, radius_km, only_events, closed, everywhere)
        has_events = any(ids for _block, _kind, ids, _close, _abroad in events)
        if only_events:
            return VersionId(events, (), 0, (), closed, 0, True, 0, "" if has_events else NO_EVENT_NEAR)
        simplified = fallback >= Fallback.FIRST
        if fallback >= Fallback.IN_ORDER:
            interests = NOTHING_CHOSEN
        off_topic, order = self._stories(interests, follows, simplified)
        off_topic &= ~self._limited_stories(closed)
        repeated = self._repeated(seen)
        restricted = self._restricted(location)
        closed, spare, had_all = self._alternatives(closed, restricted | repeated, repeated)
        hidden = restricted | (repeated | off_topic) & ~spare
        if fallback >= Fallback.ONE_STORY:
            hidden = self._hide_all_but_one(hidden)
        appeals = self._appeals(giving, closed)
        if had_all:
            reason = HAD_THE_STORIES
        elif has_events or self._has_open_card(closed):
            reason = ""
        else:
            reason = self._find_empty_reason(closed, appeals, hidden, repeated, off_topic)
        return VersionId(events, appeals, hidden, order, closed, 0 if simplified else follows, False, arm, reason)

    def _make_visible(self, version: VersionId) -> VisibleContent:
        content = self._content
        language, translated = content.publication.language, bool(content.translated_from)
        events, closed = self._selections[version.events], tuple(sorted(version.closed))
        if version.only_events:
            return VisibleContent(
                language=language, events=events, appeals={}, closed=closed, only_events=True, translated=translated
            )
        hidden = {story for story, bit in self._bits.items() if version.hidden & bit}
        appeals = {appeal.id: appeal for block in content.blocks for appeal in list_appeals(block)}
        return VisibleContent(
            language=language,
            events=events,
            appeals={block: appeals.get(appeal) for block, appeal in version.appeals},
            hidden=tuple(sorted(hidden)),
            order=version.order,
            lead_title=next((self._titles[story] for story in version.order if story not in hidden), ""),
            closed=closed,
            met=self._list_met(version.closed) if self._rule_sets else None,
            followed=self._list_followed(version.follows),
            unwanted=version.empty_reason,
            translated=translated,
            arm=version.arm,
        )

    def _list_met(self, closed: frozenset[str]) -> tuple[Message, ...]:
        met = [block.shown_to for block in self._content.blocks if block.shown_to and block.key not in closed]
        return tuple(describe_rules(rule_set) for rule_set in self._rule_sets if rule_set in met)

    def _find_closed(self, rules: int) -> frozenset[str]:
        met = [rule_set for bit, rule_set in enumerate(self._rule_sets) if rules >> bit & 1]
        return frozenset(block.key for block in self._content.blocks if block.shown_to and block.shown_to not in met)

    def _close_alternatives(
        self, closed: frozenset[str], hidden: int, repeated: int
    ) -> tuple[frozenset[str], int, bool]:
        """Keep only the first of alternative blocks whose story is visible.

        Return the closed blocks, the bits of the stories of these, and True if readers had each story that they need one of.
        """
        choices: defaultdict[str, list[LeadStoryBlock]] = defaultdict(list)
        for block in self._content.blocks:
            if isinstance(block, LeadStoryBlock) and block.by_rule and block.key not in closed:
                choices[block.instead_of or block.key].append(block)
        spare, had_all = 0, False
        for blocks in choices.values():
            left = [block for block in blocks if not self._bits[block.story.id] & hidden]
            not_shown = [block for block in blocks if block not in left[:1]]
            closed |= {block.key for block in not_shown}
            spare |= self._sum_bits(block.story.id for block in not_shown)
            had_all |= not left and blocks[0].needed and bool(spare & repeated)
        return closed, spare, had_all

    def _choose_events(
        self, location: RecipientLocation, radius_km: int, only_near: bool, closed: frozenset[str], everywhere: bool
    ) -> _EventsId:
        radius = radius_km or self._content.publication.radius_km
        chosen = {
            block.key: choose_block_events(
                self._content,
                block,
                location=None if everywhere else location,
                radius_km=radius,
                only_near=only_near,
            )
            for block in self._content.blocks
            if isinstance(block, EventsBlock) and block.key not in closed
        }
        events = tuple(
            (block, selection.kind, tuple(event.id for event in selection.events), selection.close, selection.abroad)
            for block, selection in chosen.items()
        )
        self._selections.setdefault(events, chosen)
        return events

    def _choose_appeals(self, giving: str, closed: frozenset[str]) -> _AppealsId:
        """Return the id of the appeal of each open block, 0 if it has none for them."""
        chosen = choose_appeals(self._content, giving)
        return tuple((block, appeal.id if appeal else 0) for block, appeal in chosen.items() if block not in closed)

    def _list_followed(self, follows: int) -> tuple[CaseRecord, ...]:
        return tuple(case for bit, case in enumerate(self._cases) if follows >> bit & 1)

    def _choose_stories(self, interests: int, follows: int, simplified: bool) -> tuple[int, tuple[int, ...]]:
        followed = [case.id for case in self._list_followed(follows)]
        chosen = self._story_chooser.choose(interests=interests, followed=followed, simplified=simplified)
        return self._sum_bits(chosen.hidden), chosen.order

    def _find_restricted(self, location: RecipientLocation) -> int:
        stories = self._content.stories
        return self._sum_bits(story.id for story in stories if is_possibly_in(location, story.excluded_regions))

    def _hide_all_but_one(self, hidden: int) -> int:
        """Return the bits of all stories but the first, in the order of the issue, that is not hidden."""
        everything = self._sum_bits(self._bits)
        blocks = (block for block in self._content.blocks if not block.shown_to)
        story_bits = (self._bits[story.id] for block in blocks for story in list_stories(block))
        return everything & ~next((bit for bit in story_bits if not hidden & bit), 0)

    def _find_open_stories(self, closed: frozenset[str]) -> int:
        blocks = (block for block in self._content.blocks if block.key not in closed)
        return self._sum_bits(story.id for block in blocks for story in list_stories(block))

    def _find_limited_stories(self, closed: frozenset[str]) -> int:
        """Return the bits of the stories in open blocks for some readers: topics leave none of them out."""
        return self._sum_bits(find_limited_stories(self._content, closed=closed))

    def _has_open_card(self, closed: frozenset[str]) -> bool:
        return any(isinstance(block, EventCardBlock) and block.key not in closed for block in self._content.blocks)

    def _find_empty_reason(
        self, closed: frozenset[str], appeals: _AppealsId, hidden: int, repeated: int, off_topic: int
    ) -> str:
        """Return the code of why readers without an event get no mail: it has no story or no other block for them."""
        stories = self._open_stories(closed)
        has_story, unwanted = stories & ~hidden, stories & (repeated | off_topic)
        if not has_story and unwanted and not self._content.issue.is_welcome:
            return HAD_THE_STORIES if repeated else NO_STORY_OF_TOPICS
        has_appeal = {block for block, appeal in appeals if appeal}
        left = (
            block.key in has_appeal
            if isinstance(block, AppealsBlock)
            else any(not hidden & self._bits[story.id] for story in list_stories(block))
            if isinstance(block, LeadStoryBlock | StoriesBlock)
            else not isinstance(block, EventsBlock | DividerBlock)
            for block in self._content.blocks
            if block.key not in closed
        )
        if any(left):
            return ""
        if stories:
            return HAD_THE_STORIES if unwanted else NO_STORY_IN_THEIR_REGION
        return NO_BLOCK_FOR_THEM if closed else ""

    def _sum_bits(self, stories: Iterable[int]) -> int:
        return sum(self._bits[story] for story in set(stories))


def list_repeated(content: IssueContent, *, seen: int) -> set[int]:
    """Return the ids of the stories that readers with this number got in another issue."""
    if not seen:
        return set()
    return {story.id for bit, story in enumerate(content.stories[:MAX_STORIES]) if seen >> bit & 1}
