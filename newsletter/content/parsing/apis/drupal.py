"""Parse nodes of Drupal's JSON:API (drupal.org/docs/core-modules-and-themes/core-modules/jsonapi-module)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from urllib.parse import urljoin, urlsplit, urlunsplit

from newsletter.common.iso_time import parse_iso_time
from newsletter.content.fetching.credentials import replace_parameters
from newsletter.content.parsing.apis.answers import Node, NodeReader, changed_shape, read_answer, read_page
from newsletter.content.parsing.entries import Parsed, StoryEntry
from newsletter.content.parsing.entry_rules import BadEntry, normalise_date, require_link, require_title
from newsletter.content.parsing.json_text import as_mapping, read_text
from newsletter.content.parsing.markup import clean_html, plain_text, title_text
from newsletter.content.parsing.pictures import find_picture_in_html, is_story_image, tidy_alt
from newsletter.content.parsing.pseudonyms import find_pseudonyms
from newsletter.content.parsing.shortcodes import remove_shortcodes
from newsletter.content.parsing.teasers import teaser_from_html
from newsletter.content.parsing.text import cut_at_word
from newsletter.content.parsing.urls import safe_link

INCLUDE = "include"
"""Key of ``Parsed.extra``: the address of the same page with the images and terms that its nodes refer to."""
_PER_PAGE = 50
_COLLECTION = "/jsonapi/node/article"
_MEDIA_FILE = "field_media_image"
_BODY_CHARS = 200_000
_MAX_INCLUDES, _MAX_CATEGORIES = 8, 20
Included = Mapping[tuple[str, str], Node]


def drupal_url(address: str, now: datetime) -> str:
    """Return the address of the newest published nodes. ``address`` is the site's, or that of one collection.

    Filters in the address stay.
    """
    parts = urlsplit(address)
    path = parts.path.rstrip("/")
    collection = path if "/jsonapi/" in path else path.removesuffix("/jsonapi") + _COLLECTION
    url = urlunsplit((parts.scheme, parts.netloc, collection, parts.query, ""))
    query = {"filter[status]": "1", "sort": "-created", "page[limit]": str(_PER_PAGE)}
    return replace_parameters(url, remove=[*query, "page[offset]"], add=query)


def parse_drupal_nodes(body: bytes, *, url: str, now: datetime) -> Parsed:
    """Return the published nodes of one page, with the images and terms that the answer includes."""
    data = read_answer(body)
    nodes = data.get("data")
    if not isinstance(nodes, list):
        return changed_shape("Drupal")
    listed = data.get("included")
    included = {
        (read_text(item, "type"), read_text(item, "id")): item
        for item in (listed if isinstance(listed, list) else [])
        if isinstance(item, dict)
    }
    link = as_mapping(data.get("links")).get("next")
    parsed = read_page(
        nodes,
        NodeReader(
            parse=lambda node: _read_node(node, included, url=url, now=now),
            identify=lambda node: read_text(node, "id"),
            title_of=lambda node: read_text(as_mapping(node.get("attributes")), "title"),
            is_private=lambda node: as_mapping(node.get("attributes")).get("status") is False,
        ),
        now=now,
        url=url,
        next_url=str(as_mapping(link).get("href") or "") or (link if isinstance(link, str) else ""),
    )
    if not re.search(r"[?&]include=", url) and (includes := _list_includes(nodes)):
        with_them = replace_parameters(url, remove=["include"], add={"include": ",".join(includes)})
        return replace(parsed, extra={**parsed.extra, INCLUDE: with_them})
    return parsed


def _list_includes(nodes: list[object]) -> list[str]:
    """Return the relationships that lead to images and terms, as the ``include`` parameter names them."""
    names: dict[str, None] = {}
    for node in nodes:
        for name, relation in as_mapping(as_mapping(node).get("relationships")).items():
            for target in _targets(relation):
                kind = read_text(target, "type")
                if kind == "file--file" or kind.startswith("taxonomy_term--"):
                    names[name] = None
                elif kind == "media--image":
                    names[f"{name}.{_MEDIA_FILE}"] = None
    return list(names)[:_MAX_INCLUDES]


def _targets(relation: object) -> list[Node]:
    data = as_mapping(relation).get("data")
    return [as_mapping(item) for item in (data if isinstance(data, list) else [data]) if isinstance(item, dict)]


def _read_node(node: Node, included: Included, *, url: str, now: datetime) -> StoryEntry:
    attributes = as_mapping(node.get("attributes"))
    title = require_title(title_text(read_text(attributes, "title")))
    link = require_link(_find_address(attributes, url=url), base_url=url)
    text, summary = _find_body(attributes)
    html = text[:_BODY_CHARS]
    teaser = teaser_from_html(summary, html, title=title)
    picture, alt = _find_image(node, included, base_url=link)
    if not picture:
        picture, alt = find_picture_in_html(html, base_url=link)
    identity = read_text(node, "id")
    if not identity:
        raise BadEntry("This entry has no id.")
    number = read_text(attributes, "drupal_internal__nid")
    plain = urljoin(_home(url), f"node/{number}") if number else ""
    return StoryEntry(
        external_id=identity[:500],
        url=link,
        title=title,
        teaser=teaser,
        body_html=clean_html(remove_shortcodes(html), base_url=link),
        picture_url=picture,
        picture_alt=alt,
        published_at=normalise_date(parse_iso_time(read_text(attributes, "created")), now=now),
        language=_language(read_text(attributes, "langcode")),
        categories=_find_terms(node, included),
        pseudonyms=find_pseudonyms(title, teaser, f"{plain_text(html)}\n{plain_text(summary)}"),
        addresses=(plain,) if plain and plain != link else (),
    )


def _home(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, f"{parts.path.partition('/jsonapi')[0]}/", "", ""))


def _find_address(attributes: Node, *, url: str) -> str:
    """Return the node's page: its alias, else its number."""
    alias = read_text(as_mapping(attributes.get("path")), "alias")
    number = read_text(attributes, "drupal_internal__nid")
    path = alias.lstrip("/") or (f"node/{number}" if number else "")
    return urljoin(_home(url), path) if path else ""


