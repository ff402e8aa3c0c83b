"""The same story in other languages, as feeds, pages and WordPress plugins name it: (language, address) pairs."""

import re
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from typing import Any

from newsletter.content.parsing.feeds.wordpress_addresses import short_address
from newsletter.content.parsing.json_text import as_mapping
from newsletter.content.parsing.urls import safe_link

Alternates = tuple[tuple[str, str], ...]
_MAX_ALTERNATES = 30
_MAX_CODE = 12
_LINK = re.compile(r"<link\b([^<>]{1,2000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""\b([a-z]{1,20})\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)


def read_hreflang(links: Iterable[Mapping[str, Any]], *, base_url: str) -> Alternates:
    """Return the alternates among links with ``rel``, ``hreflang`` and ``href``. ``x-default`` is no language."""
    return _collect(
        (str(link.get("hreflang") or ""), safe_link(str(link.get("href") or ""), base_url=base_url))
        for link in links
        if "alternate" in str(link.get("rel") or "").split()
    )


def read_page_links(html: str, *, base_url: str) -> Alternates:
    """Return the alternates that the links of a page name. It reads these links alone, so no parser is needed."""
    return read_hreflang((_read_attributes(match[1]) for match in _LINK.finditer(html)), base_url=base_url)


def _read_attributes(tag: str) -> dict[str, str]:
    return {name.lower(): unescape(double or single or bare) for name, double, single, bare in _ATTRIBUTE.findall(tag)}


def read_wordpress(post: Mapping[str, Any], *, home: str, base_url: str) -> Alternates:
    """Return the translations that Polylang (``translations``) or WPML (``wpml_translations``) gives for a post."""
    return _collect([*_read_polylang(post, home=home), *_read_wpml(post, base_url=base_url)])


def read_wordpress_language(post: Mapping[str, Any]) -> str:
    """Return the language of a post, by Polylang (``lang``) or WPML (``wpml_current_locale``), or ""."""
    return str(post.get("lang") or post.get("wpml_current_locale") or "").replace("_", "-")[:_MAX_CODE]


def _read_polylang(post: Mapping[str, Any], *, home: str) -> Iterator[tuple[str, str]]:
    for language, identity in as_mapping(post.get("translations")).items():
        if isinstance(identity, int) and identity and identity != post.get("id"):
            yield str(language), short_address(home, str(identity))


def _read_wpml(post: Mapping[str, Any], *, base_url: str) -> Iterator[tuple[str, str]]:
    listed = post.get("wpml_translations")
    for raw in listed if isinstance(listed, list) else []:
        translation = as_mapping(raw)
        yield str(translation.get("locale") or ""), safe_link(str(translation.get("href") or ""), base_url=base_url)


def _collect(pairs: Iterable[tuple[str, str]]) -> Alternates:
    cleaned = ((language.strip().replace("_", "-")[:_MAX_CODE], address) for language, address in pairs)
    language_by_address = {
        address: language for language, address in cleaned if address and language and language != "x-default"
    }
    return tuple((language, address) for address, language in language_by_address.items())[:_MAX_ALTERNATES]
