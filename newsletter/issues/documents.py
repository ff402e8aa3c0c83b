"""From resolved content to the document of one variant: what is visible to a group of readers, in words and dates.

Pure arithmetic over data; no tables. Two readers who would see the same blocks and events get the same key.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from babel.dates import format_date

from newsletter.issues.dates import first_day, in_words, locale_of
from newsletter.issues.near import Chosen, Where, choose_events_for
from newsletter.rendering.blocks import (
    AppealBlock,
    Block,
    Brand,
    Button,
    Divider,
    Document,
    EventItem,
    Events,
    ImageBlock,
    LeadStory,
    Note,
    Picture,
    Quote,
    Related,
    StoryCards,
    StoryItem,
)
from newsletter.rendering.words import direction_of, word
from subscribers.places import region_name

Content = dict[str, Any]


@dataclass(frozen=True)
class Visible:
    """What one group of readers sees: for each block that varies, its choice. ``key`` names the variant."""

    language: str
    events: dict[str, Chosen]
    appeals: dict[str, Content | None]

    @property
    def key(self) -> str:
        chosen = {
            "language": self.language,
            "events": {
                block: [chosen.kind, [event["id"] for event in chosen.events]] for block, chosen in self.events.items()
            },
            "appeals": {block: appeal["id"] if appeal else None for block, appeal in self.appeals.items()},
        }
        return hashlib.sha256(orjson.dumps(chosen, option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]


def see(content: Content, *, where: Where, giving: str) -> Visible:
    """What a reader at a place, of a giving status, sees of the issue."""
    publication = content["publication"]
    events = {
        block["key"]: choose_events_for(
            where,
            events=block["events"],
            most=publication["events"],
            radius_km=publication["radius_km"],
            host=bool(publication["host_url"]),
        )
        for block in content["blocks"]
        if block["type"] == "events"
    }
    appeals = {
        block["key"]: choose_appeal_for(giving, appeals=block["appeals"])
        for block in content["blocks"]
        if block["type"] == "appeal"
    }
    return Visible(language=publication["language"], events=events, appeals=appeals)


def choose_appeal_for(giving: str, *, appeals: list[Content]) -> Content | None:
    """The first appeal made for this giving status, else the first for everybody."""
    for audience in (giving, "all"):
        for appeal in appeals:
            if appeal["for"] == audience:
                return appeal
    return None


def make_document(content: Content, *, visible: Visible, view_online: str) -> Document:
    """The document that rendering takes."""
    publication = content["publication"]
    language = visible.language
    blocks = [block for data in content["blocks"] if (block := _block(data, content, visible)) is not None]
    return Document(
        subject=content["subject"],
        preheader=content["preheader"],
        language=language,
        direction=direction_of(language),
        brand=_brand(content["brand"]),
        blocks=tuple(blocks),
        publication=publication["name"],
        reason=word("why_you_get_this", language, list=publication["list_name"], organisation=content["brand"]["name"]),
        urls={"view_online": view_online},
    )


def describe_visible(visible: Visible) -> str:
    """The variant in words, for staff: which events and which appeal. A publication has one language: it is not said."""
    parts = []
    for chosen in visible.events.values():
        places = list(
            dict.fromkeys(
                event["town"] or event["region"] or event["country"] for event in chosen.events if not event["online"]
            )
        )
        online = sum(1 for event in chosen.events if event["online"])
        named = ", ".join(place for place in places if place)
        kinds = {
            "near": f"events near {named}",
            "region": f"events in the region: {named}",
            "online": "online events",
            "host": "invitation to host an event",
            "nothing": "no events",
        }
        extra = f" + {online} online" if online and chosen.kind in ("near", "region") else ""
        parts.append(kinds[chosen.kind] + extra)
    parts += [f"appeal “{appeal['headline']}”" for appeal in visible.appeals.values() if appeal]
    label = "; ".join(parts) or "the same for everybody"
    label = label[0].upper() + label[1:]
    return label if len(label) <= 200 else label[:199] + "…"


def _block(data: Content, content: Content, visible: Visible) -> Block | None:
    key, kind = data["key"], data["type"]
    language = visible.language
    match kind:
        case "note":
            return _note(data)
        case "lead_story":
            return LeadStory(story=_story(data["story"], language), key=key)
        case "stories":
            stories = tuple(_story(story, language) for story in data["stories"])
            return StoryCards(stories=stories, heading=data["heading"], key=key) if stories else None
        case "events":
            return _events(data, visible.events[key], content, language)
        case "appeal":
            appeal = visible.appeals[key]
            if appeal is None:
                return None
            return AppealBlock(
                headline=appeal["headline"], text=appeal["text"], url=appeal["url"], button=appeal["button"], key=key
            )
        case "related":
            return Related(links=tuple((title, url) for title, url in data["links"]), heading=data["heading"], key=key)
        case "quote":
            return Quote(text=data["text"], who=data["who"], notes=tuple(data["notes"]), key=key)
        case "picture":
            return ImageBlock(picture=Picture(**data["picture"]), caption=data["caption"], url=data["url"], key=key)
        case "button":
            return Button(label=data["label"], url=data["url"], key=key)
        case _:
            return Divider(key=key)


def _note(data: Content) -> Note:
    from newsletter.content.html import plain_text

    return Note(body_html=data["html"], body_text=plain_text(data["html"]), heading=data["heading"], key=data["key"])


def _story(story: Content, language: str) -> StoryItem:
    date = (
        format_date(datetime.fromisoformat(story["date"]), format="long", locale=locale_of(language))
        if story["date"]
        else ""
    )
    return StoryItem(
        title=story["title"],
        url=story["url"],
        teaser=story["teaser"],
        picture=Picture(**story["picture"]) if story["picture"] else None,
        topic=story["topic"],
        date=date,
        notes=tuple(story["notes"]),
    )


def _events(data: Content, chosen: Chosen, content: Content, language: str) -> Events | None:
    if chosen.kind == "nothing":
        return None
    zone = content["publication"]["zone"]
    heading = data["heading"] if data["heading"] and chosen.kind == "near" else word(f"events_{chosen.kind}", language)
    return Events(
        events=tuple(_event(event, language, zone) for event in chosen.events),
        heading=heading,
        kind=chosen.kind,
        host_url=content["publication"]["host_url"],
        key=data["key"],
    )


def _event(event: Content, language: str, default_zone: str) -> EventItem:
    locale = locale_of(language)
    day = first_day(event, default_zone=default_zone)
    return EventItem(
        title=event["title"],
        url=event["url"],
        when=in_words(event, locale=locale, default_zone=default_zone),
        day=str(day.day),
        month=format_date(day, format="MMM", locale=locale),
        where=word("online", language)
        if event["online"]
        else event["place"] or event["town"] or region_name(event["region"]),
        online=event["online"],
    )


def _brand(brand: Content) -> Brand:
    return Brand(
        **{
            **brand,
            "logo": Picture(**brand["logo"]) if brand["logo"] else None,
            "logo_dark": Picture(**brand["logo_dark"]) if brand["logo_dark"] else None,
            "social": tuple((network, url) for network, url in brand["social"]),
        }
    )
