"""Running text in a browser: 45 to 75 characters a line on desktops, also where the first fonts are missing."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from newsletter.rendering.blocks import (
    Document,
)
from newsletter.rendering.pipeline import LAYOUTS, render
from tests.gallery.browser_checks import find_page_problems
from tests.gallery.documents import documents, flat_picture
from tests.gallery.fonts import FONTS, without_fonts
from tests.gallery.line_lengths import (
    DESKTOP_WIDTH,
    MAX_CHARACTERS,
    MIN_CHARACTERS,
    Paragraph,
    find_long_or_short_lines,
    measure_lines,
)
from tests.gallery.prose import letter_of_prose
from tests.gallery.screenshots import CHROMIUM, open_browser, open_mail
from tests.gallery.validators import Unavailable


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    with open_browser() as started:
        yield started


@pytest.fixture(scope="module")
def gallery() -> dict[str, Document]:
    return documents(picture=flat_picture)


def in_fonts(html: str, width: str) -> str:
    try:
        return without_fonts(html, width=width)
    except Unavailable as missing:
        pytest.skip(str(missing))


def measure(browser: Browser, html: str) -> list[Paragraph]:
    with open_mail(browser, html, width=DESKTOP_WIDTH, scheme="light") as (page, _):
        return measure_lines(page)


@pytest.mark.browser
@pytest.mark.parametrize("width", FONTS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_running_text_has_45_to_75_characters_a_line_on_desktops(
    browser: Browser, gallery: dict[str, Document], layout: str, width: str
):
    html = render(letter_of_prose(gallery[f"{layout}-harbour"])).html
    paragraphs = measure(browser, in_fonts(html, width))
    assert len(paragraphs) > 20
    assert list(find_long_or_short_lines(paragraphs)) == []


@pytest.mark.browser
@pytest.mark.parametrize("width", FONTS)
@pytest.mark.parametrize("name", ["letter-harbour", "plain-harbour", "letter-blocks", "letter-de", "odd-long-word"])
def test_nothing_overflows_if_the_first_fonts_are_missing(
    browser: Browser, gallery: dict[str, Document], name: str, width: str
):
    html = in_fonts(render(gallery[name]).html, width)
    for screen in (320, 375, 640):
        with open_mail(browser, html, width=screen, scheme="light") as (page, seen):
            assert list(find_page_problems(page, seen, width=screen, scheme="light")) == []


@pytest.mark.browser
@pytest.mark.parametrize("name", ["letter-harbour", "event_notice-harbour", "letter-meadow", "letter-ar"])
def test_footers_are_centred_and_lists_are_as_wide_as_their_column(
    browser: Browser, gallery: dict[str, Document], name: str
):
    with open_mail(browser, render(gallery[name]).html, width=DESKTOP_WIDTH, scheme="light") as (page, _):
        middles = page.evaluate(
            """() => [...document.querySelectorAll('p:has(.pill), .icons, .foot')].map(line => {
              const box = line.getBoundingClientRect();
              return Math.round(box.left + box.width / 2);
            })"""
        )
        widths = page.evaluate(
            "() => [...document.querySelectorAll('.related li')].map(line => line.getBoundingClientRect().width)"
        )
    assert len(middles) > 3
    assert set(middles) == {DESKTOP_WIDTH // 2}
    assert set(widths) == {560}


def test_lines_outside_the_bar_are_named():
    long, short = (Paragraph(text, 17, "", (characters, characters, 3)) for text, characters in (("a", 80), ("b", 40)))
    card = Paragraph("c", 16, "teaser", (38, 40, 3))
    found = list(find_long_or_short_lines([long, short, card, replace(card, size=17)]))
    assert found == [
        f"80 characters a line, not {MIN_CHARACTERS} to {MAX_CHARACTERS}: a",
        f"40 characters a line, not {MIN_CHARACTERS} to {MAX_CHARACTERS}: b",
        f"39 characters a line, not {MIN_CHARACTERS} to {MAX_CHARACTERS}: c",
    ]


def test_each_stack_of_fonts_is_replaced_whole():
    html = """<p style='font-family:Georgia,"Times New Roman",serif'>a</p><p style="font-family:Tahoma,sans-serif;top:0">b</p>"""
    replaced = in_fonts(html, "wide")
    assert replaced == """<p style='font-family:DejaVu Serif'>a</p><p style="font-family:DejaVu Sans;top:0">b</p>"""
