"""The blocks of an issue from the HTML of a page's newsletter template: notes, quotes and dividers. Pictures are left out."""

import re
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser
from urllib.parse import urljoin

MAX_HEADING, MAX_QUOTE, MAX_BLOCKS = 120, 600, 100
_SKIPPED = {"head", "style", "script", "template", "noscript", "svg", "iframe"}
_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_ENDS_PARAGRAPH = {"p", "div", "section", "article", "header", "footer", "main", "table", "tr", "td", "figure", "body"}
_INLINE = {"b": "b", "strong": "b", "i": "i", "em": "i"}
_LISTS = {"ul", "ol"}
Block = dict[str, object]


@dataclass
class _Text:
    """Text and markup of one paragraph, with the elements that are open in it."""

    parts: list[str] = field(default_factory=list)
    open: list[tuple[str, str]] = field(default_factory=list)
    """The tag in the page, and the tag in the issue."""

    def begin(self, tag: str, name: str, attributes: str = "") -> None:
        self.parts.append(f"<{name}{attributes}>")
        self.open.append((tag, name))

    def end(self, tag: str) -> None:
        if not any(one == tag for one, _ in self.open):
            return
        while self.open:
            last, name = self.open.pop()
            self.parts.append(f"</{name}>")
            if last == tag:
                return

    def take(self) -> str:
        """Return the paragraph and begin another."""
        text = "".join(self.parts) + "".join(f"</{name}>" for _, name in reversed(self.open))
        self.parts, self.open = [], []
        return re.sub(r"\s+", " ", text).strip()


def read_blocks(html: str, *, base: str = "") -> list[Block]:
    """Return the blocks, in order. ``base`` is the address that relative links begin at; without it they become text."""
    reader = _Reader(base)
    reader.feed(html)
    reader.close()
    return reader.finish()


class _Reader(HTMLParser):
    def __init__(self, base: str) -> None:
        super().__init__(convert_charrefs=True)
        self._base, self._text = base, _Text()
        self._blocks: list[Block] = []
        self._heading, self._paragraphs = "", list[str]()
        self._skipped, self._in_heading, self._in_quote = 0, False, False
        self._items: list[tuple[str, list[str]]] = []
        self._quote: list[str] = []
        self._who = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SKIPPED:
            self._skipped += 1
        if self._skipped:
            return
        if tag in _HEADINGS:
            self._end_paragraph()
            self._end_note()
            self._in_heading = True
        elif tag == "blockquote":
            self._end_paragraph()
            self._end_note()
            self._in_quote, self._quote, self._who = True, [], ""
        elif tag in ("cite", "footer") and self._in_quote:
            self._end_paragraph()
        elif tag == "hr":
            self._end_paragraph()
            self._end_note()
            self._blocks.append({"type": "divider", "value": {}})
        elif tag in _LISTS:
            self._end_paragraph()
            self._items.append((tag, []))
        elif tag == "br":
            self._text.parts.append(" ")
        elif tag == "a":
            link = self._find_link(dict(attrs).get("href") or "")
            if link and not self._in_heading and not self._in_quote:
                self._text.begin(tag, "a", f' href="{escape(link)}"')
        elif tag in _INLINE and not self._in_heading and not self._in_quote:
            self._text.begin(tag, _INLINE[tag])
        elif tag in _ENDS_PARAGRAPH or tag == "li":
            self._end_paragraph()

    def handle_endtag(self, tag: str) -> None:
        if tag in _SKIPPED:
            self._skipped = max(0, self._skipped - 1)
        elif self._skipped:
            return
        elif tag in _HEADINGS:
            self._end_heading()
        elif tag in ("cite", "footer") and self._in_quote:
            self._who = _plain(self._text.take())
        elif tag == "blockquote":
            self._end_paragraph()
            self._end_quote()
        elif tag in _LISTS and self._items:
            self._end_paragraph()
            self._end_list()
        elif tag == "li" or tag in _ENDS_PARAGRAPH:
            self._end_paragraph()
        elif tag in _INLINE or tag == "a":
            self._text.end(tag)

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self._text.parts.append(escape(data))

    def finish(self) -> list[Block]:
        while self._items:
            self._end_list()
        self._end_paragraph()
        if self._in_quote:
            self._end_quote()
        self._end_note()
        return self._blocks

    def _find_link(self, href: str) -> str:
        link = urljoin(self._base, href.strip()) if self._base else href.strip()
        return link if re.match(r"(?:https?://|mailto:)", link, re.IGNORECASE) else ""

    def _end_paragraph(self) -> None:
        text = self._text.take()
        if not _plain(text):
            return
        if self._in_quote:
            self._quote.append(_plain(text))
        elif self._items:
            self._items[-1][1].append(text)
        elif self._in_heading:
            self._heading = _plain(text)
        else:
            self._paragraphs.append(f"<p>{text}</p>")

    def _end_heading(self) -> None:
        self._end_paragraph()
        self._in_heading = False
        if len(self._heading) > MAX_HEADING:
            self._paragraphs.append(f"<p><b>{escape(self._heading)}</b></p>")
            self._heading = ""

    def _end_list(self) -> None:
        self._end_paragraph()
        kind, items = self._items.pop()
        if not items:
            return
        if self._items:  # an issue has no lists in lists
            self._items[-1][1].extend(items)
        else:
            self._paragraphs.append(f"<{kind}>" + "".join(f"<li>{one}</li>" for one in items) + f"</{kind}>")

    def _end_quote(self) -> None:
        self._in_quote = False
        text = " ".join(self._quote)
        if not text:
            return
        if len(text) > MAX_QUOTE:
            self._paragraphs += [f"<p><i>{escape(one)}</i></p>" for one in (*self._quote, self._who) if one]
        else:
            self._blocks.append({"type": "quote", "value": {"text": text, "who": self._who[:MAX_HEADING]}})

    def _end_note(self) -> None:
        if self._heading or self._paragraphs:
            value = {"heading": self._heading, "text": "".join(self._paragraphs)}
            self._blocks.append({"type": "note", "value": value})
        self._heading, self._paragraphs = "", []


def _plain(text: str) -> str:
    """Return the text of a paragraph without its markup."""
    plain = re.sub(r"<[^>]+>", "", text)
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#x27;", "'"), ("&amp;", "&")):
        plain = plain.replace(entity, character)
    return " ".join(plain.split())
