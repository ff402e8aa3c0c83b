"""Parse RSS, Atom and JSON Feed documents into stories. It opens no file and no address."""

import calendar
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from typing import Any

import feedparser

from newsletter.common.messages import Message
from newsletter.content.parsing.alternates import read_hreflang
from newsletter.content.parsing.dates import ParsedDate, parse_date_text, read_standard_date
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
from newsletter.content.parsing.feeds.json_feed import looks_like_json, parse_json_feed
from newsletter.content.parsing.feeds.recordings import find_recording
from newsletter.content.parsing.markup import clean_html, plain_text, title_text
from newsletter.content.parsing.markup_safety import has_internal_subset, is_deep_xml
from newsletter.content.parsing.pictures import MEDIA_DESCRIPTION_FIELD, find_named_picture, find_picture_in_html
from newsletter.content.parsing.pseudonyms import find_pseudonyms
from newsletter.content.parsing.shortcodes import remove_shortcodes
from newsletter.content.parsing.teasers import teaser_from_html
from newsletter.content.parsing.text import cut_at_word, tidy
from newsletter.content.parsing.urls import safe_link

_SUMMARY_BYTES = 20_000
_BODY_CHARS = 200_000
_MAX_CATEGORIES = 20
_MEDIA_DESCRIPTION = re.compile(rb"(</?)media:description\b")
_FEED_LINK = re.compile(
    rb"<link\b[^>]*type=[\"']application/(?:rss|atom)\+xml[\"'][^>]*href=[\"']([^\"'>]{1,500})", re.IGNORECASE
)
_REFERENCE = re.compile(rb"&#(?:[xX](?P<hex>[0-9a-fA-F]{1,20})|(?P<dec>[0-9]{1,20}));?")
_MARK = "\ufdd0"
_MARKED = f"&#x{ord(_MARK):X};".encode()
_FIELDS = ("title", "link", "id", "summary", "author")


