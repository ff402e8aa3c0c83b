"""The first visit, from an empty database with no command but `newsletter serve`: account, second factor, Set up, Home."""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import COMMAND, environment_of, free_port, wait_for
from tests.support.axe import find_axe_violations
from tests.support.desk_browser import IN_CHROMIUM
from tests.support.web_site import Site, serve_site

PICTURES = os.environ.get("NEWSLETTER_FIRST_START_PICTURES", "")
EMAIL, PASSWORD = "ann@example.org", "three lanterns by the river"
pytestmark = IN_CHROMIUM


@pytest.fixture(scope="module")
def web_site() -> Iterator[Site]:
    """Return the organisation's own web site, with a logo, a style sheet and a feed."""
    with serve_site() as site:
        day = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(time.time() - 86_400))
        items = "".join(
            f"<item><title>Story {n} of the clinic</title><link>{site.url}/s/{n}/</link><guid>s{n}</guid>"
            f"<pubDate>{day}</pubDate><description>What happened on day {n}, in one sentence.</description></item>"
            for n in range(7)
        )
        feed = f'<rss version="2.0"><channel><title>News</title>{items}</channel></rss>'
        site.put("/feed.xml", feed, Content_Type="application/rss+xml")
        head = (
            '<link rel="stylesheet" href="/look.css"><link rel="alternate" type="application/rss+xml" href="/feed.xml">'
        )
        page = f'<title>Open Door</title>{head}<img class="logo" src="/logo.png" alt="Open Door">'
        site.put("/", page, Content_Type="text/html")
        site.put("/look.css", ":root{--brand:#ffe97a} body{font-family:Verdana}", Content_Type="text/css")
        picture = BytesIO()
        Image.new("RGB", (400, 120), "#224466").save(picture, "PNG")
        site.put("/logo.png", picture.getvalue(), Content_Type="image/png")
        yield site


@pytest.fixture(scope="module")
def empty_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Return the address of `newsletter serve` on an empty folder, and the set-up link that it printed."""
    folder, port = tmp_path_factory.mktemp("empty"), free_port()
    log = folder / "serve.log"
    environment = {
        **environment_of(folder / "data"),
        "NEWSLETTER_SITE_URL": f"http://127.0.0.1:{port}",
        "NEWSLETTER_FETCH_ALLOW": "127.0.0.1",
        "NEWSLETTER_LINK_CHECKS": "false",
    }
    with log.open("w") as out:
        server = subprocess.Popen(
            [COMMAND, "serve", "--port", str(port)], env=environment, cwd=folder, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/accounts/login/", server, log)
        link = re.search(r"http\S+/accounts/first/\S+", log.read_text())
        assert link is not None, log.read_text()
        yield f"http://127.0.0.1:{port}", link[0]
    finally:
        server.terminate()
        server.wait(30)


def test_the_first_visit_leads_from_an_empty_database_to_a_proof(
    browser: Browser, empty_desk: tuple[str, str], web_site: Site, tmp_path: Path
) -> None:
    site, link = empty_desk
    context = browser.new_context(
        base_url=site,
        timezone_id="Europe/London",
        locale="en-GB",
        viewport={"width": 1280, "height": 900},
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto("/")
    expect(page.get_by_text("printed a set-up link")).to_be_visible()
    page.goto(link)
    look(page, "first-account")
    page.get_by_label("Your email address").fill(EMAIL)
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Make my account").click()
    set_up_second_factor(page)
    expect(page.get_by_role("heading", name="Set up your newsletter")).to_be_visible()
    look(page, "home-empty")
    page.get_by_role("link", name="Continue: Your organisation").click()
    look(page, "step-brand")
    page.get_by_label("Your website").fill(web_site.url)
    page.get_by_role("button", name="Look at our website").click()
    expect(page.get_by_label("Name of your organisation")).to_have_value("Open Door")
    expect(page.get_by_text("We darkened a colour")).to_be_visible()
    page.get_by_label("Postal address").fill("1 Example Street, Leeds")
    look(page, "step-brand-found")
    page.get_by_role("button", name="Save and continue").click()
    page.get_by_role("textbox", name="Name").fill("The weekly letter")
    look(page, "step-list")
    page.get_by_role("button", name="Save and continue").click()
    page.get_by_role("button", name="Find stories and events").click()
    expect(page.locator("li", has_text="of the clinic")).to_have_count(5)
    look(page, "step-source-found")
    page.get_by_role("button", name="Use these").click()
    page.get_by_label("From email").fill("news@news.example.org")
    look(page, "step-publication")
    page.get_by_role("button", name="Save and continue").click()
    look(page, "step-people")
    page.get_by_role("button", name="Skip for now").click()
    look(page, "step-provider")
    page.get_by_role("button", name="Skip for now").click()
    expect(page.get_by_text("v=DMARC1; p=none")).to_be_visible()
    look(page, "step-domain")
    page.get_by_role("button", name="Skip for now").click()
    wait_for_stories(page)
    look(page, "step-proof")
    page.get_by_role("button", name="Send me a proof").click()
    expect(page.get_by_text(f"The proof was sent to {EMAIL}.")).to_be_visible()
    look(page, "overview-done")
    page.goto("/admin/")
    expect(page.get_by_role("heading", name="Set up your newsletter")).to_have_count(0)
    look(page, "home")
    page.goto("/admin/?coming=calendar")
    look(page, "home-calendar")
    page.goto("/admin/search/?q=clinic")
    expect(page.get_by_role("link", name="Story 3 of the clinic")).to_be_visible()
    look(page, "search")
    page.goto("/admin/users/new/")
    look(page, "invite")
    page.get_by_label("Email").fill("bob@example.org")
    page.get_by_label("Approver").check()
    page.get_by_role("button", name="Send invitation").click()
    invitation = page.locator(".nl-secret").inner_text()
    look(page, "invited")
    context.close()
    other = browser.new_context(base_url=site, locale="en-GB").new_page()
    other.goto(invitation)
    other.locator("[name=password]").fill(PASSWORD + "!")
    other.get_by_label("Password again").fill(PASSWORD + "!")
    other.get_by_role("button", name="Save and sign in").click()
    expect(other.get_by_label("Authenticator code")).to_be_visible()
    other.context.close()
    assert errors == []


def set_up_second_factor(page: Page) -> None:
    secret = page.locator(".nl-secret").first.inner_text()
    *_, counter = yield_hotp_counters_from_time()
    page.get_by_label("code").or_(page.locator("input[name=code]")).first.fill(
        format_hotp_value(hotp_value(secret, counter - 1))
    )
    page.locator("form button").first.click()
    page.goto("/admin/")


def wait_for_stories(page: Page) -> None:
    """Open the step again until the source was read."""
    for _ in range(60):
        if page.get_by_role("button", name="Send me a proof").count():
            return
        time.sleep(1)
        page.reload()


def look(page: Page, name: str) -> None:
    """Find nothing wrong with the page at 1280 pixels in light and at 375 in dark. Keep pictures if a folder is named."""
    for width, scheme in ((1280, "light"), (375, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.wait_for_timeout(250)
        assert find_axe_violations(page) == [], f"{name} at {width}"
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"{name} at {width} is too wide"
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"{name}-{width}-{scheme}.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")
