"""“Add a source” in Chromium: an address, what it offers, a key, and the source that comes of it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from newsletter.demo.sample_week import LOGIN
from tests.support.api_entries import make_entry
from tests.support.api_server import KEY, serve_api
from tests.support.axe import find_axe_violations
from tests.support.desk_browser import IN_CHROMIUM, open_desk
from tests.support.desk_looks import FIND_CUT, show
from tests.support.feed_items import make_feed_item
from tests.support.web_site import Site, serve_site

pytestmark = IN_CHROMIUM
PICTURES = os.environ.get("NEWSLETTER_LOOK_PICTURES", "")


@pytest.fixture
def web_site() -> Iterator[Site]:
    with serve_site() as site:
        items = "".join(make_feed_item(site, f"s{number}", f"Story number {number}") for number in range(7))
        feed = f'<rss version="2.0"><channel><title>News</title>{items}</channel></rss>'
        site.put("/rss/", feed, Content_Type="application/rss+xml")
        head = (
            '<meta name="generator" content="Ghost 5.8"><link rel="alternate" type="application/rss+xml" href="/rss/">'
        )
        site.put("/", f"<title>Open Door</title>{head}", Content_Type="text/html")
        yield site


def look_at(page: Page, name: str) -> None:
    """Assert that nothing is cut off at two widths, and that axe finds nothing."""
    for width in (375, 1280):
        show(page, (width, "light"))
        if PICTURES:
            page.screenshot(path=str(Path(PICTURES) / f"{name}-{width}.png"), full_page=True)
        assert page.evaluate(FIND_CUT) == []
        assert find_axe_violations(page) == []


def test_a_source_is_found_and_added_from_its_address(browser: Browser, own_site: str, web_site: Site) -> None:
    with (
        serve_api("ghost", make_entry("ghost", 1, "A school opens again")) as api,
        open_desk(browser, own_site, email=LOGIN.email, password=LOGIN.password) as page,
    ):
        page.goto("/admin/sources/add/")
        expect(page.get_by_label("Key", exact=True)).to_have_count(0)
        look_at(page, "find")
        page.get_by_label("Web address").fill(web_site.url)
        page.get_by_role("button", name="Find stories and events").click()
        expect(page.locator("li", has_text="Story number")).to_have_count(5)
        look_at(page, "found")
        page.get_by_role("button", name="Enter the key").click()
        look_at(page, "asks-key")
        page.get_by_label("Web address").fill(api.url)
        page.get_by_label("Key", exact=True).fill("0123456789")
        page.get_by_role("button", name="Look with this key").click()
        expect(page.get_by_text("does not accept the key")).to_be_visible()
        look_at(page, "wrong-key")
        page.get_by_label("Key", exact=True).fill(KEY)
        page.get_by_role("button", name="Look with this key").click()
        expect(page.locator("li", has_text="A school opens again")).to_be_visible()
        look_at(page, "found-with-key")
        page.get_by_role("button", name="Use these").click()
        expect(page.get_by_text("A key is saved.")).to_be_visible()
        assert KEY not in page.content()
        look_at(page, "added")


def test_the_whole_form_shows_the_key_only_if_the_kind_has_one(browser: Browser, own_site: str) -> None:
    with open_desk(browser, own_site, email=LOGIN.email, password=LOGIN.password) as page:
        page.goto("/admin/sources/add/?by_hand=1")
        kind, key = page.get_by_label("Kind"), page.get_by_label("Key", exact=True)
        for label, shown in (("Feed (RSS, Atom or JSON Feed)", False), ("Ghost site", True), ("Drupal site", False)):
            kind.select_option(label=label)
            expect(key).to_be_visible(visible=shown)
        kind.select_option(label="Events at Eventbrite")
        look_at(page, "by-hand")
