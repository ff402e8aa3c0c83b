"""An issue's body, resolved to plain data: everything that any variant can show, and nothing that can change later.

The hash of this data is what people approve. Keys are stable; times are ISO 8601 in UTC.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson
from django.conf import settings

from newsletter.content.cuts import cut_picture, cut_staff_image
from newsletter.content.html import plain_text
from newsletter.content.pseudonyms import notes_for
from newsletter.issues.calendar_links import calendar_address
from newsletter.issues.care import EMAIL, care_of
from newsletter.issues.further_reading import find_links, find_unfit_links
from newsletter.issues.leave_out import leave_out
from newsletter.models import Appeal, Brand, EventNotice, Issue, Picture, Publication, Story
from newsletter.rendering.schemas import BlockSchema, FieldSchema, load_schemas

Content = dict[str, Any]


def resolve_content(issue: Issue) -> Content:
    """The issue as data, from the rows as they are now."""
    publication = issue.publication
    content = {
        "issue": {
            "kind": issue.kind,
            "reference": issue.reference,
            "public_id": issue.public_id,
            "due_at": _due(issue),
            **_announced(issue),
        },
        "subject": issue.subject,
        "preheader": issue.preheader,
        "layout": _layout(issue),
        "headline": issue.headline,
        "publication": _publication(publication),
        "brand": _brand(publication.brand),
        "blocks": [
            {"type": child.block_type, "key": child.id or f"{child.block_type}-{index}", **resolved}
            for index, child in enumerate(issue.body)
            if (resolved := _resolve(child.block_type, child.value)) is not None
        ],
    }
    return _without_unfit_links(content)


def _resolve(kind: str, value: Any) -> Content | None:
    if kind in _RESOLVE:
        return _RESOLVE[kind](value)
    return _by_schema(load_schemas()[kind], value)


def _layout(issue: Issue) -> str:
    """What staff chose for the issue, else what goes with its kind: an issue of the schedule looks as its publication says."""
    return str(issue.layout or LAYOUTS.get(issue.kind) or issue.publication.layout)


def hash_content(content: Content) -> str:
    """sha256, hexadecimal, over the canonical JSON."""
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _due(issue: Issue) -> str:
    return issue.slot.due_at.isoformat() if issue.slot else issue.made_at.isoformat()


def _announced(issue: Issue) -> Content:
    """Of a correction: the facts it was written for, and the event as it is now. Whatever changes in it voids the approval."""
    if issue.kind != Issue.Kind.CORRECTION or not hasattr(issue, "correction"):
        return {}
    correction = issue.correction
    return {"announces": {"facts": correction.fingerprint, "event": resolve_event(correction.event)}}


def _publication(publication: Publication) -> Content:
    counted = {} if publication.clicks == Publication.Clicks.OFF else {"clicks": publication.clicks}
    return {
        **counted,
        "slug": publication.slug,
        "name": publication.name,
        "language": publication.language,
        "from_name": publication.from_name,
        "from_email": publication.from_email,
        "reply_to": publication.reply_to,
        "list_name": publication.mailing_list.public_name,
        "list_id": publication.mailing_list.public_id,
        "events": publication.events,
        "radius_km": publication.radius_km,
        "host_url": publication.host_url,
        "zone": publication.zone,
        "consent_required": publication.consent_required,
    }


def _brand(brand: Brand) -> Content:
    return {
        "name": brand.name,
        "logo": _logo(brand.logo, alt=brand.name),
        "logo_dark": _logo(brand.logo_dark, alt=brand.name),
        "colour": brand.colour,
        "accent": brand.accent,
        "background": brand.background,
        "font": brand.font,
        "heading_font": brand.heading_font,
        "radius": brand.radius,
        "masthead": brand.masthead,
        "icons_url": f"{settings.NEWSLETTER_SITE_URL}/m/icons",
        "postal_address": brand.postal_address,
        "website": brand.website,
        "donate_url": brand.donate_url,
        "donor_portal_url": brand.donor_portal_url,
        "social": sorted(brand.social.items()),
    }


def _logo(logo: Picture | None, *, alt: str) -> Content | None:
    return _picture(cut_picture(logo, place="logo"), alt=alt) if logo else None


def _picture(picture: Picture | None, *, alt: str) -> Content | None:
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
    """Nothing where the story was withdrawn, or none is chosen yet."""
    story: Story | None = value["story"]
    if story is None or story.withdrawn_at is not None:
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
            "picture": _picture(picture, alt=story.picture_alt),
            "topic": topics[0] if topics else "",
            "date": story.published_at.date().isoformat() if story.published_at else "",
            "notes": list(notes_for(f"{title}\n{teaser}", pseudonyms)),
            "not_in": sorted(story.not_in_regions),
            "care": care_of(story),
        }
    }


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
        "picture": _picture(picture, alt=picture.alt if picture else ""),
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
    return {"appeals": [_appeal(appeal) for appeal in value["appeals"] if appeal]}


def _appeal(appeal: Appeal) -> Content:
    return {
        "id": appeal.pk,
        "headline": appeal.headline,
        "text": appeal.text,
        "url": appeal.link,
        "button": appeal.button,
        "for": appeal.audience,
    }


def _without_unfit_links(content: Content) -> Content:
    """The same content without further reading about stories that may not be shown when it is due."""
    unfit = find_unfit_links(
        list(find_links(content)),
        channel=EMAIL,
        at=datetime.fromisoformat(content["issue"]["due_at"]),
        required=content["publication"]["consent_required"],
    )
    return leave_out(content, stories=unfit)


def _related(value: Any) -> Content:
    return {"heading": value["heading"], "links": [[link["title"], link["url"]] for link in value["links"]]}


def _quote(value: Any) -> Content:
    return {"text": value["text"], "who": value["who"], "notes": [value["note"]] if value["note"] else []}


def _image(value: Any) -> Content:
    picture = cut_staff_image(value["image"], place="wide")
    return {"picture": _picture(picture, alt=value["alt"]), "caption": value["caption"], "url": value["url"]}


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
            return _picture(picture, alt=value["alt"] if picture else "")
        case "lines":
            return [str(line) for line in value or ()]
        case _:
            return str(value or "")


LAYOUTS = {"digest": "digest", "correction": "event_notice"}
"""The layouts of issues that are not of the schedule, where staff chose none."""

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
