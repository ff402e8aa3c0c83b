"""However different readers are, an issue has no more versions than its limit, and nobody loses the mail."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.issues.snapshot.records.blocks import AppealsBlock, EventsBlock, NoteBlock, ShowRule, StoriesBlock
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.events import AppealRecord
from newsletter.issues.visible.choose_visible import ReaderTraits, VisibilityChooser, list_repeated
from newsletter.issues.visible.nearby_events import RecipientLocation, is_possibly_in
from newsletter.issues.visible.version_limit import Version, VersionLimit
from newsletter.issues.visible.visible_content import Fallback, VisibleContent
from tests.support.content import make_content, make_event_record, make_story_record

LANGUAGES = ("es", "fr", "de", "pt", "ar", "hi", "uk")
STORIES, PLACES = 6, 5
LEAST = STORIES + 2
"""With the last fallback, there is a version with each story, one without, and one for people who want only events."""
SETTINGS = settings(max_examples=150)


class Reader(NamedTuple):
    place: int = 0
    giving: str = "none"
    frequency: str = "every"
    interests: int = -1
    seen: int = 0
    rules: int = 0
    language: str = ""


readers = st.builds(
    Reader,
    place=st.integers(0, PLACES),
    giving=st.sampled_from(["none", "donor", "monthly"]),
    frequency=st.sampled_from(["every", "every", "events"]),
    interests=st.integers(-1, 2**STORIES - 1),
    seen=st.sampled_from([0, 0, 0, 1, 2, 5, 2**STORIES - 2, 2**STORIES - 1]),
    rules=st.integers(0, 3),
    language=st.sampled_from(("", *LANGUAGES)),
)
audiences = st.lists(st.tuples(readers, st.integers(1, 1000)), min_size=1, max_size=60, unique_by=lambda one: one[0])
many = st.lists(st.tuples(readers, st.integers(1, 9)), min_size=40, max_size=120, unique_by=lambda one: one[0])


def make_varied_content(*, interests: str = "only", events: bool = True) -> IssueContent:
    """Six stories with topics, one of them restricted; an event in each place; an appeal for donors; two limited notes."""
    stories = [make_story_record(number, topic_ids=(number,)) for number in range(1, STORIES + 1)]
    stories[1] = replace(stories[1], excluded_regions=("GB",))
    places = [
        make_event_record(id=number, latitude=50.0 + number, region=f"GB-{number}") for number in range(1, PLACES + 1)
    ]
    appeals = [AppealRecord(number, f"Give {who}", "", "", "", who) for number, who in enumerate(("donor", "all"), 1)]
    rules = [ShowRule("giving", who, who, {"giving": who}, {"giving": who}) for who in ("donor", "monthly")]
    content = make_content(
        StoriesBlock(key="stories", heading="", stories=tuple(stories)),
        EventsBlock(key="events", heading="", events=tuple(places) if events else ()),
        AppealsBlock(key="appeals", appeals=tuple(appeals)),
        *(NoteBlock(key=f"note{rule.value}", html="<p>Thanks</p>", heading="", shown_to=(rule,)) for rule in rules),
    )
    content = replace(content, publication=replace(content.publication, interests=interests))
    translated = [
        replace(content, publication=replace(content.publication, language=code), translated_from="en")
        for code in LANGUAGES
    ]
    return replace(content, versions=tuple(translated))


class Chooser:
    def __init__(self, content: IssueContent) -> None:
        self.content = content
        self._in_language = {code: VisibilityChooser(content.in_language(code)) for code in ("", *LANGUAGES)}

    def identify(self, reader: Reader, fallback: Fallback) -> Version:
        language = reader.language if fallback < Fallback.LANGUAGE else ""
        traits = ReaderTraits(
            locate(reader), reader.giving, 0, reader.frequency, reader.interests, reader.seen, reader.rules
        )
        version = self._in_language[language].identify(traits, fallback=fallback, arm=0)
        return Version(language, version)

    def choose(self, reader: Reader, fallback: Fallback) -> VisibleContent:
        version = self.identify(reader, fallback)
        return self._in_language[version.language].get_visible(version.content)

    def limit(self, audience: Sequence[tuple[Reader, int]], limit: int) -> list[tuple[Reader, Fallback]]:
        versions = VersionLimit(audience, identify=self.identify, limit=limit)
        return [(reader, versions.find_fallback(reader)) for reader, _people in audience]


def locate(reader: Reader) -> RecipientLocation:
    if not reader.place:
        return RecipientLocation()
    return RecipientLocation(
        country="GB" if reader.place < PLACES else "US",
        region=f"GB-{reader.place}",
        latitude=50.0 + reader.place,
        longitude=-1.5,
    )


@pytest.mark.long
@SETTINGS
@given(many, st.integers(LEAST, 40), st.sampled_from(["only", "first", "off"]), st.booleans())
def test_no_issue_has_more_versions_than_its_limit(audience, limit, interests, events):  # type: ignore[no-untyped-def]
    chooser = Chooser(make_varied_content(interests=interests, events=events))
    shown = [chooser.choose(reader, fallback) for reader, fallback in chooser.limit(audience, limit)]
    assert len({visible.key for visible in shown if not visible.is_empty}) <= limit


@SETTINGS
@given(audiences, st.integers(1, 60), st.booleans())
def test_nobody_loses_the_mail_to_the_limit(audience, limit, events):  # type: ignore[no-untyped-def]
    chooser = Chooser(make_varied_content(events=events))
    for reader, fallback in chooser.limit(audience, limit):
        own = chooser.choose(reader, Fallback.NONE)
        assert chooser.choose(reader, fallback).empty_reason == own.empty_reason


@SETTINGS
@given(audiences, st.integers(1, 60))
def test_the_limit_shows_no_story_again_and_none_that_is_restricted(audience, limit):  # type: ignore[no-untyped-def]
    chooser = Chooser(make_varied_content())
    content = chooser.content
    for reader, fallback in chooser.limit(audience, limit):
        visible = chooser.choose(reader, fallback)
        restricted = {one.id for one in content.stories if is_possibly_in(locate(reader), one.excluded_regions)}
        if not visible.only_events:
            assert {*list_repeated(content, seen=reader.seen), *restricted} <= set(visible.hidden)


@SETTINGS
@given(audiences)
def test_within_the_limit_everybody_keeps_their_own_version(audience):  # type: ignore[no-untyped-def]
    chooser = Chooser(make_varied_content())
    assert {fallback for _reader, fallback in chooser.limit(audience, len(audience))} == {Fallback.NONE}


def test_the_versions_with_the_fewest_people_are_merged() -> None:
    chooser = Chooser(make_varied_content())
    audience = [(Reader(interests=number), people) for number, people in ((1, 9), (5, 5), (9, 2), (17, 1), (-1, 1))]
    chosen = {reader.interests: fallback for reader, fallback in chooser.limit(audience, 3)}
    assert chosen == {
        1: Fallback.NONE,
        5: Fallback.NONE,
        9: Fallback.FIRST,
        17: Fallback.FIRST,
        -1: Fallback.NONE,
    }


def test_events_near_readers_are_kept_before_the_topics_of_rare_readers() -> None:
    chooser = Chooser(make_varied_content())
    audience = [(Reader(place=place, interests=number), 1) for place in (1, 2, 3) for number in range(2, 40)]
    fallbacks = {fallback for _reader, fallback in chooser.limit(audience, 8)}
    assert fallbacks <= {Fallback.NONE, Fallback.FIRST, Fallback.IN_ORDER}


def test_a_limit_below_the_languages_leaves_out_the_rarest_languages() -> None:
    chooser = Chooser(make_varied_content())
    audience = [(Reader(language=code), people) for people, code in enumerate(("uk", "ar", "es", ""), 1)]
    chosen = {reader.language: fallback for reader, fallback in chooser.limit(audience, 3)}
    assert chosen == {"": Fallback.NONE, "es": Fallback.NONE, "ar": Fallback.LANGUAGE, "uk": Fallback.LANGUAGE}


def test_people_who_had_all_stories_but_one_need_a_version_for_each() -> None:
    chooser = Chooser(make_varied_content())
    audience = [(Reader(seen=2**STORIES - 1 - bit, language=code), 1) for bit in (1, 4, 8, 16) for code in LANGUAGES]
    assert len({chooser.choose(*one).key for one in chooser.limit(audience, 1)}) == 4
