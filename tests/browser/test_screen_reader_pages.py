"""The pages of readers as people with disabilities use them: heard, by keyboard, at 320 px, with wide text spacing.

What a screen reader says is a text file for each page. The pages are those to join, to choose what one gets, and to leave.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.gallery.screen_reader import NAMELESS, read_aloud
from tests.support.desk_browser import IN_CHROMIUM, do_beside
from tests.support.read_aloud import FOLDER, assert_reads_as_before

NAMES = (
    "join",
    "preferences",
    "preferences-town-unknown",
    "unsubscribe",
    "unsubscribed",
    "unsubscribe-all",
    "left-all",
)
WIDE_SPACING = "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }"
"""The text spacing of WCAG 1.4.12."""
LIST_STOPS = """() => [...document.querySelectorAll('a[href], button, input, select, summary, textarea')]
    .filter(one => one.type !== 'hidden' && one.checkVisibility({checkVisibilityCSS: true}) && one.tabIndex >= 0)
    .map(one => one.outerHTML.slice(0, 120))"""
FOCUSED = """() => {
    const one = document.activeElement, style = getComputedStyle(one);
    return {html: one.outerHTML.slice(0, 120), seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0};
}"""
_COUNT = re.compile(r"\b\d+ mails?\b")
"""How many mails a month has depends on the day of the test."""

pytestmark = [*IN_CHROMIUM, pytest.mark.own_site]


@dataclass(frozen=True)
class UsedPage:
    """A page as it is heard, its controls in the order of the page and of the Tab key, and its width on 320 px."""

    heard: str
    controls: list[str]
    tabbed: list[dict[str, Any]]
    widths: tuple[int, int]


@pytest.fixture(scope="module")
def pages(browser: Browser, site: str, own_demo_folder: Path) -> dict[str, UsedPage]:
    code = "from tests.support.public_rows import print_links; print_links('listener@example.org')"
    paths: dict[str, str] = json.loads(do_beside(site, own_demo_folder, code))
    context = browser.new_context(base_url=site, locale="en-GB", timezone_id="Europe/London", bypass_csp=True)
    page = context.new_page()
    used = {name: use(page) for name in open_pages(page, paths)}
    context.close()
    return used


def open_pages(page: Page, paths: dict[str, str]) -> Iterator[str]:
    """Open one page after the other and yield its name."""
    page.goto("/join/weekly")
    yield "join"
    page.goto(paths["preferences"])
    yield "preferences"
    page.goto(paths["preferences"])
    page.locator("[name=town]").fill("Xyzzyville")
    press(page)
    yield "preferences-town-unknown"
    page.goto(paths["unsubscribe"])
    yield "unsubscribe"
    press(page)
    yield "unsubscribed"
    page.goto(f"{paths['unsubscribe']}/all")
    yield "unsubscribe-all"
    press(page)
    yield "left-all"


def press(page: Page) -> None:
    with page.expect_navigation():
        page.locator("main form button").first.click()


def use(page: Page) -> UsedPage:
    page.set_viewport_size({"width": 1280, "height": 900})
    heard = _COUNT.sub("some mails", read_aloud(page))
    controls: list[str] = page.evaluate(LIST_STOPS)
    page.evaluate("document.activeElement.blur()")
    tabbed = []
    for _control in controls:
        page.keyboard.press("Tab")
        tabbed.append(page.evaluate(FOCUSED))
    page.set_viewport_size({"width": 320, "height": 640})
    narrow = page.evaluate("document.documentElement.scrollWidth")
    style = page.add_style_tag(content=WIDE_SPACING)
    spaced = page.evaluate("document.documentElement.scrollWidth")
    style.evaluate("element => element.remove()")
    return UsedPage(heard, controls, tabbed, (narrow, spaced))


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_heard_as_before(pages: dict[str, UsedPage], name: str) -> None:
    assert_reads_as_before(pages[name].heard, name=f"pages/{name}")


@pytest.mark.parametrize("name", NAMES)
def test_everything_on_a_page_has_a_name_and_each_page_one_main_heading(pages: dict[str, UsedPage], name: str) -> None:
    heard = pages[name].heard
    assert NAMELESS not in heard
    assert len(re.findall(r"^ *heading 1:", heard, re.MULTILINE)) == 1
    assert len(re.findall(r"^main\b", heard, re.MULTILINE)) == 1


@pytest.mark.parametrize("name", NAMES)
def test_the_tab_key_reaches_every_control_in_order_and_shows_where_it_is(
    pages: dict[str, UsedPage], name: str
) -> None:
    used = pages[name]
    assert used.controls
    assert [stop["html"] for stop in used.tabbed] == used.controls
    assert [stop["html"] for stop in used.tabbed if not stop["seen"]] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_page_fits_320_pixels_also_with_wide_text_spacing(pages: dict[str, UsedPage], name: str) -> None:
    assert pages[name].widths == (320, 320)


def test_no_file_of_a_page_is_left_over() -> None:
    assert {path.stem for path in (FOLDER / "pages").iterdir()} == set(NAMES)
