"""The blocks of an issue's body, each resolved to plain data from the rows as they are now. `content` puts them together."""

from collections.abc import Callable
from typing import Any

from newsletter.content.images.renditions import cut_picture, cut_staff_image
from newsletter.content.parsing.html import plain_text
from newsletter.content.parsing.pseudonyms import notes_for
from newsletter.issues.snapshot.calendar_links import calendar_address
from newsletter.issues.snapshot.consent_rules import care_of
from newsletter.models import Appeal, EventNotice, Picture, Story
from newsletter.rendering.schemas import BlockSchema, FieldSchema, load_schemas

Content = dict[str, Any]


def resolve_block(kind: str, value: Any) -> Content | None:
    """The block as data; None where what it was to show is gone."""
    if kind in _RESOLVE:
        return _RESOLVE[kind](value)
    return _by_schema(load_schemas()[kind], value)


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
        return cut_staff_image(staff, place=place)
    return cut_picture(story.picture, place=place) if story.picture else None


def _note(value: Any) -> Content:
    return {"heading": value["heading"], "html": value["text"].source}


def _story(value: Any, *, place: str = "wide") -> Content | None:
    """Nothing if the story was withdrawn or is gone at its source, or none is chosen yet."""
    chosen: Story | None = value["story"]
    story = _stand_in(chosen) if chosen else None
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
            **_link(value.get("link") or "", own=story.url),
            "teaser": teaser,
            "picture": resolve_picture(picture, alt=story.picture_alt),
            "topic": topics[0] if topics else "",
            "date": story.published_at.date().isoformat() if story.published_at else "",
            "notes": list(notes_for(f"{title}\n{teaser}", pseudonyms)),
            "not_in": sorted(story.not_in_regions),
            "care": care_of(story),
        }
    }


def _stand_in(story: Story) -> Story:
    """The row that stands for the story, if two turned out to be one."""
    return Story.objects.get(pk=story.same_as_id) if story.same_as_id else story


def _link(written: str, *, own: str) -> Content:
    """Where a story leads; its own page beside it where staff wrote another."""
    return {"url": written, "own_url": own} if written and written != own else {"url": own}


def _stories(value: Any) -> Content:
    resolved = [_story(item, place="card") for item in value["stories"]]
    look = value.get("look") or "cards"
    return {"heading": value["heading"], "look": look, "stories": [one["story"] for one in resolved if one]}


def _events(value: Any) -> Content:
    events = [resolve_event(event) for event in value["events"] if event]
    return {"heading": value["heading"], "events": sorted(events, key=lambda event: (event["starts_at"], event["id"]))}


def _event_card(value: Any) -> Content | None:
    """Nothing where the event was cancelled."""
    event: EventNotice | None = value["event"]
    if event is None or event.cancelled:
        return None
    picture = cut_staff_image(value["picture"], place="wide") if value["picture"] else None
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
        "calendar": calendar_address(event.pk),
    }


def _appeals(value: Any) -> Content:
    """Without those that were switched off."""
    return {"appeals": [_appeal(appeal) for appeal in value["appeals"] if appeal and appeal.enabled]}


def _appeal(appeal: Appeal) -> Content:
    return {
        "id": appeal.pk,
        "headline": appeal.headline,
        "text": appeal.text,
        "url": appeal.link,
        "button": appeal.button,
        "for": appeal.audience,
    }


def _related(value: Any) -> Content:
    return {"heading": value["heading"], "links": [[link["title"], link["url"]] for link in value["links"]]}


def _quote(value: Any) -> Content:
    return {"text": value["text"], "who": value["who"], "notes": [value["note"]] if value["note"] else []}


def _image(value: Any) -> Content:
    picture = cut_staff_image(value["image"], place="wide")
    return {"picture": resolve_picture(picture, alt=value["alt"]), "caption": value["caption"], "url": value["url"]}


def _button(value: Any) -> Content:
    return {"label": value["label"], "url": value["url"]}


def _divider(value: Any) -> Content:
    return {}


def _by_schema(schema: BlockSchema, value: Any) -> Content:
    """A block that a schema describes: its values as plain data, by the names of its fields."""
    return {"values": {field.name: _by_field(field, value.get(field.name)) for field in schema.fields}}


def _by_field(field: FieldSchema, value: Any) -> Any:
    match field.kind:
        case "rich":
            return {"html": value.source, "text": plain_text(value.source)} if value else {"html": "", "text": ""}
        case "picture":
            image = value and value["image"]
            picture = cut_staff_image(image, place=field.place, film=field.mark == "film") if image else None
            return resolve_picture(picture, alt=value["alt"] if picture else "")
        case "lines":
            return [str(line) for line in value or ()]
        case _:
            return str(value or "")


_RESOLVE: dict[str, Callable[[Any], Content | None]] = {
    "note": _note,
    "lead_story": _story,
    "stories": _stories,
    "events": _events,
    "event_card": _event_card,
    "appeal": _appeals,
    "related": _related,
    "quote": _quote,
    "picture": _image,
    "button": _button,
    "divider": _divider,
}
