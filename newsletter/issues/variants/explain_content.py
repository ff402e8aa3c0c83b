"""Say why readers get each story, event, appeal and limited block of an issue, or do not. No database.

The reasons name towns in the current language.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from django.utils.translation import get_language

from newsletter.common.messages import Message, Quantity
from newsletter.common.text import shorten
from newsletter.content.parsing.markup import plain_text
from newsletter.issues.snapshot.records.blocks import (
    Block,
    EventCardBlock,
    EventsBlock,
    list_appeals,
    list_events,
    list_stories,
)
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.events import AppealRecord, EventRecord
from newsletter.issues.snapshot.records.stories import StoryRecord
from newsletter.issues.snapshot.redact import deduplicate_stories
from newsletter.issues.snapshot.show_rules import describe_rules
from newsletter.issues.visible.block_choices import shows_events
from newsletter.issues.visible.interests import find_limited_stories, list_topic_stories
from newsletter.issues.visible.nearby_events import RecipientLocation, is_possibly_in, is_regional
from newsletter.issues.visible.visible_content import Fallback, VisibleContent
from subscribers.places.town_names import town_label
from subscribers.places.towns import distance_km

_SHARED = Message("Too few people share their choices for a version of its own.")
_UNKNOWN_LOCATION = RecipientLocation()
_MAX_NAME_LENGTH = 80


@dataclass(frozen=True)
class ContentReason:
    """Why readers get a story, an event, an appeal or a block (``shown``) or do not. ``row_id`` is its id, 0 for a block."""

    kind: Literal["story", "event", "appeal", "block"]
    row_id: int
    title: str
    shown: bool
    why: str


def explain_content(
    content: IssueContent,
    *,
    visible: VisibleContent,
    location: RecipientLocation,
    radius_km: int,
    matching: Collection[int],
    repeated: Collection[int] = (),
    fallback: Fallback = Fallback.NONE,
) -> list[ContentReason]:
    """Return the reasons for readers at a location, in the order of the issue.

    ``matching`` are the ids of the stories that have one of their topics, ``repeated`` of those that they got before.
    ``radius_km`` 0 means the publication's own.
    """
    radius = radius_km or content.publication.radius_km
    open_blocks = (block for block in content.blocks if block.key not in visible.closed)
    opened = replace(content, blocks=tuple(deduplicate_stories(open_blocks, all_shown=True)))
    return [
        *(_explain_story(content, story, visible, location, matching, repeated, fallback) for story in opened.stories),
        *_explain_events(opened, visible=visible, location=location, radius_km=radius, fallback=fallback),
        *_explain_appeals(opened, visible=visible, fallback=fallback),
        *_explain_limited_blocks(content, visible=visible, fallback=fallback),
    ]


def _explain_limited_blocks(
    content: IssueContent, *, visible: VisibleContent, fallback: Fallback
) -> Iterator[ContentReason]:
    for number, block in enumerate(content.blocks, 1):
        if block.shown_to:
            is_shown = block.key not in visible.closed and (isinstance(block, EventsBlock) or not visible.only_events)
            why = Message("It is only for people who match: %(rules)s.", rules=describe_rules(block.shown_to))
            why = _join(why, _SHARED) if fallback >= Fallback.FOR_ALL else why
            yield ContentReason(
                "block", 0, _name_block(block) or Message("Block %(number)s", number=number), is_shown, why
            )


def _name_block(block: Block) -> str:
    """Return the heading of a block or, without one, the first words that name it; "" if it has none."""
    titles = [
        getattr(block, "heading", ""),
        *(story.title for story in list_stories(block)),
        *(event.title for event in list_events(block)),
        *(appeal.headline for appeal in list_appeals(block)),
        getattr(block, "label", ""),
        plain_text(getattr(block, "html", "")),
    ]
    return shorten(next(filter(None, titles), ""), _MAX_NAME_LENGTH)


def _explain_story(
    content: IssueContent,
    story: StoryRecord,
    visible: VisibleContent,
    location: RecipientLocation,
    matching: Collection[int],
    repeated: Collection[int],
    fallback: Fallback,
) -> ContentReason:
    is_shown = not visible.only_events and story.id not in visible.hidden
    deciding = {topic_story.id for topic_story in list_topic_stories(content)}
    limited = find_limited_stories(content, closed=visible.closed)
    if visible.only_events:
        why = Message("They chose only events near them.")
    elif is_possibly_in(location, story.excluded_regions):
        why = Message("It must not be shown in %(regions)s.", regions=", ".join(story.excluded_regions))
    elif story.id in repeated:
        why = Message("They got it in another issue.")
    elif fallback >= Fallback.FOR_ALL and is_possibly_in(_UNKNOWN_LOCATION, story.excluded_regions):
        why = _join(Message("It must not be shown in %(regions)s.", regions=", ".join(story.excluded_regions)), _SHARED)
    elif fallback >= Fallback.ONE_STORY and not is_shown:
        why = _join(Message("They get only the first story that they did not have."), _SHARED)
    elif story.case and story.case in visible.followed:
        why = Message("First, because they follow the case “%(case)s”.", case=story.case.name)
    elif story.id in limited:
        why = Message("It is in a block that is for them.")
    elif story.id in matching:
        why = Message("It has one of their topics.")
    elif story.id not in deciding:
        why = Message("It is for everybody.")
    elif not is_shown:
        why = Message("It has none of their topics.")
    elif fallback:
        why = Message("It has none of their topics, but their choice is too rare for a version of its own.")
    elif visible.order:
        why = Message("It has none of their topics, so it comes later.")
    else:
        why = Message("They chose no topic, or none decides about stories.")
    return ContentReason("story", story.id, story.title, is_shown, why)


def _explain_events(
    content: IssueContent, *, visible: VisibleContent, location: RecipientLocation, radius_km: int, fallback: Fallback
) -> Iterator[ContentReason]:
    for block in content.blocks:
        if isinstance(block, EventCardBlock):
            (event,) = block.events
            general = "They chose only events near them." if visible.only_events else "It is for everybody."
            yield ContentReason("event", event.id, event.title, not visible.only_events, Message(general))
        elif isinstance(block, EventsBlock):
            event_ids = {event.id for event in visible.events[block.key].events}
            for event in block.events:
                is_shown = event.id in event_ids
                if not shows_events(content):
                    why: str = Message("The publication shows no events.")
                elif content.issue.is_correction and is_shown:
                    why = Message("An issue that they got has other details of it.")
                elif fallback >= Fallback.FOR_ALL:
                    why = _explain_shared_event(event, is_shown=is_shown)
                else:
                    why = _explain_event(event, location, is_shown=is_shown, radius_km=radius_km)
                yield ContentReason("event", event.id, event.title, is_shown, why)


def _explain_event(event: EventRecord, location: RecipientLocation, *, is_shown: bool, radius_km: int) -> str:
    distance = _measure(event, location)
    if event.cancelled:
        return Message("It is cancelled.")
    if event.online:
        return Message("It is online.") if is_shown else Message("It is online, and other events came first.")
    if distance is None:
        if is_shown:
            return Message("It is in their region. The exact distance is unknown.")
        if not location.country:
            return Message("Their location is unknown.")
        return Message("The distance is unknown, and it is not in their region.")
    if is_shown:
        if distance > radius_km:
            return Message("It is in their region, and no event is nearer.")
        town = town_label(location.town, country=location.country, language=get_language() or "en")
        return Message("It is %(km)s km from %(town)s.", km=Quantity(distance), town=town or Message("their town"))
    if distance <= radius_km:
        return Message("It is %(km)s km away, but earlier events took all the room.", km=Quantity(distance))
    if is_regional(location, event):
        return Message("It is %(km)s km away, and nearer events came first.", km=Quantity(distance))
    return Message(
        "It is %(km)s km away; they get events within %(radius)s km.", km=Quantity(distance), radius=radius_km
    )


def _explain_shared_event(event: EventRecord, *, is_shown: bool) -> str:
    if event.cancelled:
        return Message("It is cancelled.")
    if is_shown:
        return _join(Message("They get the events of all places."), _SHARED)
    return _join(Message("They get the first events of all places."), _SHARED)


def _measure(event: EventRecord, location: RecipientLocation) -> int | None:
    """Return the distance in kilometres, or None if it is unknown."""
    if location.latitude is None or location.longitude is None or event.latitude is None or event.longitude is None:
        return None
    return round(distance_km(location.latitude, location.longitude, event.latitude, event.longitude))


def _explain_appeals(content: IssueContent, *, visible: VisibleContent, fallback: Fallback) -> Iterator[ContentReason]:
    for block in content.blocks:
        chosen = visible.appeals.get(block.key)
        for appeal in list_appeals(block):
            is_chosen = chosen is not None and chosen.id == appeal.id
            why = _explain_appeal(appeal, chosen, visible)
            if fallback >= Fallback.FOR_ALL and not visible.only_events:
                why = _join(Message("They get the appeal that is for everybody."), _SHARED)
            yield ContentReason("appeal", appeal.id, appeal.headline, is_chosen, why)


def _explain_appeal(appeal: AppealRecord, chosen: AppealRecord | None, visible: VisibleContent) -> str:
    if visible.only_events:
        return Message("They chose only events near them.")
    if chosen is not None and chosen.id == appeal.id:
        if appeal.audience == "all":
            return Message("It is for everybody for whom no other appeal is meant.")
        return Message("It is for people with their giving status.")
    if appeal.audience == "all":
        return Message("Another appeal comes first.")
    return Message("It is for people with another giving status, or another appeal comes first.")


def _join(*sentences: Message) -> Message:
    return Message.joined(sentences, between=" ")
