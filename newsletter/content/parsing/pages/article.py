"""Find the main article of a page, apart from menus, sidebars, comments and other stories, and its image."""

from collections.abc import Iterator, Mapping

from lxml.html import HtmlElement

from newsletter.content.parsing.json_text import as_mapping
from newsletter.content.parsing.pages.json_ld import first_text
from newsletter.content.parsing.pictures import find_alt_in_tree, find_picture_in_tree, is_story_image, tidy_alt
from newsletter.content.parsing.text import tidy
from newsletter.content.parsing.urls import safe_link

_OUTSIDE = ("aside", "nav", "footer")
_OUTSIDE_WORDS = ("related", "comment", "sidebar", "widget", "recent-posts", "wp-block-latest-posts", "wp-block-query")
_OPENERS = ("wp-block-post-featured-image", "wp-block-cover", "wp-post-image", "post-thumbnail", "featured-image")


def find_main_article(tree: HtmlElement) -> HtmlElement | None:
    """Return the element of the page's story: the article with the main heading, else the only article, else ``main``."""
    articles = [article for article in tree.iter("article") if not is_outside(article)]
    for article in articles:
        if any(tidy(heading.text_content()) for heading in article.iter("h1")):
            return article
    heading = next((element for element in tree.iter("h1") if tidy(element.text_content())), None)
    around = (
        next((ancestor for ancestor in heading.iterancestors("article", "main")), None) if heading is not None else None
    )
    if around is not None:
        return around
    outer = [article for article in articles if next(article.iterancestors("article"), None) is None]
    if len(outer) == 1:
        return outer[0]
    return next(tree.iter("main"), None)


def iter_story_elements(article: HtmlElement, *tags: str) -> Iterator[HtmlElement]:
    """Yield the elements of these tags inside the story, but not those of other stories or comments in it."""
    for element in article.iter(*tags):
        if not is_outside(element, until=article):
            yield element


def is_outside(element: HtmlElement, *, until: HtmlElement | None = None) -> bool:
    """Return True if an element is in a sidebar, menu, footer, comments, list of stories, or an article within ``until``."""
    for above in (element, *element.iterancestors()):
        if above is until:
            return False
        if above.tag in _OUTSIDE or (until is not None and above.tag == "article"):
            return True
        words = f"{above.get('class') or ''} {above.get('id') or ''}".lower()
        if above.tag not in ("body", "html") and any(word in words for word in _OUTSIDE_WORDS):
            return True
    return False


def find_page_picture(
    tree: HtmlElement, *, meta: Mapping[str, str], node: Mapping[str, object], url: str
) -> tuple[str, str]:
    """Return the (URL, alt text) of the story's image, or ("", "")."""
    for address, words in _named(meta, node):
        link = safe_link(address, base_url=url)
        if link and is_story_image(link):
            return link, tidy_alt(words) or find_alt_in_tree(tree, url=link)
    article = find_main_article(tree)
    for opener in _openers(tree):
        link, alt = find_picture_in_tree(opener, base_url=url)
        if link:
            return link, alt
    return find_picture_in_tree(article, base_url=url) if article is not None else ("", "")


def _named(meta: Mapping[str, str], node: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield the (address, alt text) pairs that the page's metadata names, the best first."""
    alt = meta.get("og:image:alt", "")
    for name in ("og:image:secure_url", "og:image", "og:image:url"):
        yield meta.get(name, ""), alt
    image = node.get("image")
    for value in image if isinstance(image, list) else [image]:
        fields = as_mapping(value)
        yield first_text(fields.get("url") or fields.get("contentUrl") or value), first_text(fields.get("caption"))
    yield meta.get("twitter:image", ""), meta.get("twitter:image:alt", "")


def _openers(tree: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the elements with the story's opening image, by the class names of common themes."""
    for element in tree.iter("figure", "div", "img", "picture", "header"):
        classes = str(element.get("class") or "").split()
        if any(name in classes for name in _OPENERS) and not is_outside(element):
            yield element
