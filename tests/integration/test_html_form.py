"""The form of `integrations/html` on a static page, in Chromium, beside a served newsletter."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.integration.servers import run_server
from tests.integration.wordpress_plugin import Newsletter
from tests.support.axe import find_axe_violations
from tests.support.desk_browser import IN_CHROMIUM
from tests.support.guide_pictures import GUIDE, make_small
from tests.support.ports import free_port

pytestmark = IN_CHROMIUM
WRONG = "This is not an email address that we can send to. It looks like name@example.org."
FOLDER = Path(__file__).parents[2] / "integrations" / "html"
PAGE = """<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>Get involved</title><main><h1>Get involved</h1>{form}</main></html>"""
SCRIPT = '<script src="sign-up.js" defer></script>'
PRINT_FORM = """import django; django.setup()
from subscribers.desk.embedded_form import render_embed_form
from subscribers.models import MailingList
print(render_embed_form(MailingList.objects.get(slug="weekly")))"""
LOOKS = [(width, scheme) for width in (375, 1280) for scheme in ("light", "dark")]


@pytest.fixture(params=["copied", "of the desk"])
def address(request: pytest.FixtureRequest, tmp_path: Path, newsletter: Newsletter) -> Iterator[str]:
    """Return the address of a static page that holds the form: ours, and the one that the desk writes for a list."""
    newsletter.forget_limits()
    form = (FOLDER / "sign-up.html").read_text().replace("https://news.example.org", newsletter.address)
    if request.param == "of the desk":
        form = read_form_of_desk(newsletter) + SCRIPT
    assert SCRIPT in form
    (tmp_path / "index.html").write_text(PAGE.format(form=form))
    (tmp_path / "sign-up.js").write_text((FOLDER / "sign-up.js").read_text())
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(tmp_path)]
    with run_server(command, port=port, log=tmp_path / "log"):
        yield f"http://127.0.0.1:{port}/"


def read_form_of_desk(newsletter: Newsletter) -> str:
    """Return what the editor of the list offers to copy. tests/web/test_desk_joining.py reads it in the desk."""
    env = {
        **newsletter.organisation.install.env,
        "NEWSLETTER_SITE_URL": newsletter.address,
        "DJANGO_SETTINGS_MODULE": "newsletter.project.settings",
    }
    command = [sys.executable, "-c", PRINT_FORM]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=120).stdout


def test_the_form_leads_through_the_newsletters_page_to_the_list(
    browser: Browser, address: str, newsletter: Newsletter
):
    for number, script in enumerate((True, False)):
        email = f"static{number}@example.org"
        page = open_page(browser, address, script=script)
        page.get_by_label("Email address").fill(email)
        page.get_by_label("First name").fill("Robin")
        page.get_by_role("button", name="Sign me up").click()
        expect(page.get_by_text("Almost done.")).to_be_visible()
        expect(page.get_by_label("First name")).to_have_value("Robin")
        page.wait_for_timeout(1_500)  # the page refuses what is faster than a person
        page.get_by_role("button", name="Sign me up").click()
        expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
        found = newsletter.organisation.install.query("SELECT 1 FROM subscribers_subscriber WHERE email = ?", email)
        assert found, email
        page.context.close()


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_with_script_a_mistake_is_shown_on_the_same_page(
    browser: Browser, address: str, width: int, scheme: Literal["light", "dark"]
):
    page = open_page(browser, address, script=True, width=width, scheme=scheme)
    field = page.get_by_label("Email address")
    page.get_by_role("button", name="Sign me up").click()
    expect(page.get_by_role("alert")).to_have_text("Please write your email address.")
    field.fill("robin")
    expect(page.get_by_role("alert")).to_have_text(WRONG)
    page.get_by_role("button", name="Sign me up").click()
    expect(field).to_be_focused()
    expect(field).to_have_accessible_description(WRONG)
    assert page.url == address
    assert find_axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    take_picture(page, width=width, scheme=scheme)
    field.fill("robin@example.org")
    expect(page.get_by_role("alert")).to_have_text("")
    assert field.get_attribute("aria-invalid") is None
    page.context.close()


def test_the_next_page_repeats_the_same_error_about_an_address(browser: Browser, address: str):
    for script in (True, False):
        page = open_page(browser, address, script=script)
        page.get_by_label("Email address").fill("robin@example")  # what browsers let through
        page.get_by_role("button", name="Sign me up").click()
        expect(page.get_by_text(WRONG).first).to_be_visible()
        assert page.url != address
        expect(page.get_by_label("Email address")).to_have_value("robin@example")
        page.context.close()


def take_picture(page: Page, *, width: int, scheme: str) -> None:
    if os.environ.get(GUIDE) and (width, scheme) == (375, "light"):
        (FOLDER / "images").mkdir(exist_ok=True)
        (FOLDER / "images" / "mistake.png").write_bytes(make_small(page.screenshot()))


def open_page(
    browser: Browser, address: str, *, script: bool, width: int = 700, scheme: Literal["light", "dark"] = "light"
) -> Page:
    viewport: ViewportSize = {"width": width, "height": 460}
    context = browser.new_context(viewport=viewport, java_script_enabled=script, locale="en-GB", color_scheme=scheme)
    page = context.new_page()
    page.goto(address)
    return page
