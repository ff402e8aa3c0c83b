"""Parse JSON Feed 1.0 and 1.1 documents into stories."""

from collections.abc import Mapping
from datetime import datetime
from html import unescape

from newsletter.common.messages import Message
from newsletter.content.parsing.dates import parse_date_text
from newsletter.content.parsing.entries import Parsed, StoryEntry
from newsletter.content.parsing.entry_rules import (
    BROKEN_CHARACTERS,
    PROTECTED_REASON,
    BadEntry,
    is_protected_entry,
    label_entry,
    normalise_date,
    read_entries,
    require_link,
    require_title,
)
from newsletter.content.parsing.feeds.recordings import AUDIO, VIDEO, read_duration
from newsletter.content.parsing.json_text import BadJson, as_mapping, has_broken_characters, read_json, read_text
from newsletter.content.parsing.markup import clean_html, plain_text
from newsletter.content.parsing.pictures import find_alt_in_html, find_picture_in_html, is_story_image
from newsletter.content.parsing.pseudonyms import find_pseudonyms
from newsletter.content.parsing.shortcodes import remove_shortcodes
from newsletter.content.parsing.teasers import teaser_from_html, teaser_from_text
from newsletter.content.parsing.text import cut_at_word, tidy
from newsletter.content.parsing.urls import safe_link

_BODY_CHARS = 200_000
_MAX_CATEGORIES = 20


def looks_like_json(body: bytes, content_type: str) -> bool:
    """Return True if a document is meant to be JSON, by its first character or by its type."""
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    return start in (b"{", b"[") or ("json" in content_type.lower() and start != b"<")


def parse_json_feed(body: bytes, *, url: str, now: datetime) -> Parsed:
    """Return the stories of a JSON Feed. A title is text: its entities are decoded once, and apparent markup stays."""
    try:
        data = read_json(body)
    except BadJson:
        return Parsed(error=Message("This feed is JSON that is damaged or cut off, so it cannot be read."))
    if not isinstance(data, dict) or not isinstance(data.get("items"), list):
        return Parsed(
            error=Message("This is JSON but not a JSON Feed. Check the address, or choose another kind of source.")
        )
    language = tidy(read_text(data, "language"))

    def parse(raw: object) -> StoryEntry:
        if has_broken_characters(raw):
            raise BadEntry(BROKEN_CHARACTERS)
        return _read_item(as_mapping(raw), url=url, language=language, now=now)

    def label(raw: object, number: int) -> str:
        item = as_mapping(raw)
        return label_entry(title=unescape(read_text(item, "title")), link=read_text(item, "url"), number=number)

    stories, aside = read_entries(data["items"], parse=parse, label=label, identify=lambda story: story.external_id)
    extra = {"version": "json", "link": safe_link(read_text(data, "home_page_url"), base_url=url)}
    return Parsed(
        stories=stories, set_aside=aside, title=cut_at_word(tidy(unescape(read_text(data, "title"))), 300), extra=extra
    )


def _read_item(item: Mapping[str, object], *, url: str, language: str, now: datetime) -> StoryEntry:
    title = require_title(unescape(read_text(item, "title")))
    link = require_link(read_text(item, "url") or read_text(item, "external_url"), base_url=url)
    html = read_text(item, "content_html")[:_BODY_CHARS]
    summary, plain = read_text(item, "summary"), tidy(read_text(item, "content_text")[:_BODY_CHARS], keep_lines=True)
    text = "\n".join(part for part in (plain, plain_text(html), summary) if part)
    if is_protected_entry(title=title, text=summary or text, html=html):
        raise BadEntry(PROTECTED_REASON)
    teaser = teaser_from_text(summary, title=title) or teaser_from_text(plain, title=title)
    teaser = teaser or teaser_from_html(html, title=title)
    picture, alt = _picture(item, html, base_url=link)
    spoken = (read_text(item, "language") or language)[:35]
    date = parse_date_text(
        read_text(item, "date_published") or read_text(item, "date_modified"), language=spoken, now=now
    )
    media, seconds = _recording(item)
    tags = item.get("tags")
    names = [tidy(str(tag)) for tag in tags] if isinstance(tags, list) else []
    return StoryEntry(
        external_id=(read_text(item, "id") or link)[:500],
        url=link,
        title=title,
        teaser=teaser,
        body_html=clean_html(remove_shortcodes(html), base_url=link),
        picture_url=picture,
        picture_alt=alt,
        author=_author(item),
        published_at=normalise_date(date.moment, now=now),
        language=spoken,
        categories=tuple(dict.fromkeys(cut_at_word(name, 100) for name in names if name))[:_MAX_CATEGORIES],
        pseudonyms=find_pseudonyms(title, teaser, text),
        addresses=(identity,) if (identity := read_text(item, "id")).startswith(("http://", "https://")) else (),
        note=date.note,
        media=media,
        seconds=seconds,
    )


def _attachments(item: Mapping[str, object]) -> list[Mapping[str, object]]:
    attached = item.get("attachments")
    return [as_mapping(attachment) for attachment in attached] if isinstance(attached, list) else []


def _recording(item: Mapping[str, object]) -> tuple[str, int]:
    """Return the medium of the first recording that is attached, and its seconds, or ("", 0)."""
    for file in _attachments(item):
        medium = read_text(file, "mime_type").partition("/")[0].lower()
        if medium in (VIDEO, AUDIO):
            return medium, read_duration(read_text(file, "duration_in_seconds").partition(".")[0])
    return "", 0


def _picture(item: Mapping[str, object], html: str, *, base_url: str) -> tuple[str, str]:
    """Return the image that the item names, else one that it attaches, else the first in its text."""
    urls = [read_text(item, "image"), read_text(item, "banner_image")]
    urls += [read_text(file, "url") for file in _attachments(item) if read_text(file, "mime_type").startswith("image/")]
    for link in urls:
        safe = safe_link(link, base_url=base_url)
        if safe and is_story_image(safe):
            return safe, find_alt_in_html(html, url=safe)
    return find_picture_in_html(html, base_url=base_url)


def _author(item: Mapping[str, object]) -> str:
    authors = item.get("authors")
    people = authors if isinstance(authors, list) else [item.get("author")]
    names = [tidy(read_text(as_mapping(person), "name")) for person in people]
    return cut_at_word(", ".join(name for name in names if name), 200)
