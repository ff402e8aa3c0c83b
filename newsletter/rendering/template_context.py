"""Build the context of templates in addition to a block's fields: the style, phrases, and default headings."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from newsletter.common.personal_tokens import format_token
from newsletter.rendering.blocks import (
    AppealBlock,
    Block,
    Brand,
    Divider,
    Document,
    EventCard,
    EventItem,
    Events,
    LeadStory,
    Note,
    Related,
    SchemaBlock,
    StoryCards,
)
from newsletter.rendering.clean_text import SOFT_HYPHEN, tidy_line
from newsletter.rendering.colours import dark_palette, light_palette, put_on_paper
from newsletter.rendering.phrases import find_phrase, find_text_direction
from newsletter.rendering.prepare import PreparedDocument
from newsletter.rendering.typography import Typography, choose_typography

_WORD_BOUNDARY = re.compile(r"(?<=[a-z])(?=[A-Z])")


_DATED = ("letter", "events_first")
ICONS = Path(__file__).parent / "icons"
NAMES = {
    "bluesky": "Bluesky",
    "facebook": "Facebook",
    "instagram": "Instagram",
    "linkedin": "LinkedIn",
    "mastodon": "Mastodon",
    "podcast": "Podcast",
    "telegram": "Telegram",
    "threads": "Threads",
    "tiktok": "TikTok",
    "whatsapp": "WhatsApp",
    "x": "X",
    "youtube": "YouTube",
}
_OTHER_NAMES = {"twitter": "x"}


def find_template_kind(block: Block) -> str:
    """Return the name of a block's templates: the schema's kind, else the block's type in small letters."""
    if isinstance(block, SchemaBlock):
        return block.kind
    return _WORD_BOUNDARY.sub("_", type(block).__name__.removesuffix("Block")).lower()


def build_style_context(document: Document) -> dict[str, object]:
    """Return the light and dark palettes, the sides, and the typography."""
    brand = document.brand
    rtl = document.direction == "rtl"
    look: Typography = choose_typography(brand, language=document.language)
    light = light_palette(colour=brand.colour, accent=brand.accent, background=brand.background)
    dark = dark_palette(colour=brand.colour, accent=brand.accent)
    if document.layout == "plain":
        light, dark = put_on_paper(light), put_on_paper(dark)
    return {
        "light": light,
        "dark": dark,
        "type": look,
        "start": "right" if rtl else "left",
        "end": "left" if rtl else "right",
        "ltr": not rtl,
    }


def build_document_context(prepared: PreparedDocument, *, family: str) -> dict[str, object]:
    """Return what layouts and blocks know of the document. ``family`` is that of the link tokens: u (HTML) or t (text)."""
    document = prepared.document
    icons, named_links = find_icons(document.brand)
    name = document.publication or document.brand.name
    return {
        "document": document,
        "brand": document.brand,
        "name": name,
        "has_own_name": name.replace(SOFT_HYPHEN, "") != document.brand.name,
        "title": prepared.title,
        "headline": document.headline or prepared.title,
        "phrase": lambda key, **values: find_phrase(key, document.language, **values),
        "footer_links": _list_brand_links(document) + ([] if family == "t" else named_links),
        "icons": icons,
        "social": [(name, url) for name, url, _ in icons] + named_links,
        "standfirst": _find_standfirst(prepared, family=family),
        "ends_in_band": document.layout != "plain" and bool(document.blocks) and _is_band(document.blocks[-1]),
        "contents": _list_contents(document),
        "first_event": _find_first_event(document),
        "view_online": document.urls.get("view_online", ""),
        "preferences": format_token(f"{family}_preferences"),
        "unsubscribe": format_token(f"{family}_unsubscribe"),
    }