def _find_body(attributes: Node) -> tuple[str, str]:
    """Return the HTML of the longest text field, and its summary or that of a field named for it."""
    fields = [as_mapping(value) for value in attributes.values() if isinstance(value, dict) and "processed" in value]
    body = max(fields, key=lambda field: len(read_text(field, "processed")), default={})
    summary = read_text(body, "summary") or read_text(attributes, "field_description")
    return read_text(body, "processed"), summary or read_text(attributes, "field_summary")


def _follow(node: Node, included: Included) -> Iterator[tuple[Node, Node]]:
    """Yield (the reference, the object that the answer includes for it)."""
    for relation in as_mapping(node.get("relationships")).values():
        for target in _targets(relation):
            referenced = included.get((read_text(target, "type"), read_text(target, "id")))
            if referenced is not None:
                yield target, referenced


def _find_image(node: Node, included: Included, *, base_url: str) -> tuple[str, str]:
    """Return the first image file that the node refers to, directly or through a media entity, and its alt text."""
    for reference, item in _follow(node, included):
        pairs = [(reference, item)]
        if read_text(item, "type") == "media--image":
            pairs = list(_follow(item, included))
        for target, file in pairs:
            uri = as_mapping(as_mapping(file.get("attributes")).get("uri"))
            link = safe_link(read_text(uri, "url"), base_url=base_url)
            if link and is_story_image(link):
                return link, tidy_alt(read_text(as_mapping(target.get("meta")), "alt"))
    return "", ""


def _find_terms(node: Node, included: Included) -> tuple[str, ...]:
    names = [
        title_text(read_text(as_mapping(item.get("attributes")), "name"))
        for _, item in _follow(node, included)
        if read_text(item, "type").startswith("taxonomy_term--")
    ]
    return tuple(dict.fromkeys(cut_at_word(name, 100) for name in names if name))[:_MAX_CATEGORIES]


def _language(code: str) -> str:
    """Return the language, or "" for Drupal's codes of texts without one."""
    return "" if code in ("und", "zxx") else code[:35]
