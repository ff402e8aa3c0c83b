"""Parse a web page that holds one story, by its metadata, then by its text."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import urlsplit

import trafilatura
from lxml.html import HtmlElement, tostring
from trafilatura.settings import Document

from newsletter.common.messages import Message
from newsletter.content.parsing.alternates import read_hreflang
from newsletter.content.parsing.entries import Parsed, SetAside, StoryEntry
from newsletter.content.parsing.entry_rules import (
    PROTECTED_REASON,
    BadEntry,
    has_password_form,
    label_entry,
    normalise_date,
    require_title,
)
from newsletter.content.parsing.json_text import as_mapping
from newsletter.content.parsing.markup import clean_html, plain_text, title_text
from newsletter.content.parsing.page_decoding import decode_page, page_text
from newsletter.content.parsing.pages.article import find_page_picture
from newsletter.content.parsing.pages.dates import find_page_date
from newsletter.content.parsing.pages.json_ld import first_text, list_nodes, types_of
from newsletter.content.parsing.pages.link_lists import remove_link_lists
from newsletter.content.parsing.pages.related_links import find_related_stories, remove_related
from newsletter.content.parsing.pages.titles import find_page_title
from newsletter.content.parsing.pseudonyms import find_pseudonyms
from newsletter.content.parsing.teasers import teaser_from_text
from newsletter.content.parsing.text import cut_at_word, tidy
from newsletter.content.parsing.urls import normalise_url, safe_link

_STORY_TYPES = {
    "Article", "NewsArticle", "BlogPosting", "Report", "ReportageNewsArticle", "OpinionNewsArticle",
    "SocialMediaPosting",
    "AnalysisNewsArticle", "BackgroundNewsArticle", "TechArticle",
}  # fmt: skip
_MAX_CATEGORIES = 20
_BODY_CHARS = 200_000


def parse_story_page(body: bytes, *, url: str, content_type: str = "", now: datetime | None = None) -> Parsed:
    """Return the story of a page found at ``url``, with the related stories that it names; ``now`` judges its date."""
    tree = decode_page(body, content_type)
    if tree is None:
        return Parsed(error=Message("The page is empty. Check its address."))
    if has_password_form(page_text(body, content_type)):
        name = label_entry(title="", link=url, number=1)
        return Parsed(set_aside=(SetAside(entry=name, reason=PROTECTED_REASON),))
    meta = _meta(tree)
    node = _main_node(tree, meta, url)
    extracted = _extract(tree, url)
    title = find_page_title(tree, meta=meta, node=node, url=url, guess=str(extracted.get("title") or ""))
    try:
        if not tidy(title):
            raise BadEntry("This page has no title and no heading.")
        story = _story(tree, meta, node, extracted, title=require_title(title), url=url, now=now or datetime.now(UTC))
    except BadEntry as error:
        return Parsed(set_aside=(SetAside(entry=label_entry(title=title, link=url, number=1), reason=error.message),))
    return Parsed(stories=(story,), title=cut_at_word(tidy(meta.get("og:site_name", "")), 300))


def parse_page_picture(body: bytes, *, url: str, content_type: str = "") -> Parsed:
    """Return only the image of a story's page: "picture" and "alt" of ``extra``, and "duration" if it is of a video.

    Each is "" if the page does not name it.
    """
    tree = decode_page(body, content_type)
    if tree is None:
        return Parsed(extra={"picture": "", "alt": "", "duration": ""})
    meta = _meta(tree)
    link, alt = find_page_picture(tree, meta=meta, node=_main_node(tree, meta, url), url=url)
    durations = tree.xpath('//meta[@itemprop="duration"]/@content')
    return Parsed(extra={"picture": link, "alt": alt, "duration": str(durations[0])[:40] if durations else ""})


def _story(
    tree: HtmlElement,
    meta: Mapping[str, str],
    node: Mapping[str, object],
    extracted: Mapping[str, object],
    *,
    title: str,
    url: str,
    now: datetime,
) -> StoryEntry:
    address = _address(tree, meta, url)
    page_text = plain_text(_inner_html(remove_related(tree)))
    text = str(extracted.get("text") or "")
    description = meta.get("og:description") or first_text(node.get("description")) or meta.get("description", "")
    teaser = teaser_from_text(title_text(description), title=title) or teaser_from_text(_lead(text, title), title=title)
    language = _language(tree, meta, node)
    guess = str(extracted.get("date") or "")
    date = find_page_date(tree, meta=meta, node=node, guess=guess, language=language, now=now)
    picture, alt = find_page_picture(tree, meta=meta, node=node, url=url)
    story = StoryEntry(
        external_id=address[:500],
        url=address,
        title=title,
        teaser=teaser,
        body_html=_paragraphs(text, title),
        picture_url=picture,
        picture_alt=alt,
        author=_author(meta, node, extracted),
        published_at=normalise_date(date.moment, now=now),
        language=language,
        categories=_categories(meta, node),
        related=find_related_stories(tree, base_url=url, own_url=address),
        addresses=_addresses(tree, meta, url),
        translations=read_hreflang((link.attrib for link in tree.iter("link")), base_url=url),
        note=date.note,
    )
    return replace(story, pseudonyms=find_pseudonyms(title, teaser, page_text))


def _main_node(tree: HtmlElement, meta: Mapping[str, str], url: str) -> Mapping[str, Any]:
    """Return the JSON-LD node of the page's own story, or {} if the page describes only other stories."""
    nodes = [node for node in list_nodes(tree) if _STORY_TYPES & set(types_of(node))]
    own_addresses = {normalise_url(link) for link in (url, _address(tree, meta, url)) if link}
    titles = {tidy(heading.text_content()).casefold() for heading in tree.iter("h1")}
    titles |= {title_text(meta.get("og:title", "")).casefold()} - {""}
    candidates = [
        (node, _node_pages(node, url), title_text(first_text(node.get("headline"))).casefold()) for node in nodes
    ]
    for node, pages, headline in candidates:
        if own_addresses & pages or (headline and any(headline in title for title in titles)):
            return node
    return next((node for node, pages, _ in candidates if not pages), {})


