"""From resolved content to the document of one variant: what a group of readers sees, in words and dates. Pure."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.units import format_unit

from newsletter.issues.variants.dates import first_day, format_event_time, get_babel_locale
from newsletter.issues.variants.event_location import describe_event_location
from newsletter.issues.variants.nearby_events import CLOSE_KM, EventSelection
from newsletter.issues.variants.phrases import say
from newsletter.issues.variants.visibility import VisibleContent, describe_visible, filter_visible, see
from newsletter.rendering.blocks import (
    AppealBlock,
    Block,
    Brand,
    Button,
    Divider,
    Document,
    EventCard,
    EventItem,
    Events,
    ImageBlock,
    LeadStory,
    Note,
    Picture,
    Quote,
    Related,
    SchemaBlock,
    StoryCards,
    StoryItem,
    StoryList,
    StoryRows,
)
from newsletter.rendering.phrases import find_phrase, find_text_direction

__all__ = ["VisibleContent", "describe_visible", "make_document", "see"]

Content = dict[str, Any]
_STORIES: dict[str, type[StoryCards]] = {"cards": StoryCards, "rows": StoryRows, "list": StoryList}
_MAP = "https://www.openstreetmap.org/search?query="


def make_document(content: Content, *, visible: VisibleContent, view_online: str) -> Document:
    """The document that rendering takes."""
    publication = content["publication"]
    language = visible.language
    content = filter_visible(content, visible=visible, only_events_subject=find_phrase("events_near", language))
    blocks = [block for data in content["blocks"] if (block := _block(data, content, visible)) is not None]
    return Document(
        subject=content["subject"],
        preheader=content["preheader"],
        language=language,
        direction=find_text_direction(language),
        brand=_brand(content["brand"]),
        blocks=tuple(blocks),
        publication=publication["name"],
        reason=find_phrase(
            "why_you_get_this", language, list=publication["list_name"], organisation=content["brand"]["name"]
        ),
        urls={"view_online": view_online},
        layout=content.get("layout", "letter"),
        headline=content.get("headline", ""),
        edition=_format_edition_date(content, language),
    )


def _block(data: Content, content: Content, visible: VisibleContent) -> Block | None:
    key, kind = data["key"], data["type"]
    language = visible.language
    match kind:
        case "note":
            return _note(data)
        case "lead_story":
            return LeadStory(story=_story(data["story"], language), key=key)
        case "stories":
            stories = tuple(_story(story, language) for story in data["stories"])
            kind_of_list = _STORIES[data.get("look", "cards")]
            return kind_of_list(stories=stories, heading=data["heading"], key=key) if stories else None
        case "events":
            return _events(data, visible.events[key], content, language)
        case "event_card":
            return _event_card(data, language, content["publication"]["zone"])
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
        case "divider":
            return Divider(key=key)
        case _:
            return SchemaBlock(kind, {name: _value(value) for name, value in data["values"].items()}, key=key)


def _value(value: Any) -> Any:
    """A value of a block that a schema describes, as rendering takes it."""
    match value:
        case {"url": _, "width": _, "height": _}:
            return Picture(**value)
        case list():
            return tuple(value)
        case _:
            return value


def _format_edition_date(content: Content, language: str) -> str:
    """The day that an issue of the schedule is due, where it is."""
    issue = content.get("issue", {})
    if issue.get("kind", "issue") != "issue" or not issue.get("due_at"):
        return ""
    due = datetime.fromisoformat(issue["due_at"]).astimezone(ZoneInfo(content["publication"]["zone"]))
    return format_date(due, format="long", locale=get_babel_locale(language))


def _note(data: Content) -> Note:
    from newsletter.content.parsing.html import plain_text

    return Note(body_html=data["html"], body_text=plain_text(data["html"]), heading=data["heading"], key=data["key"])


def _story(story: Content, language: str) -> StoryItem:
    date = (
        format_date(datetime.fromisoformat(story["date"]), format="long", locale=get_babel_locale(language))
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


def _events(data: Content, chosen: EventSelection, content: Content, language: str) -> Events | None:
    if chosen.kind == "nothing" or (chosen.kind == "all" and not chosen.events):
        return None
    zone = content["publication"]["zone"]
    heading = data["heading"] if data["heading"] and chosen.kind in ("near", "all") else _heading(chosen, language)
    return Events(
        events=tuple(
            replace(
                _event(event, language, zone),
                distance=_format_distance(language) if event["id"] in chosen.close else "",
            )
            for event in chosen.events
        ),
        heading=heading,
        kind="near" if chosen.kind == "all" else chosen.kind,
        host_url=content["publication"]["host_url"],
        key=data["key"],
    )


def _format_distance(language: str) -> str:
    distance = format_unit(CLOSE_KM, "kilometer", length="short", locale=get_babel_locale(language))
    return find_phrase("distance_within", language, distance=distance)


def _heading(chosen: EventSelection, language: str) -> str:
    return say("events", language) if chosen.kind == "all" else find_phrase(f"events_{chosen.kind}", language)


def _event_card(data: Content, language: str, zone: str) -> EventCard:
    event = data["events"][0]
    item = _event(event, language, zone)
    return EventCard(
        event=replace(
            item,
            summary=data["summary"],
            picture=Picture(**data["picture"]) if data["picture"] else None,
            map_url="" if event["online"] or not event["place"] else _MAP + quote(event["place"]),
        ),
        button=data["button"],
        key=data["key"],
    )


def _event(event: Content, language: str, default_zone: str) -> EventItem:
    locale = get_babel_locale(language)
    day = first_day(event, default_zone=default_zone)
    return EventItem(
        title=event["title"],
        url=event["url"],
        when=format_event_time(event, locale=locale, default_zone=default_zone),
        day=str(day.day),
        month=format_date(day, format="MMM", locale=locale),
        where=describe_event_location(event, language=language),
        online=event["online"],
        calendar_url=f"{event['calendar']}.ics" if event.get("calendar") else "",
        google_url=f"{event['calendar']}/google" if event.get("calendar") else "",
        outlook_url=f"{event['calendar']}/outlook" if event.get("calendar") else "",
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
