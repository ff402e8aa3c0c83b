"""Turn the blocks of an issue's body into records, from the rows as they are now."""

from collections.abc import Callable

from wagtail.blocks import StructValue
from wagtail.images.models import AbstractImage

from newsletter.content.images.renditions import make_rendition, make_staff_rendition
from newsletter.content.parsing.markup import plain_text
from newsletter.content.parsing.pseudonyms import list_notes_for
from newsletter.issues.snapshot.calendar_links import make_calendar_url
from newsletter.issues.snapshot.consent_rules import make_consent_record
from newsletter.issues.snapshot.records.blocks import (
    AppealsBlock,
    Block,
    ButtonBlock,
    CustomBlock,
    CustomValue,
    DividerBlock,
    EventCardBlock,
    EventsBlock,
    LeadStoryBlock,
    NoteBlock,
    PictureBlock,
    QuoteBlock,
    RelatedBlock,
    RichText,
    StoriesBlock,
)
from newsletter.issues.snapshot.records.events import AppealRecord, EventRecord
from newsletter.issues.snapshot.records.fields import PictureRecord
from newsletter.issues.snapshot.records.stories import StoryRecord
from newsletter.models import Appeal, EventNotice, Picture, Story
from newsletter.rendering.schemas import BlockSchema, FieldSchema, load_schemas


def resolve_block(kind: str, value: StructValue, *, key: str) -> Block | None:
    """Return the block as a record, or None if what it was to show is gone."""
    if kind in _RESOLVERS:
        return _RESOLVERS[kind](value, key)
    return _resolve_custom_block(load_schemas()[kind], value, key=key)


def resolve_picture(picture: Picture, *, alt: str) -> PictureRecord:
    """Return the record of a picture. ``alt`` is the text for people who cannot see it."""
    return PictureRecord(url=picture.url, width=picture.width, height=picture.height, alt=alt, weight=picture.byte_size)


def resolve_event(event: EventNotice) -> EventRecord:
    """Return the record of an event as its row is now."""
    return EventRecord(
        id=event.pk,
        title=event.title,
        url=event.url,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        zone=event.zone,
        all_day=event.all_day,
        day=event.day,
        location=event.place_text,
        town=event.town,
        country=event.country,
        region=event.region,
        latitude=event.latitude,
        longitude=event.longitude,
        online=event.online,
        cancelled=event.cancelled,
        calendar_url=make_calendar_url(event.pk),
    )


def _resolve_note(value: StructValue, key: str) -> NoteBlock:
    return NoteBlock(key=key, heading=value["heading"], html=value["text"].source)


def _resolve_lead_story(value: StructValue, key: str) -> LeadStoryBlock | None:
    story = _resolve_story(value, format_name="wide")
    return LeadStoryBlock(key=key, story=story) if story else None


def _resolve_stories(value: StructValue, key: str) -> StoriesBlock:
    stories = (_resolve_story(choice, format_name="card") for choice in value["stories"])
    return StoriesBlock(
        key=key,
        heading=value["heading"],
        stories=tuple(story for story in stories if story),
        look=value.get("look") or "cards",
    )


def _resolve_story(choice: StructValue, *, format_name: str) -> StoryRecord | None:
    """Return None if no story is chosen yet, or if it was withdrawn or is gone at its source."""
    chosen: Story | None = choice["story"]
    story = _find_canonical_story(chosen) if chosen else None
    if story is None or story.withdrawn_at is not None or story.gone_at is not None:
        return None
    title = choice["headline"] or story.title
    teaser = choice["teaser"] or story.teaser
    link = choice.get("link") or story.url
    pseudonyms = tuple((str(name), str(note)) for name, note in story.pseudonyms)
    topic = next(iter(story.topics.all()), None)
    return StoryRecord(
        id=story.pk,
        title=title,
        own_title=story.title,
        url=link,
        own_url=story.url if link != story.url else None,
        teaser=teaser,
        picture=_resolve_story_picture(story, choice["picture"], format_name=format_name),
        topic=topic.name if topic else "",
        date=story.published_at.date() if story.published_at else None,
        notes=tuple(list_notes_for(f"{title}\n{teaser}", pseudonyms)),
        excluded_regions=tuple(sorted(story.not_in_regions)),
        consent=make_consent_record(story),
    )


