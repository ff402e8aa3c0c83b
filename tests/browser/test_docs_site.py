"""The documentation's site works from a disk: search, no request to another host, readable wide and narrow, light and dark."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.axe import run_axe
from tests.support.desk_browser import IN_CHROMIUM
from tests.support.docs_site import build_site

pytestmark = IN_CHROMIUM
PAGES = (
    "index",
    "tutorial/first-issue",
    "how-to/install",
    "reference/api",
    "reference/privacy",
    "explanation/how-a-send-works",
)
LOOKS = [(375, "light"), (375, "dark"), (1280, "light"), (1280, "dark")]
OURS = {"color-contrast", "image-alt", "link-in-text-block", "heading-order", "list"}
"""What the documents and our style decide. The rest is the theme's."""
TOO_WIDE = "document.documentElement.scrollWidth > innerWidth"


@pytest.fixture(scope="module")
def docs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(tmp_path_factory.mktemp("docs") / "site")


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
def reader(browser: Browser, request: pytest.FixtureRequest) -> Iterator[tuple[Page, list[str]]]:
    """Return a page of this width and these colours, and every address that it asks for."""
    width, colours = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=colours)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    yield page, asked
    context.close()


def test_the_search_finds_a_page_without_a_server(docs: Path, reader: tuple[Page, list[str]]) -> None:
    page, asked = reader
    page.goto((docs / "index.html").as_uri())
    if page.viewport_size == {"width": 375, "height": 900}:
        page.locator("header label[for=__search]").first.click()
    page.locator("[data-md-component=search-query]").click()
    page.keyboard.type("suppression", delay=20)
    expect(page.locator(".md-search-result__item").first).to_be_visible()
    assert find_foreign(asked) == []


def test_no_page_is_wider_than_a_phone_or_lacks_a_picture(docs: Path, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 375, "height": 900})
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    wrong = []
    for file in sorted(docs.rglob("*.html")):
        page.goto(file.as_uri())
        if page.evaluate(TOO_WIDE):
            wrong.append(f"{file.relative_to(docs)} is too wide")
        wrong += page.evaluate(
            "[...document.images].filter(one => one.complete && !one.naturalWidth).map(one => one.src)"
        )
    page.close()
    assert wrong == []
    assert find_foreign(asked) == []


def find_foreign(asked: list[str]) -> list[str]:
    return [address for address in asked if not address.startswith(("file:", "data:", "blob:"))]


@pytest.mark.parametrize("name", PAGES)
def test_the_text_of_a_page_can_be_read(docs: Path, reader: tuple[Page, list[str]], name: str) -> None:
    page, _ = reader
    page.goto((docs / f"{name}.html").as_uri())
    assert not page.evaluate(TOO_WIDE)
    assert [violation for violation in run_axe(page) if violation[0] in OURS] == []
