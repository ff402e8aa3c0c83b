"""The form of `integrations/html` on a static page, in Chromium, beside a served newsletter."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.integration.servers import free_port, run_server
from tests.integration.wordpress_plugin import Newsletter
from tests.support.axe import find_axe_violations
from tests.support.desk_browser import IN_CHROMIUM
from tests.support.guide_pictures import GUIDE, make_small

pytestmark = IN_CHROMIUM
ANSWER_MS = 30_000
FOLDER = Path(__file__).parents[2] / "integrations" / "html"
PAGE = '<!doctype html><html lang="en"><title>Get involved</title><main><h1>Get involved</h1>{form}</main></html>'


@pytest.fixture
def address(tmp_path: Path, newsletter: Newsletter) -> Iterator[str]:
    """Return the address of a static page that holds the form."""
    newsletter.forget_limits()
    form = (FOLDER / "sign-up.html").read_text().replace("https://news.example.org", newsletter.address)
    (tmp_path / "index.html").write_text(PAGE.format(form=form))
    (tmp_path / "sign-up.js").write_text((FOLDER / "sign-up.js").read_text())
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(tmp_path)]
    with run_server(command, port=port, log=tmp_path / "log"):
        yield f"http://127.0.0.1:{port}/"


def test_the_form_leads_through_the_newsletters_page_to_the_list(
    browser: Browser, address: str, newsletter: Newsletter
):
    for number, script in enumerate((True, False)):
        email = f"static{number}@example.org"
        page = open_page(browser, address, script=script)
        page.get_by_label("Email address").fill(email)
        page.get_by_label("First name").fill("Robin")
        page.get_by_role("button", name="Sign me up").click()
        expect(page.get_by_text("Almost done.")).to_be_visible(timeout=ANSWER_MS)
        expect(page.get_by_label("First name")).to_have_value("Robin")
        page.wait_for_timeout(1_500)  # the page refuses what is faster than a person
        page.get_by_role("button", name="Sign me up").click()
        expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible(timeout=ANSWER_MS)
        found = newsletter.organisation.install.query("SELECT 1 FROM subscribers_subscriber WHERE email = ?", email)
        assert found, email
        page.context.close()


def test_with_script_a_mistake_is_said_before_the_page_is_left(browser: Browser, address: str):
    page = open_page(browser, address, script=True)
    field = page.get_by_label("Email address")
    page.get_by_role("button", name="Sign me up").click()
    expect(page.get_by_role("alert")).to_have_text("Please write your email address.")
    field.fill("robin")
    expect(page.get_by_role("alert")).to_contain_text("It looks like name@example.org.")
    page.get_by_role("button", name="Sign me up").click()
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-describedby", "newsletter-email-error")
    assert page.url == address
    assert find_axe_violations(page) == []
    if os.environ.get(GUIDE):
        (FOLDER / "images").mkdir(exist_ok=True)
        (FOLDER / "images" / "mistake.png").write_bytes(make_small(page.screenshot()))
    field.fill("robin@example.org")
    expect(page.get_by_role("alert")).to_have_text("")
    assert field.get_attribute("aria-invalid") is None
    page.context.close()


def open_page(browser: Browser, address: str, *, script: bool) -> Page:
    context = browser.new_context(viewport={"width": 700, "height": 460}, java_script_enabled=script, locale="en-GB")
    context.set_default_timeout(ANSWER_MS)
    page = context.new_page()
    page.goto(address)
    return page
