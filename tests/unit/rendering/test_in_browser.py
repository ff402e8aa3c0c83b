"""The letter as a browser lays it out: readable in both schemes, nothing to scroll sideways, targets for thumbs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from newsletter.rendering import render
from newsletter.rendering.blocks import Document, LeadStory, StoryCards
from tests.unit.rendering.samples import document, rich_document, story

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
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
  const targets = [...document.querySelectorAll('.button a, .bandbutton a, .pill, .footlink')];
  return {
    seen, pale, wide: document.documentElement.scrollWidth, mode: document.compatMode,
    low: targets.map(target => target.getBoundingClientRect()).filter(box => box.height && box.height < 40).length,
    page: luminance(ground(document.querySelector('h1'))),
  };
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


LETTERS = {
    "rich": rich_document(),
    "odd": document(LeadStory(story("x" * 3000, picture=None)), StoryCards((story("y" * 300, picture=None), story()))),
    "rtl": document(
        LeadStory(story("قاطفات الشاي")), StoryCards((story("أ"), story("ب"))), language="ar", direction="rtl"
    ),
}


@pytest.mark.browser
@pytest.mark.parametrize("letter", LETTERS.values(), ids=LETTERS.keys())
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 375, 640])
def test_the_letter_can_be_read_on_every_screen(browser: Browser, letter: Document, scheme: str, width: int):
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True)  # type: ignore[arg-type]
    page.set_content(render(letter).html)
    measured = page.evaluate(MEASURE)
    page.close()
    assert measured["seen"] > 8
    assert measured["pale"] == []
    assert measured["wide"] == width
    assert measured["mode"] == "CSS1Compat"
    assert measured["low"] == 0
    assert (measured["page"] < 0.05) == (scheme == "dark")
