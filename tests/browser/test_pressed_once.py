"""A button that is pressed twice while the answer is slow: its form is sent once, and the page shows that it is busy."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from newsletter.demo.sample_week import LOGIN
from tests.support import keyboard
from tests.support.desk_browser import IN_CHROMIUM, do_beside, open_desk
from tests.support.editor import open_editor

pytestmark = IN_CHROMIUM
CODE = """
import sys
from subscribers.links.signed_links import Purpose
from subscribers.models import MailingList
from tests.support.people import make_person, path_to, subscribe

weekly = MailingList.objects.get(slug="weekly")
person = make_person("pressed.once.{look}@example.org")
subscribe(person, weekly, basis="consent_double_opt_in")
sys.stdout.write(path_to(person, weekly, Purpose.{purpose}))
"""


# Holds each form that the page sends, as a slow answer does. While Chromium waits for one, no test can look at the page.
HOLD = """
window.sent = 0;
addEventListener('submit', event => {
  if (event.defaultPrevented) return;
  window.sent += 1;
  event.preventDefault();
});
"""


@pytest.fixture(params=["no-preference", "reduce"])
def look(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def page(browser: Browser, site: str, look: str) -> Iterator[Page]:
    context = browser.new_context(
        base_url=site, viewport={"width": 375, "height": 740}, locale="en-GB", reduced_motion=look
    )
    yield context.new_page()
    context.close()


def test_a_second_press_sends_nothing_and_the_page_says_it_is_busy(
    page: Page, site: str, demo_folder: Path, look: str
) -> None:
    page.add_init_script(HOLD)
    page.goto(do_beside(site, demo_folder, CODE.format(look=look, purpose="CONFIRM")))
    button = page.get_by_role("button", name=re.compile("^Yes, send me"))
    button.click()
    expect(page.get_by_role("status")).to_have_text("One moment …")
    expect(page.locator("form")).to_have_attribute("aria-busy", "true")
    mark = button.evaluate("one => getComputedStyle(one, '::after').animationName")
    assert mark == ("busy" if look == "no-preference" else "none")
    button.click()
    assert page.evaluate("window.sent") == 1


def test_a_page_that_is_answered_by_a_file_is_free_again(page: Page, site: str, demo_folder: Path, look: str) -> None:
    page.goto(do_beside(site, demo_folder, CODE.format(look=f"file.{look}", purpose="DOWNLOAD")))
    for _ in range(2):
        with page.expect_download():
            page.get_by_role("button", name="Download").click()
        expect(page.locator("form")).not_to_have_attribute("aria-busy", "true")


def test_a_pressed_button_of_the_desk_is_busy_and_sends_once(browser: Browser, site: str) -> None:
    with open_desk(browser, site, email=LOGIN.email, password=LOGIN.password) as desk:
        desk.add_init_script(HOLD)
        desk.goto("/admin/issues/new/")
        button = desk.get_by_role("button", name="Create issue")
        button.click()
        expect(desk.get_by_role("status").filter(has_text="One moment …")).to_be_attached()
        assert button.evaluate("one => getComputedStyle(one, '::after').animationName") == "nl-busy"
        expect(desk.locator("form[aria-busy=true]")).to_be_visible()
        desk.wait_for_function("window.sent === 1")
        button.click()
        desk.wait_for_timeout(500)
        assert desk.evaluate("window.sent") == 1


@pytest.mark.parametrize(
    ("path", "name"),
    [("issues/new/", "Create issue"), ("appeals/edit/1/", "Save"), ("", "Save and close")],
)
def test_escape_frees_a_form_that_gets_no_answer(browser: Browser, site: str, path: str, name: str) -> None:
    """Escape stops the browser from loading, and the page stays as it is."""
    with open_desk(browser, site, email=LOGIN.email, password=LOGIN.password) as desk:
        desk.add_init_script(HOLD)
        if name == "Save and close":
            open_editor(desk)
        else:
            desk.goto(f"/admin/{path}")
        button = desk.get_by_role("button", name=name, exact=True).first
        keyboard.press(button)
        desk.wait_for_function("() => window.sent === 1")
        desk.wait_for_timeout(500)
        desk.keyboard.press("Escape")
        expect(button).to_be_enabled()
        keyboard.press(button)
        desk.wait_for_function("() => window.sent === 2")


def test_a_form_sent_again_after_going_back_waits_its_whole_time(browser: Browser, site: str) -> None:
    with open_desk(browser, site, email=LOGIN.email, password=LOGIN.password) as desk:
        desk.clock.install()
        desk.add_init_script(HOLD)
        desk.goto("/admin/issues/new/")
        button = desk.get_by_role("button", name="Create issue")
        button.click()
        desk.wait_for_function("() => window.sent === 1")
        desk.clock.run_for(6_000)
        desk.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
        button.click()
        desk.wait_for_function("() => window.sent === 2")
        desk.clock.run_for(6_000)
        button.click()
        desk.wait_for_timeout(500)
        assert desk.evaluate("window.sent") == 2
        desk.clock.run_for(6_000)
        button.click()
        desk.wait_for_function("() => window.sent === 3")