def build_block_context(document: Document, position: int) -> dict[str, object]:
    """Return a block for its template, with a default heading if it has none, and if a rule goes above it."""
    block, language = document.blocks[position], document.language
    ruled = position > 0 and not _ends_visibly(document.blocks[position - 1])
    extras: dict[str, object] = {"ruled": ruled, "block": block, "language": block.language}
    extras["direction"] = find_text_direction(block.language) if block.language else ""
    match block:
        case SchemaBlock(values=values, key=key):
            fields = {name: _name_fields(value) for name, value in values.items()}
            extras["block"] = SimpleNamespace(key=key, **fields)
        case StoryCards(heading=heading):
            after_lead = any(isinstance(before, LeadStory) for before in document.blocks[:position])
            extras["after_lead"] = after_lead
            extras["heading"] = heading or (find_phrase("more_stories", language) if after_lead else "")
        case Events(kind=kind, heading=heading, note=note, host_url=host_url):
            extras["heading"] = heading or find_phrase(f"events_{kind}", language)
            extras["note"] = note or (find_phrase("host_invitation", language) if kind == "host" else "")
            extras["host_url"] = host_url if kind == "host" else ""
        case Related(heading=heading):
            extras["heading"] = heading or find_phrase("related", language)
    return extras


def _name_fields(value: object) -> object:
    """Return rows as objects, so that a field called “items” is no method of a dictionary."""
    if not isinstance(value, tuple):
        return value
    return tuple(SimpleNamespace(**row) if isinstance(row, Mapping) else row for row in value)


def _ends_visibly(block: Block) -> bool:
    """Return True if a block ends in a line or a band of its own, so that no rule belongs under it."""
    return isinstance(block, Divider) or _is_band(block)


def _is_band(block: Block) -> bool:
    return isinstance(block, AppealBlock) or find_template_kind(block).endswith("_band")


def _find_standfirst(prepared: PreparedDocument, *, family: str) -> str:
    """Return the summary for the masthead of a dated letter: assistants that summarise mails skip hidden text.

    Return "" if the letter begins with the same words.
    """
    document = prepared.document
    if not document.edition or document.layout not in _DATED:
        return ""
    first = document.blocks[0] if document.blocks else None
    begins = first.body_text if isinstance(first, Note) else ""
    if isinstance(first, LeadStory):
        begins = f"{first.story.title}\n{first.story.teaser}"
    if prepared.summary.rstrip("…") in tidy_line(begins.replace(SOFT_HYPHEN, "")):
        return ""
    return prepared.summary if family == "t" else prepared.summary_html


def _list_contents(document: Document) -> list[str]:
    """Return the issue's contents in a few lines: its first stories and the headings of the rest."""
    lines: list[str] = []
    for position, block in enumerate(document.blocks):
        match block:
            case LeadStory(story=story):
                lines.append(story.title)
            case StoryCards(stories=stories):
                lines += [story.title for story in stories[:3]]
            case Events():
                lines.append(str(build_block_context(document, position)["heading"]))
            case EventCard(event=event):
                lines.append(event.title)
    return lines if len(lines) > 1 else []


def _find_first_event(document: Document) -> EventItem | None:
    """Return the event that a layout shows large. The sheet above an event notice has the day of an event in full only."""
    for block in document.blocks:
        match block:
            case EventCard(event=event):
                return event
            case Events(events=(event, *_)) if document.layout != "event_notice":
                return event
    return None


def _list_brand_links(document: Document) -> list[tuple[str, str]]:
    brand, language = document.brand, document.language
    links = [
        (find_phrase("website", language), brand.website),
        (find_phrase("give", language), brand.donate_url),
        (find_phrase("donor_portal", language), brand.donor_portal_url),
    ]
    return [(label, url) for label, url in links if label and url]


def find_icons(brand: Brand) -> tuple[list[tuple[str, str, str]], list[tuple[str, str]]]:
    """Return (name, url, icon's URL) of the networks with an icon, and (name, url) of those without."""
    icons, networks = [], []
    for network, url in brand.social:
        key = network.strip().lower()
        key = _OTHER_NAMES.get(key, key)
        name = NAMES.get(key) or network[:1].upper() + network[1:]
        if not url or not name:
            continue
        if brand.icons_url and key in NAMES:
            icons.append((name, url, f"{brand.icons_url.rstrip('/')}/{key}.png"))
        else:
            networks.append((name, url))
    return icons, networks