def _find_canonical_story(story: Story) -> Story:
    """Return the row that is kept for the story, if two rows turned out to be one story."""
    return Story.objects.get(pk=story.same_as_id) if story.same_as_id else story


def _resolve_story_picture(story: Story, chosen: AbstractImage | None, *, format_name: str) -> PictureRecord | None:
    """Return the picture of the issue, else the one that staff chose for the story, else that of its source."""
    if image := chosen or story.library_image:
        return resolve_picture(make_staff_rendition(image, format_name=format_name), alt=story.picture_alt)
    if story.picture:
        return resolve_picture(make_rendition(story.picture, format_name=format_name), alt=story.picture_alt)
    return None


def _resolve_events(value: StructValue, key: str) -> EventsBlock:
    events = [resolve_event(event) for event in value["events"] if event]
    in_order = sorted(events, key=lambda event: (event.starts_at, event.id))
    return EventsBlock(key=key, heading=value["heading"], events=tuple(in_order))


def _resolve_event_card(value: StructValue, key: str) -> EventCardBlock | None:
    """Return None if the event was cancelled."""
    event: EventNotice | None = value["event"]
    if event is None or event.cancelled:
        return None
    picture = make_staff_rendition(value["picture"], format_name="wide") if value["picture"] else None
    return EventCardBlock(
        key=key,
        events=(resolve_event(event),),
        summary=value["summary"] or event.summary,
        picture=resolve_picture(picture, alt=picture.alt) if picture else None,
        button=value["button"],
    )


def _resolve_appeals(value: StructValue, key: str) -> AppealsBlock:
    """Leave out appeals that were switched off."""
    appeals = (_resolve_appeal(appeal) for appeal in value["appeals"] if appeal and appeal.enabled)
    return AppealsBlock(key=key, appeals=tuple(appeals))


def _resolve_appeal(appeal: Appeal) -> AppealRecord:
    return AppealRecord(
        id=appeal.pk,
        headline=appeal.headline,
        text=appeal.text,
        url=appeal.link,
        button=appeal.button,
        audience=appeal.audience,
    )


def _resolve_related(value: StructValue, key: str) -> RelatedBlock:
    links = tuple((link["title"], link["url"]) for link in value["links"])
    return RelatedBlock(key=key, heading=value["heading"], links=links)


def _resolve_quote(value: StructValue, key: str) -> QuoteBlock:
    notes = (value["note"],) if value["note"] else ()
    return QuoteBlock(key=key, text=value["text"], who=value["who"], notes=notes)


def _resolve_image(value: StructValue, key: str) -> PictureBlock:
    picture = resolve_picture(make_staff_rendition(value["image"], format_name="wide"), alt=value["alt"])
    return PictureBlock(key=key, picture=picture, caption=value["caption"], url=value["url"])


def _resolve_button(value: StructValue, key: str) -> ButtonBlock:
    return ButtonBlock(key=key, label=value["label"], url=value["url"])


def _resolve_divider(value: StructValue, key: str) -> DividerBlock:
    return DividerBlock(key=key)


def _resolve_custom_block(schema: BlockSchema, value: StructValue, *, key: str) -> CustomBlock:
    values = {field.name: _resolve_custom_value(field, value) for field in schema.fields}
    return CustomBlock(key=key, values=values, type=schema.kind)


def _resolve_custom_value(field: FieldSchema, values: StructValue) -> CustomValue:
    value = values.get(field.name)
    match field.kind:
        case "rich":
            return RichText(value.source, plain_text(value.source)) if value else RichText("", "")
        case "picture":
            if not (value and value["image"]):
                return None
            picture = make_staff_rendition(value["image"], format_name=field.place, is_video=field.mark == "film")
            return resolve_picture(picture, alt=value["alt"])
        case "lines":
            return tuple(str(line) for line in value or ())
        case _:
            return str(value or "")


_RESOLVERS: dict[str, Callable[[StructValue, str], Block | None]] = {
    "note": _resolve_note,
    "lead_story": _resolve_lead_story,
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
