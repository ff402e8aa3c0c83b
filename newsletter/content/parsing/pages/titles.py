"""Find the title of a page's story, without the name of its site."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from newsletter.content.parsing.json_text import as_mapping
from newsletter.content.parsing.markup import title_text
from newsletter.content.parsing.pages.article import find_main_article
from newsletter.content.parsing.pages.json_ld import first_text, list_nodes, types_of
from newsletter.content.parsing.text import tidy

_SEPARATOR = re.compile(r"\s+(?:[|\-–—·•»«:]|::)\s+|\s*\|\s*")
_SITES = ("WebSite", "Organization", "NewsMediaOrganization", "NGO")
_PARTS_OF_HOSTS = re.compile(r"[^a-z0-9]+")


def find_page_title(
    tree: HtmlElement, *, meta: Mapping[str, str], node: Mapping[str, object], url: str, guess: str
) -> str:
    """Return the title, or "" if there is none. ``guess`` is the extraction library's, used before the ``title`` element."""
    sites = {_plain(name) for name in _site_names(tree, meta, node)} - {""}
    host = _PARTS_OF_HOSTS.sub("", (urlsplit(url).hostname or "").removeprefix("www.").rpartition(".")[0])
    headings = [text for text in _headings(tree) if _plain(text) not in sites]
    title = title_text(tree.findtext(".//title") or "")
    candidates = (first_text(node.get("headline")), meta.get("og:title", ""), meta.get("twitter:title", ""))
    first = next(
        (text for candidate in candidates if (text := title_text(candidate)) and _plain(text) not in sites), ""
    )
    for candidate in (first, *headings[:1], tidy(guess), title):
        if candidate:
            return remove_site_name(candidate, sites=sites, host=host, headings=headings)
    return ""


def remove_site_name(title: str, *, sites: set[str], host: str, headings: list[str]) -> str:
    """Remove the site's name from a title, as known from the page's data, its host, or its heading."""
    while True:
        cuts = list(_SEPARATOR.finditer(title))
        if not cuts:
            return title
        first, last = title[: cuts[0].start()], title[cuts[-1].end() :]
        before, after = title[: cuts[-1].start()], title[cuts[0].end() :]
        if _is_site(last, sites, host) or before in headings:
            title = before
        elif _is_site(first, sites, host) or after in headings:
            title = after
        else:
            return title


def _is_site(text: str, sites: set[str], host: str) -> bool:
    return bool(text) and (_plain(text) in sites or (bool(host) and _PARTS_OF_HOSTS.sub("", text.lower()) == host))


def _site_names(tree: HtmlElement, meta: Mapping[str, str], node: Mapping[str, object]) -> Iterator[str]:
    yield from (meta.get("og:site_name", ""), meta.get("application-name", ""))
    yield first_text(as_mapping(node.get("publisher")).get("name"))
    yield first_text(as_mapping(node.get("isPartOf")).get("name"))
    for node in list_nodes(tree):
        if set(_SITES) & set(types_of(node)):
            yield first_text(node.get("name"))


def _headings(tree: HtmlElement) -> list[str]:
    """Return the main headings, those of the story first."""
    article = find_main_article(tree)
    inside = list(article.iter("h1")) if article is not None else []
    texts = (tidy(heading.text_content()) for heading in [*inside, *tree.iter("h1")])
    return list(dict.fromkeys(text for text in texts if text))


def _plain(text: str) -> str:
    return title_text(text).casefold()
