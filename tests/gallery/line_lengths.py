"""Measure how many characters a line of running text has, as a browser breaks it."""

from collections.abc import Iterator
from dataclasses import dataclass

from playwright.sync_api import Page

DESKTOP_WIDTH = 1280
MIN_CHARACTERS, MAX_CHARACTERS = 45, 75
_MEASURE = """() => {
  const found = [];
  for (const element of document.querySelectorAll('p, li')) {
    const style = getComputedStyle(element), texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    const lines = [], range = document.createRange();
    let top = null;
    while (texts.nextNode()) {
      const node = texts.currentNode, text = node.textContent;
      for (let at = 0; at < text.length; at++) {
        range.setStart(node, at);
        range.setEnd(node, at + 1);
        const box = range.getBoundingClientRect();
        if (!box.width) continue;
        if (top === null || Math.abs(box.top - top) > box.height / 2) { lines.push(''); top = box.top; }
        lines[lines.length - 1] += text[at];
      }
    }
    found.push({
      text: element.textContent.trim().slice(0, 60), size: parseFloat(style.fontSize), classes: element.className,
      lines: lines.map(line => line.trim().length),
    });
  }
  return found;
}"""
_DISPLAY_SIZE = 19
_TEASER_OF_A_CARD_SIZE, _MIN_IN_A_CARD = 16, 30


@dataclass(frozen=True)
class Paragraph:
    """A paragraph in its lines, each by its number of characters."""

    text: str
    size: float
    classes: str
    lines: tuple[int, ...]

    @property
    def characters(self) -> float:
        """The average of its full lines: the last is as long as it happens to be."""
        return sum(self.lines[:-1]) / len(self.lines[:-1])


def measure_lines(page: Page) -> list[Paragraph]:
    """Return the running text of an open mail: paragraphs and items of three lines or more, smaller than display text."""
    found = [
        Paragraph(one["text"], one["size"], one["classes"], tuple(one["lines"])) for one in page.evaluate(_MEASURE)
    ]
    return [one for one in found if len(one.lines) > 2 and one.size < _DISPLAY_SIZE]


def find_long_or_short_lines(paragraphs: list[Paragraph]) -> Iterator[str]:
    """Yield the paragraphs that are tiring to read. Two cards side by side have shorter lines, in smaller letters."""
    for one in paragraphs:
        in_card = "teaser" in one.classes and one.size <= _TEASER_OF_A_CARD_SIZE
        least = _MIN_IN_A_CARD if in_card else MIN_CHARACTERS
        if not least <= one.characters <= MAX_CHARACTERS:
            yield f"{one.characters:.0f} characters a line, not {least} to {MAX_CHARACTERS}: {one.text}"
