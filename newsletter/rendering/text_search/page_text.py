"""Read the text of an HTML page: visible text, descriptions for screen readers, URLs, and comments that some programs show."""

import re
from dataclasses import dataclass, field

from lxml import etree

_INLINE = frozenset({
    "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "del", "em", "font", "i", "ins", "mark", "q", "s", "small",
    "span", "strong", "sub", "sup", "tt", "u", "wbr",
})  # fmt: skip
_ADDRESSES = ("href", "src", "background", "action", "cite", "srcset", "poster")
_WORDS = ("alt", "title", "aria-label", "aria-description", "content", "label", "summary", "placeholder", "value")
_URL = re.compile(r"url\(\s*[\"']?([^\"')]+)")
_OF_COMMENT = re.compile(r"\b(alt|title|href|src|background)\s*=\s*[\"']([^\"']*)", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_INVISIBLE = frozenset({"script", "style"})


@dataclass
class PageText:
    """The texts of a page. ``text`` has a line for each block; a tag inside a word does not split it."""

    text: str = ""
    words: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)


def read_page(html: str) -> PageText:
    """Return the texts of a page, or of a piece of one."""
    if not html.strip():
        return PageText()
    root = etree.fromstring(html, etree.HTMLParser(recover=True, huge_tree=False))
    if root is None:
        return PageText(text=_TAG.sub("", html))
    page, texts = PageText(), list[str]()
    for event, element in etree.iterwalk(root, events=("start", "end", "comment")):
        if event == "comment":
            _read_comment(_str(element.text), page)
            texts.append(_str(element.tail))
            continue
        between = "" if element.tag in _INLINE else "\n"
        if event == "end":
            texts += (between, _str(element.tail))
            continue
        texts.append(between)
        if element.tag in _INVISIBLE:
            page.addresses += _URL.findall(_str(element.text))
        else:
            texts.append(_str(element.text))
        _read_attributes(element, page)
    page.text = "".join(texts)
    return page


def _read_attributes(element: etree._Element, page: PageText) -> None:
    for name, written in element.items():
        value = _str(written)
        if name in _ADDRESSES:
            page.addresses.append(value)
        elif name in _WORDS:
            page.words.append(value)
        elif name == "style" and "url(" in value:
            page.addresses += _URL.findall(value)


def _read_comment(comment: str, page: PageText) -> None:
    for name, value in _OF_COMMENT.findall(comment):
        (page.words if name.lower() in _WORDS else page.addresses).append(value)
    page.words.append(_TAG.sub("\n", comment))


def _str(text: str | bytes | None) -> str:
    return text if isinstance(text, str) else ""
