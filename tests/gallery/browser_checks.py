"""Check a mail in a browser: readable text, no sideways scrolling, large enough targets, no axe findings."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Page

from tests.gallery.readings import Reading
from tests.gallery.screenshots import RequestedUrls

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RULES_NOT_FOR_MAIL = ["landmark-one-main", "region", "page-has-heading-one"]
MEASURE = """() => {
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const linear = value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = element => {
    for (; element; element = element.parentElement) {
      const colour = numbers(getComputedStyle(element).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const pale = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (texts.nextNode()) {
    const words = texts.currentNode.textContent.trim(), element = texts.currentNode.parentElement;
    const style = getComputedStyle(element);
    if (!words || !element.getClientRects().length || style.opacity === '0') continue;
    seen += 1;
    const [light, dark] = [luminance(numbers(style.color)), luminance(ground(element))].sort((a, b) => b - a);
    if ((light + 0.05) / (dark + 0.05) < 4.5 || parseFloat(style.fontSize) < 14) pale.push([words, style.color]);
  }
  const targets = [...document.querySelectorAll('.button a, .bandbutton a, .tintbutton a, .pill, .icon, .footlink')];
  return {
    seen, pale, wide: document.documentElement.scrollWidth, mode: document.compatMode,
    low: targets.map(target => [target.getBoundingClientRect().height, target.textContent.trim() || target.href])
      .filter(([height]) => height && height < 44),
    page: luminance(ground(document.querySelector('.page') || document.body)),
    broken: [...document.images].filter(image => !image.complete || !image.naturalWidth).map(image => image.src),
  };
}"""


def find_page_problems(
    page: Page, seen: RequestedUrls, *, width: int, scheme: str, page_colour: bool = True
) -> Iterator[str]:
    """Return the problems of an open mail, without those of axe. ``page_colour``: its page must be as dark as the scheme."""
    measured: dict[str, Any] = page.evaluate(MEASURE)
    if measured["seen"] < 8:
        yield f"only {measured['seen']} pieces of text are seen"
    if measured["wide"] != width:
        yield f"{measured['wide']} px wide on a screen of {width}"
    if measured["mode"] != "CSS1Compat":
        yield "not in standards mode"
    if page_colour and (measured["page"] < 0.05) != (scheme == "dark"):
        yield f"the page is not {scheme}"
    yield from (f"hard to read: {pale}" for pale in measured["pale"])
    yield from (f"lower than 44 px: {words}" for words in measured["low"])
    yield from (f"picture not shown: {source}" for source in measured["broken"])
    yield from (f"asks somebody else: {url}" for url in seen.others)


def find_reading_problems(page: Page, reading: Reading) -> Iterator[str]:
    """Return the problems of a mail that a mail program or reader changed. Colours are those of the program."""
    measured: dict[str, Any] = page.evaluate(MEASURE)
    if measured["seen"] < 8:
        yield f"only {measured['seen']} pieces of text are seen"
    if measured["wide"] > reading.width:
        yield f"{measured['wide']} px wide on a screen of {reading.width}"


def find_axe_violations(page: Page) -> list[str]:
    """Return what axe finds, by the rules that apply to mail."""
    page.evaluate(_axe_source())
    options = {
        "runOnly": {"type": "tag", "values": RULES},
        "rules": {rule: {"enabled": False} for rule in RULES_NOT_FOR_MAIL},
    }
    found: dict[str, Any] = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{violation['id']}: {node['html'][:140]}" for violation in found["violations"] for node in violation["nodes"]
    ]


@cache
def _axe_source() -> str:
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
