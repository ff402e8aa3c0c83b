"""Which part of a page is its story, apart from menus, sidebars, comments and other stories."""

from collections.abc import Iterator

from lxml.html import HtmlElement

from newsletter.content.parsing.text import tidy

_OUTSIDE = ("aside", "nav", "footer")
_OUTSIDE_WORDS = ("related", "comment", "sidebar", "widget", "recent-posts", "wp-block-latest-posts", "wp-block-query")


def find_main_article(tree: HtmlElement) -> HtmlElement | None:
    """The element around the page's story: the article with the main heading, else the only article, else ``main``."""
    articles = [one for one in tree.iter("article") if not is_outside(one)]
    for article in articles:
        if any(tidy(heading.text_content()) for heading in article.iter("h1")):
            return article
    heading = next((one for one in tree.iter("h1") if tidy(one.text_content())), None)
    around = next((one for one in heading.iterancestors("article", "main")), None) if heading is not None else None
    if around is not None:
        return around
    outer = [one for one in articles if next(one.iterancestors("article"), None) is None]
    if len(outer) == 1:
        return outer[0]
    return next(tree.iter("main"), None)


def iter_story_elements(article: HtmlElement, *tags: str) -> Iterator[HtmlElement]:
    """The elements of these tags inside the story itself, not inside other stories or comments that it holds."""
    for element in article.iter(*tags):
        if not is_outside(element, until=article):
            yield element


def is_outside(element: HtmlElement, *, until: HtmlElement | None = None) -> bool:
    """Whether an element lies in a sidebar, a menu, a footer, comments, a list of stories, or an article within ``until``."""
    for above in (element, *element.iterancestors()):
        if above is until:
            return False
        if above.tag in _OUTSIDE or (until is not None and above.tag == "article"):
            return True
        words = f"{above.get('class') or ''} {above.get('id') or ''}".lower()
        if above.tag not in ("body", "html") and any(word in words for word in _OUTSIDE_WORDS):
            return True
    return False
