"""Choose the stories of a reader by the cases that they follow and by their topics. No database.

Readers differ only in which of an issue's stories have one of their topics. The number that says so has a bit for each
story that has topics, in the order of the issue.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from newsletter.issues.snapshot.records.blocks import (
    Block,
    LeadStoryBlock,
    StoriesBlock,
    is_filled_by_rule,
    list_stories,
)
from newsletter.issues.snapshot.records.content import MAX_STORIES, IssueContent
from newsletter.issues.snapshot.records.stories import CaseRecord, StoryRecord

OFF, ONLY, FIRST = "off", "only", "first"
NOTHING_CHOSEN = -1
"""The number of readers who chose no topic that counts. They get every story, in the order of the issue."""


@dataclass(frozen=True)
class StoryChoice:
    """The stories that readers must not see, and the ids of all the others in the order to show, if it is another one."""

    hidden: tuple[int, ...] = ()
    order: tuple[int, ...] = ()


def list_topic_stories(content: IssueContent) -> list[StoryRecord]:
    """Return the stories that topics decide about: those with topics that count, without a lead story that is for everybody."""
    if content.publication.interests == OFF or content.issue.is_correction or content.issue.is_welcome:
        return []
    stories = list_movable_stories(content)
    stories = stories[1:] if content.publication.pinned_lead else stories
    return [story for story in stories if find_counting_topics(content, topics=story.topic_ids)][:MAX_STORIES]


def find_counting_topics(content: IssueContent, *, topics: Collection[int]) -> frozenset[int]:
    """Return those of the topics that readers of the publication are asked about: its own, or all if it has none."""
    topics_of_publication = content.publication.topic_ids
    return frozenset(topics).intersection(topics_of_publication) if topics_of_publication else frozenset(topics)


def list_movable_stories(content: IssueContent) -> list[StoryRecord]:
    """Return the stories in blocks for everybody. Those in a block for some readers, or that a rule fills, stay in it."""
    return [story for block in content.blocks if not _keeps_stories(block) for story in list_stories(block)]


def _keeps_stories(block: Block) -> bool:
    return bool(block.shown_to) or is_filled_by_rule(block)


def find_limited_stories(content: IssueContent, *, closed: Collection[str]) -> set[int]:
    """Return the ids of the stories in blocks for some readers only that are not ``closed`` to these readers."""
    blocks = (block for block in content.blocks if block.shown_to and block.key not in closed)
    return {story.id for block in blocks for story in list_stories(block)}


def number_interests(content: IssueContent, *, topics: Collection[int]) -> int:
    """Return the number of a reader who chose these topics."""
    counting = find_counting_topics(content, topics=topics)
    if not counting:
        return NOTHING_CHOSEN
    matches = (not topics_of.isdisjoint(counting) for topics_of in list_story_topics(content))
    return sum(1 << bit for bit, does_match in enumerate(matches) if does_match)


def list_story_topics(content: IssueContent) -> list[frozenset[int]]:
    """Return the ids of the counting topics of each story that topics decide about, in the order of the bits."""
    stories = list_topic_stories(content)
    return [find_counting_topics(content, topics=story.topic_ids) for story in stories]


def list_cases(content: IssueContent) -> list[CaseRecord]:
    """Return the cases that the content's stories belong to, in their order."""
    return list({story.case.id: story.case for story in content.stories if story.case}.values())


class StoryChooser:
    """Choose the stories of one content for readers."""

    def __init__(self, content: IssueContent) -> None:
        self._hides_others = content.publication.interests == ONLY
        self._with_topics = list_topic_stories(content)
        movable = list_movable_stories(content)
        self._usual = [story.id for story in movable]
        self._pinned = self._usual[:1] if content.publication.pinned_lead else []
        self._cases = {story.id: story.case.id for story in movable if story.case}

    def choose(self, *, interests: int, followed: Collection[int] = (), simplified: bool = False) -> StoryChoice:
        """Return the stories for readers with this number who follow these cases.

        Stories of the cases that they follow come first, then stories of their topics. If ``simplified``, only the first of
        these moves to the front.
        """
        with_topics = self._with_topics if interests != NOTHING_CHOSEN else []
        matching = [story.id for bit, story in enumerate(with_topics) if interests >> bit & 1]
        of_cases = [story for story, case in self._cases.items() if case in followed]
        if self._hides_others and not simplified:
            hidden = {story.id for story in with_topics} - set(matching) - set(of_cases)
            return StoryChoice(hidden=tuple(sorted(hidden)), order=self._make_order(of_cases))
        first = [*of_cases, *matching]
        return StoryChoice(order=self._make_order(first[:1] if simplified else first))

    def _make_order(self, first: Sequence[int]) -> tuple[int, ...]:
        """Return the ids of all movable stories with these first, or () if that is the order of the issue."""
        ahead = dict.fromkeys([*self._pinned, *first])
        order = [*ahead, *(story_id for story_id in self._usual if story_id not in ahead)]
        return () if order == self._usual else tuple(order)


def reorder_stories(content: IssueContent, *, order: Sequence[int]) -> IssueContent:
    """Return the content with its stories in this order. Each block keeps its number of stories."""
    if not order:
        return content
    by_id = {story.id: story for story in list_movable_stories(content)}
    leads = {block.story.id for block in content.blocks if isinstance(block, LeadStoryBlock)}
    places = iter([by_id[story_id] for story_id in order if story_id in by_id])

    def place(block: Block) -> Block:
        match block:
            case LeadStoryBlock() | StoriesBlock() if _keeps_stories(block):
                return block
            case LeadStoryBlock():
                return replace(block, story=_fit_picture(next(places), leads, to_lead=True))
            case StoriesBlock():
                moved = tuple(_fit_picture(next(places), leads, to_lead=False) for _ in block.stories)
                return replace(block, stories=moved)
            case _:
                return block

    return replace(content, blocks=tuple(place(block) for block in content.blocks))


def _fit_picture(story: StoryRecord, leads: set[int], *, to_lead: bool) -> StoryRecord:
    """Return the story with the picture in the format of its new block."""
    if (story.id in leads) == to_lead:
        return story
    return replace(story, picture=story.other_picture, other_picture=story.picture)
