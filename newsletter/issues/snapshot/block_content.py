"""The blocks of an issue's body, each resolved to plain data from the rows as they are now. `content` puts them together."""

from collections.abc import Callable
from typing import Any

from newsletter.content.images.renditions import make_rendition, make_staff_rendition
from newsletter.content.parsing.html import plain_text
from newsletter.content.parsing.pseudonyms import list_notes_for
from newsletter.issues.snapshot.calendar_links import make_calendar_url
from newsletter.issues.snapshot.consent_rules import make_consent_record
from newsletter.models import Appeal, EventNotice, Picture, Story
from newsletter.rendering.schemas import BlockSchema, FieldSchema, load_schemas

Content = dict[str, Any]


def resolve_block(kind: str, value: Any) -> Content | None:
    """The block as data; None where what it was to show is gone."""
    if kind in _RESOLVERS:
        return _RESOLVERS[kind](value)
    return _resolve_schema_block(load_schemas()[kind], value)


def resolve_picture(picture: Picture | None, *, alt: str) -> Content | None:
    """Its address, its size in pixels and its weight in bytes, with the words for who cannot see it."""
    if picture is None:
        return None
    return {
        "url": picture.url,
        "width": picture.width,
        "height": picture.height,
        "alt": alt,
        "weight": picture.weight,
    }


def _story_picture(story: Story, staff: Any, *, place: str) -> Picture | None:
    if staff:
        return make_staff_rendition(staff, format_name=place)
    return make_rendition(story.picture, format_name=place) if story.picture else None


def _resolve_note(value: Any) -> Content:
    return {"heading": value["heading"], "html": value["text"].source}


def _resolve_story(value: Any, *, place: str = "wide") -> Content | None:
    """Nothing if the story was withdrawn or is gone at its source, or none is chosen yet."""
    chosen: Story | None = value["story"]
    story = _find_canonical_story(chosen) if chosen else None
    if story is None or story.withdrawn_at is not None or story.gone_at is not None:
        return None
    title = value["headline"] or story.title
    teaser = value["teaser"] or story.teaser
    picture = _story_picture(story, value["picture"], place=place)
    pseudonyms = tuple((str(name), str(note)) for name, note in story.pseudonyms)
    topics = [topic.name for topic in story.topics.all()]
    return {
        "story": {
            "id": story.pk,
            "title": title,
            "own_title": story.title,
            **_resolve_story_link(value.get("link") or "", own=story.url),
            "teaser": teaser,
            "picture": resolve_picture(picture, alt=story.picture_alt),
            "topic": topics[0] if topics else "",
            "date": story.published_at.date().isoformat() if story.published_at else "",
            "notes": list(list_notes_for(f"{title}\n{teaser}", pseudonyms)),
            "not_in": sorted(story.not_in_regions),
            "care": make_consent_record(story),
        }
    }


def _find_canonical_story(story: Story) -> Story:
    """The row that stands for the story, if two turned out to be one."""
    return Story.objects.get(pk=story.same_as_id) if story.same_as_id else story


def _resolve_story_link(written: str, *, own: str) -> Content:
    """Where a story leads; its own page beside it where staff wrote another."""
    return {"url": written, "own_url": own} if written and written != own else {"url": own}


def _resolve_stories(value: Any) -> Content:
    resolved = [_resolve_story(item, place="card") for item in value["stories"]]
    look = value.get("look") or "cards"
    return {"heading": value["heading"], "look": look, "stories": [one["story"] for one in resolved if one]}


def _resolve_events(value: Any) -> Content:
    events = [resolve_event(event) for event in value["events"] if event]
    return {"heading": value["heading"], "events": sorted(events, key=lambda event: (event["starts_at"], event["id"]))}


def _resolve_event_card(value: Any) -> Content | None:
    """Nothing where the event was cancelled."""
    event: EventNotice | None = value["event"]
    if event is None or event.cancelled:
        return None
    picture = make_staff_rendition(value["picture"], format_name="wide") if value["picture"] else None
    return {
        "events": [resolve_event(event)],
        "summary": value["summary"] or event.summary,
        "picture": resolve_picture(picture, alt=picture.alt if picture else ""),
        "button": value["button"],
    }


def resolve_event(event: EventNotice) -> Content:
    """The event as its row is now, as an issue's content has it."""
    return {
        "id": event.pk,
        "title": event.title,
        "url": event.url,
        "starts_at": event.starts_at.isoformat(),
        "ends_at": event.ends_at.isoformat() if event.ends_at else "",
        "zone": event.zone,
        "all_day": event.all_day,
        "day": event.day.isoformat() if event.day else "",
        "place": event.place_text,
        "town": event.town,
        "country": event.country,
        "region": event.region,
        "latitude": event.latitude,
        "longitude": event.longitude,
        "online": event.online,
        "cancelled": event.cancelled,
        "calendar": make_calendar_url(event.pk),
    }


def _resolve_appeals(value: Any) -> Content:
    """Without those that were switched off."""
    return {"appeals": [_resolve_appeal(appeal) for appeal in value["appeals"] if appeal and appeal.enabled]}


def _resolve_appeal(appeal: Appeal) -> Content:
    return {
        "id": appeal.pk,
        "headline": appeal.headline,
        "text": appeal.text,
        "url": appeal.link,
        "button": appeal.button,
        "for": appeal.audience,
    }


def _resolve_related(value: Any) -> Content:
    return {"heading": value["heading"], "links": [[link["title"], link["url"]] for link in value["links"]]}


def _resolve_quote(value: Any) -> Content:
    return {"text": value["text"], "who": value["who"], "notes": [value["note"]] if value["note"] else []}


def _resolve_image(value: Any) -> Content:
    picture = make_staff_rendition(value["image"], format_name="wide")
    return {"picture": resolve_picture(picture, alt=value["alt"]), "caption": value["caption"], "url": value["url"]}


def _resolve_button(value: Any) -> Content:
    return {"label": value["label"], "url": value["url"]}


def _resolve_divider(value: Any) -> Content:
    return {}


def _resolve_schema_block(schema: BlockSchema, value: Any) -> Content:
    """A block that a schema describes: its values as plain data, by the names of its fields."""
    return {"values": {field.name: _resolve_schema_field(field, value.get(field.name)) for field in schema.fields}}


def _resolve_schema_field(field: FieldSchema, value: Any) -> Any:
    match field.kind:
        case "rich":
            return {"html": value.source, "text": plain_text(value.source)} if value else {"html": "", "text": ""}
        case "picture":
            image = value and value["image"]
            picture = (
                make_staff_rendition(image, format_name=field.place, is_video=field.mark == "film") if image else None
            )
            return resolve_picture(picture, alt=value["alt"] if picture else "")
        case "lines":
            return [str(line) for line in value or ()]
        case _:
            return str(value or "")


_RESOLVERS: dict[str, Callable[[Any], Content | None]] = {
    "note": _resolve_note,
    "lead_story": _resolve_story,
    "stories": _resolve_stories,
    "events": _resolve_events,
    "event_card": _resolve_event_card,
    "appeal": _resolve_appeals,
    "related": _resolve_related,
    "quote": _resolve_quote,
    "picture": _resolve_image,
    "button": _resolve_button,
    "divider": _resolve_divider,
}
