"""Parse posts of a WordPress REST interface into stories."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from newsletter.common.iso_time import parse_iso_time
from newsletter.common.messages import Message
from newsletter.content.parsing.alternates import read_wordpress, read_wordpress_language
from newsletter.content.parsing.entries import Parsed, StoryEntry
from newsletter.content.parsing.entry_rules import (
    BROKEN_CHARACTERS,
    PROTECTED_REASON,
    BadEntry,
    has_password_form,
    label_entry,
    normalise_date,
    read_entries,
    require_link,
    require_title,
)
from newsletter.content.parsing.feeds.wordpress_addresses import (
    get_site_url,
    short_address,
)
from newsletter.content.parsing.json_text import BadJson, as_mapping, has_broken_characters, read_json
from newsletter.content.parsing.markup import clean_html, plain_text, title_text
from newsletter.content.parsing.pictures import find_picture_in_html, is_story_image, parse_pixels
from newsletter.content.parsing.pseudonyms import find_pseudonyms
from newsletter.content.parsing.shortcodes import remove_shortcodes
from newsletter.content.parsing.teasers import teaser_from_html
from newsletter.content.parsing.text import cut_at_word
from newsletter.content.parsing.urls import safe_link

_BODY_CHARS = 200_000
_MAX_PICTURE_WIDTH = 1600
_MAX_PAGES = 50
_MAX_CATEGORIES = 20


def total_pages(headers: Mapping[str, str]) -> int:
    """Return the number of pages of posts by the answer's headers (names in any case), from 1 to 50."""
    value = next((text for name, text in headers.items() if name.lower() == "x-wp-totalpages"), "")
    return max(1, min(int(value[:6]), _MAX_PAGES)) if value.isascii() and value.isdigit() else 1


def parse_posts(body: bytes, *, url: str, now: datetime | None = None) -> Parsed:
    """Return the stories of one page of posts found at ``url``; ``now`` judges dates in the future."""
    moment = now or datetime.now(UTC)
    try:
        data = read_json(body)
    except BadJson:
        return Parsed(
            error=Message(
                "The site does not answer like WordPress. Check that its address is right and its REST interface is on."
            )
        )
    if isinstance(data, dict) and "code" in data:
        problem = title_text(str(data.get("message") or data["code"]))
        return Parsed(
            error=Message(
                "The WordPress site refused: “%(said)s”. Ask whoever runs it to open its posts.",
                said=cut_at_word(problem, 200),
            )
        )
    if not isinstance(data, list):
        return Parsed(
            error=Message("The site answered, but not with a list of posts. Check that it is a WordPress site.")
        )

    def parse(raw: object) -> StoryEntry:
        if has_broken_characters(raw):
            raise BadEntry(BROKEN_CHARACTERS)
        return _read_post(as_mapping(raw), url=url, now=moment)

    def label(raw: object, number: int) -> str:
        post = as_mapping(raw)
        return label_entry(title=title_text(_rendered(post, "title")), link=str(post.get("link") or ""), number=number)

    stories, aside = read_entries(data, parse=parse, label=label, identify=lambda story: story.external_id)
    return Parsed(stories=stories, set_aside=aside)


def _list(raw: object) -> list[Any]:
    return raw if isinstance(raw, list) else []


def _rendered(post: Mapping[str, object], field: str) -> str:
    value = post.get(field)
    text = value.get("rendered") if isinstance(value, dict) else value
    return text[:_BODY_CHARS] if isinstance(text, str) else ""


def _read_post(post: Mapping[str, object], *, url: str, now: datetime) -> StoryEntry:
    title = require_title(title_text(_rendered(post, "title")))
    if any(as_mapping(post.get(part)).get("protected") for part in ("content", "excerpt")) or has_password_form(
        _rendered(post, "content")
    ):
        raise BadEntry(PROTECTED_REASON)
    if post.get("status") not in (None, "publish"):
        raise BadEntry("This post is not published.")
    link = require_link(str(post.get("link") or ""), base_url=url)
    html = _rendered(post, "content")
    excerpt = _rendered(post, "excerpt")
    text = f"{plain_text(html)}\n{plain_text(excerpt)}"
    teaser = teaser_from_html(excerpt, html, title=title)
    embedded = as_mapping(post.get("_embedded"))
    picture, alt = _featured(embedded, base_url=link)
    if not picture:
        picture, alt = find_picture_in_html(html, base_url=link)
    identity = post.get("id")
    return StoryEntry(
        external_id=str(identity) if isinstance(identity, int | str) and identity else link[:500],
        url=link,
        title=title,
        teaser=teaser,
        body_html=clean_html(remove_shortcodes(html), base_url=link),
        picture_url=picture,
        picture_alt=alt,
        author=_authors(embedded),
        published_at=normalise_date(
            parse_iso_time(str(post.get("date_gmt") or "")) or parse_iso_time(str(post.get("date") or "")), now=now
        ),
        language=read_wordpress_language(post),
        categories=_terms(embedded),
        pseudonyms=find_pseudonyms(title, teaser, text),
        addresses=_addresses(post, url=url),
        translations=read_wordpress(post, home=get_site_url(url), base_url=link),
    )


def _addresses(post: Mapping[str, object], *, url: str) -> tuple[str, ...]:
    """Return the post's other addresses: the short one, and the one that its feed names."""
    identity, guid = post.get("id"), safe_link(_rendered(post, "guid"), base_url=url)
    short = short_address(get_site_url(url), str(identity)) if isinstance(identity, int) else ""
    return tuple(dict.fromkeys(address for address in (guid, short) if address))


def _featured(embedded: Mapping[str, object], *, base_url: str) -> tuple[str, str]:
    """Return the featured image in the widest useful size, and its alt text."""
    for raw in _list(embedded.get("wp:featuredmedia")):
        media = as_mapping(raw)
        if media.get("media_type") not in (None, "image"):
            continue
        sizes = [as_mapping(size) for size in as_mapping(as_mapping(media.get("media_details")).get("sizes")).values()]
        usable = [size for size in sizes if 600 <= _width(size) <= _MAX_PICTURE_WIDTH]
        best = max(usable, key=_width, default=media)
        link = safe_link(str(best.get("source_url") or media.get("source_url") or ""), base_url=base_url)
        if link and is_story_image(link):
            return link, cut_at_word(title_text(str(media.get("alt_text") or "")), 300)
    return "", ""


def _width(size: Mapping[str, object]) -> int:
    width = size.get("width")
    return parse_pixels(width)


def _authors(embedded: Mapping[str, object]) -> str:
    names = [title_text(str(as_mapping(author).get("name") or "")) for author in _list(embedded.get("author"))]
    return cut_at_word(", ".join(name for name in names if name), 200)


def _terms(embedded: Mapping[str, object]) -> tuple[str, ...]:
    """Return the names of categories, then of tags, without "Uncategorized"."""
    terms: list[tuple[int, str]] = []
    for group in _list(embedded.get("wp:term")):
        for raw in _list(group):
            term = as_mapping(raw)
            name = title_text(str(term.get("name") or ""))
            if name and str(term.get("slug") or "") != "uncategorized":
                terms.append((0 if term.get("taxonomy") == "category" else 1, cut_at_word(name, 100)))
    return tuple(dict.fromkeys(name for _, name in sorted(terms, key=lambda pair: pair[0])))[:_MAX_CATEGORIES]
