"""Stories change places with their pictures: each block shows the format that its design needs."""

from dataclasses import replace

import pytest

from newsletter.issues.snapshot.records.blocks import LeadStoryBlock, StoriesBlock
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.fields import PictureRecord
from newsletter.issues.snapshot.records.stories import StoryRecord
from newsletter.issues.visible.interests import (
    MAX_STORIES,
    NOTHING_CHOSEN,
    StoryChooser,
    number_interests,
    reorder_stories,
)
from tests.support.content import make_content, make_story_record

WIDE, CARD = (PictureRecord(url=f"/m/{name}.jpg", width=600, height=300, alt="", weight=1) for name in ("wide", "card"))


def make_story(number: int, *topics: int, lead: bool = False) -> StoryRecord:
    pictures = (WIDE, CARD) if lead else (CARD, WIDE)
    return make_story_record(number, picture=pictures[0], other_picture=pictures[1], topic_ids=topics)


def make_interest_content(*stories: StoryRecord, interests: str, pinned_lead: bool = False) -> IssueContent:
    first, *others = stories
    content = make_content(
        LeadStoryBlock(key="lead", story=first), StoriesBlock(key="more", heading="", stories=tuple(others))
    )
    return replace(content, publication=replace(content.publication, interests=interests, pinned_lead=pinned_lead))


def test_a_story_that_becomes_the_lead_has_the_wide_picture() -> None:
    content = make_interest_content(make_story(1, 7, lead=True), make_story(2, 8), make_story(3, 9), interests="first")
    moved = reorder_stories(content, order=(3, 1, 2))
    lead, more = moved.blocks
    assert isinstance(lead, LeadStoryBlock)
    assert isinstance(more, StoriesBlock)
    assert (lead.story.id, lead.story.picture) == (3, WIDE)
    assert [(story.id, story.picture) for story in more.stories] == [(1, CARD), (2, CARD)]


@pytest.mark.parametrize(
    ("interests", "topics", "order", "hidden"),
    [
        ("first", {9}, (3, 1, 2, 4), ()),
        ("first", {8, 9}, (2, 3, 1, 4), ()),
        ("first", {7}, (), ()),
        ("first", {1}, (), ()),
        ("only", {9}, (), (1, 2)),
        ("only", {1}, (), (1, 2, 3)),
        ("only", set(), (), ()),
        ("off", {9}, (), ()),
    ],
)
def test_topics_choose_the_stories(interests, topics, order, hidden) -> None:  # type: ignore[no-untyped-def]
    stories = [make_story(1, 7, lead=True), make_story(2, 8), make_story(3, 9, 6), make_story(4)]
    content = make_interest_content(*stories, interests=interests)
    chosen = StoryChooser(content).choose(interests=number_interests(content, topics=topics))
    assert (chosen.order, chosen.hidden) == (order, hidden)


def test_a_pinned_lead_stays_first_and_is_never_hidden() -> None:
    stories = [make_story(1, 7, lead=True), make_story(2, 8), make_story(3, 9)]
    first = make_interest_content(*stories, interests="first", pinned_lead=True)
    assert StoryChooser(first).choose(interests=number_interests(first, topics={9})).order == (1, 3, 2)
    only = make_interest_content(*stories, interests="only", pinned_lead=True)
    assert StoryChooser(only).choose(interests=number_interests(only, topics={9})).hidden == (2,)


def test_a_simplified_choice_moves_one_story_to_the_top_and_hides_none() -> None:
    stories = [make_story(1, 7, lead=True), make_story(2, 8), make_story(3, 8), make_story(4, 9)]
    content = make_interest_content(*stories, interests="only")
    number = number_interests(content, topics={8, 9})
    chosen = StoryChooser(content).choose(interests=number, simplified=True)
    assert (chosen.order, chosen.hidden) == ((2, 1, 3, 4), ())


def test_a_reader_who_chose_nothing_has_a_number_of_their_own() -> None:
    content = make_interest_content(make_story(1, 7, lead=True), interests="only")
    assert number_interests(content, topics=set()) == NOTHING_CHOSEN
    assert number_interests(content, topics={1}) == 0


def test_the_number_of_a_reader_fits_into_64_bits() -> None:
    stories = [make_story(number, 7) for number in range(1, MAX_STORIES + 20)]
    content = make_interest_content(*stories, interests="only")
    assert number_interests(content, topics={7}) == 2**MAX_STORIES - 1
    assert StoryChooser(content).choose(interests=0).hidden == tuple(range(1, MAX_STORIES + 1))
