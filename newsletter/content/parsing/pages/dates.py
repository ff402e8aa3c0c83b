"""Find when a page's own story was published, never the date of another story on the page."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from lxml.html import HtmlElement

from newsletter.content.parsing.dates import ParsedDate, parse_date_text
from newsletter.content.parsing.pages.article import find_main_article, is_outside, iter_story_elements
from newsletter.content.parsing.pages.json_ld import first_text
from newsletter.content.parsing.text import tidy

_META = (
    "article:published_time", "og:article:published_time", "datepublished", "parsely-pub-date", "dc.date.issued",
    "dcterms.created", "dc.date", "date", "pubdate", "publish-date",
)  # fmt: skip
_DATE_CLASSES = ("entry-date", "post-date", "published", "posted-on", "article-date", "field--name-created", "date")
_MODIFIED_CLASSES = ("updated", "modified", "dateModified")
_MAX_LENGTH = 80


def find_page_date(
    tree: HtmlElement, *, meta: Mapping[str, str], node: Mapping[str, object], guess: str, language: str, now: datetime
) -> ParsedDate:
    """Return the date of a page's story. ``guess`` is trafilatura's date, used only if the page has no ``<time>``."""
    unread = ParsedDate()
    for candidate in _iterate_candidate_dates(tree, meta, node):
        date = parse_date_text(candidate, language=language, now=now)
        if date.moment is not None:
            return date
        unread = unread if unread.note else date
    if next(tree.iter("time"), None) is None:
        date = parse_date_text(guess, language=language, now=now)
        return date if date.moment is not None else unread
    return unread


def _iterate_candidate_dates(tree: HtmlElement, meta: Mapping[str, str], node: Mapping[str, object]) -> Iterator[str]:
    yield first_text(node.get("datePublished")) or first_text(node.get("dateCreated"))
    yield from (meta[name] for name in _META if meta.get(name))
    article = find_main_article(tree)
    inside = iter_story_elements(article, "time", "span", "div", "p") if article is not None else ()
    elements = list(inside) or [time for time in tree.iter("time") if not is_outside(time)]
    times = [element for element in elements if element.tag == "time" and not _is_modification_date(element)]
    # The date of publishing comes first in the text, before any other date.
    for time in sorted(times, key=lambda element: not _is_publication_date(element)):
        yield str(time.get("datetime") or "") or tidy(time.text_content())
    for element in elements:
        if element.tag != "time" and _is_publication_date(element) and len(tidy(element.text_content())) <= _MAX_LENGTH:
            yield tidy(element.text_content())


def _is_modification_date(element: HtmlElement) -> bool:
    classes = f"{element.get('class') or ''} {element.get('itemprop') or ''}".split()
    return any(name in classes for name in _MODIFIED_CLASSES) and "published" not in classes


def _is_publication_date(element: HtmlElement) -> bool:
    if element.get("itemprop") == "datePublished":
        return True
    above = element.getparent()
    classes = f"{element.get('class') or ''} {above.get('class') or '' if above is not None else ''}".split()
    return any(name in classes for name in (*_DATE_CLASSES, "wp-block-post-date"))