def _node_pages(node: Mapping[str, object], url: str) -> set[str]:
    """Return the page names that a node gives as its own."""
    main = node.get("mainEntityOfPage")
    values = (node.get("url"), node.get("@id"), as_mapping(main).get("@id") or as_mapping(main).get("url") or main)
    links = (safe_link(first_text(value), base_url=url) for value in values if value and not isinstance(value, bool))
    return {normalise_url(link) for link in links if link}


def _extract(tree: HtmlElement, url: str) -> Mapping[str, Any]:
    """Return the extraction library's result: the text without menus, and guesses at author and date."""
    page = remove_related(tree)
    remove_link_lists(page)
    try:
        extracted = trafilatura.bare_extraction(
            page,
            url=url,
            with_metadata=True,
            include_comments=False,
            include_tables=False,
            date_extraction_params={"extensive_search": False, "original_date": True},
        )
    except (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError, AssertionError):
        return {}
    return extracted.as_dict() if isinstance(extracted, Document) else {}


def _meta(tree: HtmlElement) -> dict[str, str]:
    """Return the page's meta tags by lower-case name. The first of each name counts; article tags are joined by newlines."""
    values: dict[str, str] = {}
    for tag in tree.iter("meta"):
        name = str(tag.get("property") or tag.get("name") or tag.get("itemprop") or "").strip().lower()
        content = str(tag.get("content") or "").strip()
        if not name or not content:
            continue
        if name == "article:tag" and name in values:
            values[name] += f"\n{content}"
        values.setdefault(name, content)
    return values


def _address(tree: HtmlElement, meta: Mapping[str, str], url: str) -> str:
    """Return the page's canonical address if it is on the same site, else the address where it was found."""
    canonical = next((str(link.get("href") or "") for link in tree.iter("link") if link.get("rel") == "canonical"), "")
    for candidate in (canonical, meta.get("og:url", "")):
        safe = safe_link(candidate, base_url=url)
        if safe and urlsplit(safe).hostname == urlsplit(url).hostname and urlsplit(safe).path.strip("/"):
            return safe
    return url


def _addresses(tree: HtmlElement, meta: Mapping[str, str], url: str) -> tuple[str, ...]:
    """Return the page's addresses on its own site: where it was found, its canonical and short link, its ``og:url``."""
    links = [str(link.get("href") or "") for link in tree.iter("link") if link.get("rel") in ("canonical", "shortlink")]
    safe = [safe_link(link, base_url=url) for link in (url, *links, meta.get("og:url", ""))]
    return tuple(
        dict.fromkeys(address for address in safe if address and urlsplit(address).hostname == urlsplit(url).hostname)
    )


def _author(meta: Mapping[str, str], node: Mapping[str, object], extracted: Mapping[str, object]) -> str:
    raw = node.get("author")
    names = [title_text(first_text(author)) for author in (raw if isinstance(raw, list) else [raw])]
    author = ", ".join(name for name in names if name and not name.startswith("http"))
    if not author:
        candidates = (meta.get("author", ""), meta.get("article:author", ""), str(extracted.get("author") or ""))
        author = next((title_text(name) for name in candidates if name and not name.startswith("http")), "")
    return cut_at_word(author, 200)


def _language(tree: HtmlElement, meta: Mapping[str, str], node: Mapping[str, object]) -> str:
    tag = str(tree.get("lang") or "") or first_text(node.get("inLanguage")) or meta.get("og:locale", "")
    return tag.strip().replace("_", "-")[:35]


def _categories(meta: Mapping[str, str], node: Mapping[str, object]) -> tuple[str, ...]:
    names: list[str] = []
    for raw in (node.get("articleSection"), node.get("keywords")):
        names += [str(item) for item in raw] if isinstance(raw, list) else first_text(raw).split(",")
    names += [meta.get("article:section", ""), *meta.get("article:tag", "").split("\n")]
    tidied = (title_text(name) for name in names)
    return tuple(dict.fromkeys(cut_at_word(name, 100) for name in tidied if name))[:_MAX_CATEGORIES]


def _inner_html(tree: HtmlElement) -> str:
    return str(tostring(tree, encoding="unicode"))[: _BODY_CHARS * 2]


def _body_lines(text: str, title: str) -> Iterable[str]:
    return (line for line in (tidy(part) for part in text.split("\n")) if line and line != title)


def _lead(text: str, title: str) -> str:
    return next((line for line in _body_lines(text, title) if len(line) > 40), "")


def _paragraphs(text: str, title: str) -> str:
    return clean_html("".join(f"<p>{escape(line)}</p>" for line in _body_lines(text[:_BODY_CHARS], title)))
