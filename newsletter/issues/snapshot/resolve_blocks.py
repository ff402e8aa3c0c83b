"""Turn the blocks of an issue's body into records, from the rows as they are now."""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.conf import settings
from wagtail.blocks import StructValue
from wagtail.images.models import AbstractImage

from newsletter.content.parsing.markup import paragraph_text
from newsletter.issues.appeal_rules import is_for_issue
from newsletter.issues.snapshot.records.blocks import (
    AppealsBlock,
    Block,
    ButtonBlock,
    CustomBlock,
    CustomRow,
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
from newsletter.issues.snapshot.resolve_stories import (
    CARD_FORMAT,
    LEAD_FORMAT,
    IssueContext,
    resolve_library_image,
    resolve_story,
)
from newsletter.issues.snapshot.show_rules import resolve_show_rules
from newsletter.models import Appeal, EventNotice
from newsletter.models.body_fields import DescribedPicture
from newsletter.rendering.block_schema import BlockSchema, FieldSchema
from newsletter.rendering.schemas import load_schemas

_NAME = re.compile(r"(\d{1,18})-([0-9a-f]{20})")


def resolve_block(kind: str, value: StructValue, *, key: str, context: IssueContext) -> Block | None:
    """Return the block as a record, or None if its content is gone."""
    block = _resolve_contents(kind, value, key=key, context=context)
    rules = resolve_show_rules(value.get("show_to")) if block else ()
    return replace(block, shown_to=rules) if block and rules else block


def _resolve_contents(kind: str, value: StructValue, *, key: str, context: IssueContext) -> Block | None:
    if kind in _RESOLVERS_IN_CONTEXT:
        return _RESOLVERS_IN_CONTEXT[kind](value, key, context)
    if kind in _RESOLVERS:
        return _RESOLVERS[kind](value, key)
    schema = load_schemas().get(kind)
    return _resolve_custom_block(schema, value, key=key) if schema else None


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


def _resolve_lead_story(value: StructValue, key: str, context: IssueContext) -> LeadStoryBlock | None:
    story = resolve_story(value, format_name=LEAD_FORMAT, context=context)
    return LeadStoryBlock(key=key, story=story) if story else None


def _resolve_stories(value: StructValue, key: str, context: IssueContext) -> StoriesBlock:
    stories = (resolve_story(choice, format_name=CARD_FORMAT, context=context) for choice in value["stories"])
    return StoriesBlock(
        key=key,
        heading=value["heading"],
        stories=tuple(story for story in stories if story),
        look=value.get("look") or "cards",
    )


def _resolve_events(value: StructValue, key: str) -> EventsBlock:
    by_original = {(event.translation_of_id or event.pk): event for event in reversed(value["events"]) if event}
    events = [resolve_event(event) for event in by_original.values()]
    in_order = sorted(events, key=lambda event: (event.starts_at, event.id))
    return EventsBlock(key=key, heading=value["heading"], events=tuple(in_order))


def _resolve_event_card(value: StructValue, key: str) -> EventCardBlock | None:
    """Return None if the event was cancelled."""
    event: EventNotice | None = value["event"]
    if event is None or event.cancelled:
        return None
    image: AbstractImage | None = value["picture"]
    return EventCardBlock(
        key=key,
        events=(resolve_event(event),),
        summary=value["summary"] or event.summary,
        picture=resolve_library_image(image, alt=image.description, format_name="wide") if image else None,
        button=value["button"],
    )


def _resolve_appeals(value: StructValue, key: str, context: IssueContext) -> AppealsBlock:
    """Leave out appeals that are for other publications, switched off, not begun, or over when the issue is due."""
    appeals = (
        _resolve_appeal(appeal)
        for appeal in value["appeals"]
        if appeal and is_for_issue(appeal, publication_id=context.publication_id, day=context.due_on)
    )
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


def _resolve_image(value: StructValue, key: str) -> PictureBlock | None:
    alt = DescribedPicture.find_alt(value)
    picture = resolve_library_image(value["image"], alt=alt, format_name="wide")
    if picture is None:
        return None
    return PictureBlock(key=key, picture=picture, caption=value["caption"], url=value["url"])


def _resolve_button(value: StructValue, key: str) -> ButtonBlock:
    return ButtonBlock(key=key, label=value["label"], url=value["url"])


def _resolve_divider(value: StructValue, key: str) -> DividerBlock:
    return DividerBlock(key=key, look=value.get("look") or "line")


def _resolve_custom_block(schema: BlockSchema, value: StructValue, *, key: str) -> CustomBlock | None:
    """Return None if a picture that the block needs is of a story that is withdrawn or gone, or no row is left."""
    values = {field.name: _resolve_custom_value(field, value.get(field.name)) for field in schema.fields}
    needed = [values[field.name] for field in schema.fields if field.required and field.kind in ("picture", "rows")]
    return CustomBlock(key=key, values=values, type=schema.kind) if all(needed) else None


def _resolve_custom_value(field: FieldSchema, value: Any) -> CustomValue:
    match field.kind:
        case "rich":
            return RichText(value.source, paragraph_text(value.source)) if value else RichText("", "")
        case "picture":
            return _resolve_custom_picture(field, value)
        case "lines":
            return tuple(str(line) for line in value or ())
        case "rows":
            return tuple(row for item in value or () if (row := _resolve_row(field, item)))
        case _:
            return str(value or "")


def _resolve_row(field: FieldSchema, value: StructValue) -> CustomRow | None:
    """Return None if a picture that the row needs is of a story that is withdrawn or gone."""
    row: CustomRow = {}
    for part in field.fields:
        stored = value.get(part.name)
        row[part.name] = _resolve_custom_picture(part, stored) if part.kind == "picture" else str(stored or "")
        if part.kind == "picture" and part.required and row[part.name] is None:
            return None
    return row


def _resolve_custom_picture(field: FieldSchema, value: StructValue | None) -> PictureRecord | None:
    if not (value and value["image"]):
        return None
    alt, is_video = DescribedPicture.find_alt(value), field.mark == "film"
    return resolve_library_image(value["image"], alt=alt, format_name=field.place, is_video=is_video)


_RESOLVERS_IN_CONTEXT: dict[str, Callable[[StructValue, str, IssueContext], Block | None]] = {
    "lead_story": _resolve_lead_story,
    "stories": _resolve_stories,
    "appeal": _resolve_appeals,
}
_RESOLVERS: dict[str, Callable[[StructValue, str], Block | None]] = {
    "note": _resolve_note,
    "events": _resolve_events,
    "event_card": _resolve_event_card,
    "related": _resolve_related,
    "quote": _resolve_quote,
    "picture": _resolve_image,
    "button": _resolve_button,
    "divider": _resolve_divider,
}


def make_calendar_url(event_id: int) -> str:
    """Return the address of the page that adds an event to a calendar. The links on it begin with the same address."""
    return f"{settings.NEWSLETTER_SITE_URL}/calendar/{make_calendar_name(event_id)}"


def make_calendar_name(event_id: int) -> str:
    """Return the unguessable name of the calendar file of an event: its signed id. Nothing is stored."""
    return f"{event_id}-{_sign(event_id)}"


def parse_calendar_name(name: str) -> int | None:
    """Return the event's id, or None for a name that we did not make."""
    match = _NAME.fullmatch(name)
    if match is None or not hmac.compare_digest(match[2], _sign(int(match[1]))):
        return None
    return int(match[1])


def _sign(event_id: int) -> str:
    message = f"calendar:{event_id}".encode()
    return hmac.new(settings.SUBSCRIBERS_ADDRESS_KEY.encode(), message, hashlib.sha256).hexdigest()[:20]