def parse_feed(body: bytes, *, content_type: str, url: str, now: datetime | None = None) -> Parsed:
    """Return the stories of a feed found at ``url``; ``now`` judges dates in the future. Set ``error`` if it is no feed."""
    moment = now or datetime.now(UTC)
    if looks_like_json(body, content_type):
        return parse_json_feed(body, url=url, now=moment)
    if has_internal_subset(body, content_type=content_type):
        return Parsed(
            error=Message(
                "This feed carries definitions of its own (a DOCTYPE with entities), which are not read for safety."
            )
        )
    if is_deep_xml(body):
        return Parsed(
            error=Message(
                "This feed is nested too deeply, so it was not read. Ask the people who run it to correct it."
            )
        )
    if not body.strip():
        return Parsed(error=Message("The address gave an empty document. Check that it is the address of the feed."))
    try:
        document = feedparser.parse(
            mark_bad_references(_rename_media_descriptions(body)),
            response_headers={"content-type": content_type, "content-location": url},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except (ValueError, LookupError):
        return Parsed(error=Message("This feed is damaged, so it cannot be read. Ask whoever runs it to look at it."))
    if not document.get("version") and not document.entries:
        return Parsed(error=_not_a_feed(body, url))
    feed: Mapping[str, Any] = document.feed
    literal = str(document.get("version", "")).startswith("atom")
    language = str(feed.get("language") or "")
    cover = str((feed.get("image") or {}).get("href") or "")

    def parse(raw: Mapping[str, object]) -> StoryEntry:
        return _read_entry(raw, url=url, literal=literal, language=language, cover=cover, now=moment)

    def label(raw: Mapping[str, object], number: int) -> str:
        return label_entry(title=_title(raw, literal), link=str(raw.get("link") or ""), number=number)

    stories, aside = read_entries(document.entries, parse=parse, label=label, identify=lambda story: story.external_id)
    stories = tuple(replace(story, addresses=_exclude_invented(story.addresses, body)) for story in stories)
    extra = {"version": str(document.get("version", "")), "link": safe_link(str(feed.get("link") or ""), base_url=url)}
    return Parsed(stories=stories, set_aside=aside, title=_feed_title(feed, literal), extra=extra)


def _rename_media_descriptions(body: bytes) -> bytes:
    """Rename ``media:description``, which feedparser would take for the entry's own summary."""
    return _MEDIA_DESCRIPTION.sub(rb"\1media:" + MEDIA_DESCRIPTION_FIELD.encode(), body)


def _not_a_feed(body: bytes, url: str) -> str:
    match = _FEED_LINK.search(body[:200_000])
    link = safe_link(match[1].decode("utf-8", "replace"), base_url=url) if match else ""
    if link:
        return Message("This is a web page, not a feed. The page says that its feed is at %(link)s", link=link)
    return Message("This is not a feed (RSS, Atom or JSON Feed). Check the address, or choose another kind of source.")


def _title(raw: Mapping[str, Any], literal: bool) -> str:
    """Return an Atom title of type text unchanged; remove the markup of any other and decode its entities once."""
    value = str(raw.get("title") or "")
    kind = str((raw.get("title_detail") or {}).get("type") or "")
    return tidy(value) if literal and kind == "text/plain" else title_text(value)


def _feed_title(feed: Mapping[str, object], literal: bool) -> str:
    """Return the feed's own title, or "" if it is damaged, which does not affect its entries."""
    try:
        return cut_at_word(_title(feed, literal), 300)
    except ValueError:
        return ""


def _read_entry(
    raw: Mapping[str, Any], *, url: str, literal: bool, language: str, cover: str, now: datetime
) -> StoryEntry:
    """Return the story. ``cover`` is the image of the whole feed, for recordings without their own."""
    if has_bad_reference(raw):
        raise BadEntry(BROKEN_CHARACTERS)
    title = require_title(_title(raw, literal))
    recording = find_recording(raw)
    link = require_link(_find_link(raw, language=language) or (recording.url if recording else ""), base_url=url)
    html = _longest_html(raw)
    summary = str(raw.get("summary") or "")[:_SUMMARY_BYTES]
    described = str(raw.get(f"media_{MEDIA_DESCRIPTION_FIELD}") or "")
    if recording and described and not summary and not html:
        # The description is of the recording, not of its image.
        raw, summary = {**raw, f"media_{MEDIA_DESCRIPTION_FIELD}": title}, escape(described[:_SUMMARY_BYTES])
    text = "\n".join(plain_text(part) for part in (html, summary) if part)
    if is_protected_entry(title=title, text=plain_text(summary), html=html + summary):
        raise BadEntry(PROTECTED_REASON)
    teaser = teaser_from_html(summary, html, title=title)
    picture, alt = find_named_picture(raw, base_url=link, html=html or summary)
    if not picture:
        picture, alt = find_picture_in_html(html or summary, base_url=link)
    if not picture and recording:
        picture, alt = safe_link(cover, base_url=url), ""
    detail = raw.get("title_detail") or {}
    spoken = str(raw.get("language") or detail.get("language") or language or "")[:35]
    date = _date(raw, language=spoken, now=now)
    return StoryEntry(
        external_id=str(raw.get("id") or link)[:500],
        url=link,
        title=title,
        teaser=teaser,
        body_html=clean_html(remove_shortcodes(html or summary), base_url=link),
        picture_url=picture,
        picture_alt=alt,
        author=cut_at_word(title_text(str(raw.get("author_detail", {}).get("name") or raw.get("author") or "")), 200),
        published_at=normalise_date(date.moment, now=now),
        language=spoken,
        categories=_categories(raw),
        pseudonyms=find_pseudonyms(title, teaser, text),
        addresses=_addresses(raw, base_url=url),
        translations=read_hreflang(raw.get("links") or [], base_url=url),
        note=date.note,
        media=recording.media if recording else "",
        seconds=recording.seconds if recording else 0,
    )


def _find_link(raw: Mapping[str, Any], *, language: str) -> str:
    """Return the entry's own link. feedparser uses the last alternate, which may be a translation."""
    link = str(raw.get("link") or "")
    alternates = [
        link_entry
        for link_entry in raw.get("links") or []
        if link_entry.get("rel") == "alternate" and link_entry.get("href")
    ]
    if not any(link_entry.get("hreflang") and link_entry["href"] == link for link_entry in alternates):
        return link
    without_language = next(
        (
            link_entry
            for link_entry in alternates
            if not link_entry.get("hreflang") and "html" in str(link_entry.get("type"))
        ),
        None,
    )
    spoken = str(raw.get("language") or language or "").lower()
    same = next((link_entry for link_entry in alternates if str(link_entry.get("hreflang")).lower() == spoken), None)
    return str((without_language or same or alternates[0])["href"])


def _addresses(raw: Mapping[str, Any], *, base_url: str) -> tuple[str, ...]:
    """Return the entry's other addresses: its identity, the link before a counting service, its short link."""
    links = (link for link in raw.get("links") or [] if link.get("rel") in ("shortlink", "canonical"))
    addresses = [raw.get("id"), raw.get("feedburner_origlink"), *(link.get("href") for link in links)]
    urls = (str(url) for url in addresses if url and str(url).startswith(("http://", "https://")))
    return tuple(dict.fromkeys(url for url in urls if safe_link(url, base_url=base_url)))


def _exclude_invented(addresses: tuple[str, ...], body: bytes) -> tuple[str, ...]:
    """Return only the addresses that the feed contains: feedparser makes an address of any identity, such as “1”."""
    return tuple(url for url in addresses if url.encode() in body or escape(url).encode() in body)


def _longest_html(raw: Mapping[str, Any]) -> str:
    parts = [str(part.get("value") or "") for part in raw.get("content") or []]
    return max(parts, key=len, default="")[:_BODY_CHARS]


def _date(raw: Mapping[str, object], *, language: str, now: datetime) -> ParsedDate:
    fields = (field for field in ("published", "updated", "created") if field in raw)
    date_text = next((str(raw[field]) for field in fields if raw[field]), "")
    moment = read_standard_date(date_text) or _moment(raw)  # feedparser takes CET or BST for UTC
    return ParsedDate(moment) if moment else parse_date_text(date_text, language=language, now=now)


def _moment(raw: Mapping[str, Any]) -> datetime | None:
    for field in ("published_parsed", "updated_parsed", "created_parsed"):
        parts = raw.get(field) if field in raw else None
        if parts:
            try:
                return datetime.fromtimestamp(calendar.timegm(parts), tz=UTC)
            except (ValueError, OverflowError, OSError):
                continue
    return None


def _categories(raw: Mapping[str, Any]) -> tuple[str, ...]:
    names = (title_text(str(tag.get("label") or tag.get("term") or "")) for tag in raw.get("tags") or [])
    return tuple(dict.fromkeys(cut_at_word(name, 100) for name in names if name))[:_MAX_CATEGORIES]


def mark_bad_references(body: bytes) -> bytes:
    """Return the document with a mark for each reference to a surrogate, to NUL, or beyond the last character."""
    return _REFERENCE.sub(_mark, body)


def has_bad_reference(entry: Mapping[str, Any]) -> bool:
    """Return True if a text of the entry has such a mark."""
    texts = [str(entry.get(name) or "") for name in _FIELDS]
    texts += [str(part.get("value") or "") for part in entry.get("content") or []]
    return any(_MARK in text for text in texts)


def _mark(match: "re.Match[bytes]") -> bytes:
    code = int(match["hex"], 16) if match["hex"] else int(match["dec"])
    bad = code == 0 or 0xD800 <= code <= 0xDFFF or code > 0x10FFFF
    return _MARKED if bad else match[0]
