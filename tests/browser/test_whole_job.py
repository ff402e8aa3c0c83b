"""The whole job from an empty database with no command but `newsletter serve`, by mouse and by keyboard.

Set-up, a colleague, an event, a story, a subscriber, an issue on demand, approval on a phone, the send, a correction, a person
who unsubscribes, the report.
"""

import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.axe import find_axe_violations
from tests.support.desk_browser import IN_CHROMIUM
from tests.support.editor import blocks, expect_above, kinds, mail_blocks
from tests.support.first_start import EmptyInstallation, make_one_time_code, serve_empty
from tests.support.hands import Hand, Keyboard, Mouse
from tests.support.outbox import wait_for_link
from tests.support.own_site import serve_own_site
from tests.support.web_site import Site

PICTURES = os.environ.get("NEWSLETTER_FIRST_START_PICTURES", "")
ADMINISTRATOR, APPROVER, READER = "ann@example.org", "bob@example.org", "cleo@example.org"
PASSWORD = "three lanterns by the river"
PHONE = {"width": 375, "height": 812}
pytestmark = IN_CHROMIUM

Look = Callable[[Page, str], None]


@pytest.fixture
def web_site() -> Iterator[Site]:
    with serve_own_site() as site:
        yield site


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[EmptyInstallation]:
    with serve_empty(tmp_path) as served:
        yield served


@pytest.mark.parametrize("hand", [Mouse(), Keyboard()], ids=["mouse", "keyboard"])
def test_the_whole_job_is_done_in_the_browser(
    browser: Browser, installation: EmptyInstallation, web_site: Site, hand: Hand
) -> None:
    errors: list[str] = []
    desk = open_page(browser, installation, errors)
    looked_at = isinstance(hand, Mouse)
    make_first_account(desk, installation, hand, look if looked_at else pass_by)
    set_up(desk, web_site, hand, look if looked_at else pass_by)
    invitation = invite_approver(desk, hand)
    add_event(desk, hand)
    add_story(desk, hand)
    subscribe(open_page(browser, installation, errors), installation, hand)
    make_issue(desk, hand)
    write(desk, hand)
    ask_for_approval(desk, hand)
    phone = open_page(browser, installation, errors, phone=True)
    accept_invitation(phone, invitation, hand)
    approve(phone, "Good news from the clinic", hand)
    send(desk, hand)
    move_event(desk, hand)
    announce(desk, hand)
    approve(phone, "correction 1", hand)
    send(desk, hand)
    unsubscribe(open_page(browser, installation, errors, phone=True), installation, hand)
    read_report(desk, hand)
    assert errors == []


def open_page(browser: Browser, installation: EmptyInstallation, errors: list[str], *, phone: bool = False) -> Page:
    page = browser.new_context(
        base_url=installation.url,
        timezone_id="Europe/London",
        locale="en-GB",
        viewport=PHONE if phone else {"width": 1280, "height": 900},  # type: ignore[arg-type]
    ).new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    return page


def make_first_account(page: Page, installation: EmptyInstallation, hand: Hand, look_at: Look) -> None:
    page.goto("/")
    expect(page.get_by_text("Ask whoever installed this for the set-up link")).to_be_visible()
    page.goto(installation.link)
    look_at(page, "first-account")
    hand.write(page.get_by_label("Your email address"), ADMINISTRATOR)
    hand.write(page.locator("[name=password]"), PASSWORD)
    hand.write(page.get_by_label("Password again"), PASSWORD)
    hand.press(page.get_by_role("button", name="Make my account"))
    set_up_second_factor(page, hand)
    expect(page.get_by_role("heading", name="Set up your newsletter")).to_be_visible()
    look_at(page, "home-empty")


def set_up_second_factor(page: Page, hand: Hand) -> None:
    hand.write(page.get_by_label("Authenticator code"), make_one_time_code(page))
    hand.press(page.get_by_role("button", name="Turn on"))
    expect(page.get_by_role("button", name="Turn on")).to_have_count(0)
    page.goto("/admin/")


def set_up(page: Page, web_site: Site, hand: Hand, look_at: Look) -> None:
    hand.press(page.get_by_role("link", name="Continue: Your organisation"))
    look_at(page, "step-brand")
    hand.write(page.get_by_label("Your website"), web_site.url)
    hand.press(page.get_by_role("button", name="Look at our website"))
    expect(page.get_by_label("Name of your organisation")).to_have_value("Open Door")
    expect(page.get_by_text("is too pale to read")).to_be_visible()
    hand.write(page.get_by_label("Postal address"), "1 Example Street, Leeds")
    look_at(page, "step-brand-found")
    hand.press(page.get_by_role("button", name="Save and continue"))
    hand.write(page.get_by_role("textbox", name=re.compile(r"^Name\*?$")), "The weekly letter")
    look_at(page, "step-list")
    hand.press(page.get_by_role("button", name="Save and continue"))
    hand.press(page.get_by_role("button", name="Find stories and events"))
    expect(page.locator("li", has_text="of the clinic")).to_have_count(5)
    look_at(page, "step-source-found")
    hand.press(page.get_by_role("button", name="Use these"))
    expect(page.get_by_text("Added", exact=True)).to_be_visible()
    look_at(page, "step-source-added")
    hand.press(page.get_by_role("link", name="Continue"))
    expect(page.get_by_label("Time zone")).to_have_value("Europe/London")
    hand.write(page.get_by_label("Sender address"), "news@news.example.org")
    look_at(page, "step-publication")
    hand.press(page.get_by_role("button", name="Save and continue"))
    expect(page.get_by_role("button", name="Skip for now")).to_be_visible()
    look_at(page, "step-people")
    hand.press(page.get_by_role("button", name="Skip for now"))
    look_at(page, "step-provider")
    hand.press(page.get_by_role("button", name="Skip for now"))
    expect(page.get_by_text("v=DMARC1; p=none")).to_be_visible()
    look_at(page, "step-domain")
    hand.press(page.get_by_role("button", name="Skip for now"))
    wait_for_stories(page)
    look_at(page, "step-proof")
    hand.press(page.get_by_role("button", name="Send me a proof"))
    expect(page.get_by_role("heading", name="You are ready")).to_be_visible()
    look_at(page, "proof-done")
    page.goto("/admin/")
    expect(page.get_by_role("heading", name="Set up your newsletter")).to_have_count(0)
    look_at(page, "home")
    page.goto("/admin/?coming=calendar")
    look_at(page, "home-calendar")
    page.goto("/admin/search/?q=clinic")
    expect(page.get_by_role("link", name="Story 3 of the clinic")).to_be_visible()
    look_at(page, "search")


def wait_for_stories(page: Page) -> None:
    """Open the step again until the source was read."""
    for _ in range(60):
        if page.get_by_role("button", name="Send me a proof").count():
            return
        time.sleep(1)
        page.reload()


def invite_approver(page: Page, hand: Hand) -> str:
    """Invite a colleague. Return the link of the invitation."""
    open_from_menu(page, "Staff", hand, part="Settings")
    hand.press(page.get_by_role("link", name="Invite staff"))
    hand.write(page.get_by_label("Email"), APPROVER)
    hand.tick(page.get_by_label("Approver"))
    hand.press(page.get_by_role("button", name="Send invitation"))
    return page.locator(".nl-secret").inner_text()


def accept_invitation(page: Page, invitation: str, hand: Hand) -> None:
    page.goto(invitation)
    hand.write(page.locator("[name=password]"), PASSWORD + "!")
    hand.write(page.get_by_label("Password again"), PASSWORD + "!")
    hand.press(page.get_by_role("button", name="Save and sign in"))
    set_up_second_factor(page, hand)


def open_from_menu(page: Page, name: str, hand: Hand, *, part: str = "") -> None:
    """Open a page by the menu at the side. ``part``: the part of the menu that has it."""
    menu = page.locator("#wagtail-sidebar")
    if part:
        hand.press(menu.get_by_role("button", name=part))
    hand.press(menu.get_by_role("link", name=name, exact=True))
    expect(page.get_by_role("heading", level=1, name=name).first).to_be_visible()


def add_event(page: Page, hand: Hand) -> None:
    open_from_menu(page, "Events", hand)
    hand.press(page.get_by_role("link", name="Add event").first)
    hand.write(page.get_by_label("Title"), "Open evening")
    hand.write(page.get_by_label("Starts"), f"{datetime.now(UTC) + timedelta(days=12):%Y-%m-%d}T18:00")
    hand.write(page.get_by_label("Town", exact=True), "Leeds")
    hand.press(page.get_by_role("button", name=re.compile("^(Create|Save)")))
    expect(page.get_by_text("is added.")).to_be_visible()


def add_story(page: Page, hand: Hand) -> None:
    """Write a story that has no web page. Without an archive, the mail shows its whole text."""
    open_from_menu(page, "Stories", hand)
    hand.press(page.get_by_role("link", name="Add story").first)
    hand.write(page.locator("#id_title"), "The roof is mended")
    hand.write(page.get_by_label("Text", exact=True), "The rain is only a sound now.")
    hand.press(page.get_by_role("button", name=re.compile("^(Create|Save)")))
    expect(page.get_by_text("is added.")).to_be_visible()


def subscribe(page: Page, installation: EmptyInstallation, hand: Hand) -> None:
    page.goto("/join/the-weekly-letter")
    hand.write(page.get_by_label("Email address"), READER)
    hand.write(page.get_by_label("Where you live"), "Leeds, England, United Kingdom")
    time.sleep(3)  # nobody fills a form in faster; who does is asked again
    hand.press(page.get_by_role("button", name="Sign me up"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your inbox")
    page.goto(urlsplit(wait_for_link(installation.outbox, to=READER, path="c")).path)
    hand.press(page.get_by_role("button", name="Yes, send me The weekly letter"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you. You are on the list.")


def make_issue(page: Page, hand: Hand) -> None:
    page.goto("/admin/")
    hand.press(page.get_by_role("link", name="New issue"))
    expect(page.get_by_label("Issue to copy")).to_be_hidden()
    hand.press(page.get_by_role("button", name="Create issue"))
    expect(page.get_by_text("was created")).to_be_visible()


def write(page: Page, hand: Hand) -> None:
    """Change the lead where it is in the mail, move it, write the subject, and mend what a check finds."""
    hand.press(page.get_by_role("link", name="Edit the issue"))
    mail = page.frame_locator("#w-preview-iframe")
    expect(mail.get_by_text("Open evening").first).to_be_visible()
    expect(mail.get_by_text("The rain is only a sound now.")).to_be_visible()
    lead = blocks(page).first
    hand.press(mail_blocks(page).first.locator(".nl-mail-block__open"))
    hand.press(lead.locator("[data-panel-toggle]").nth(1))
    hand.write(lead.get_by_role("textbox", name="Headline"), "A roof for forty families")
    expect(mail.get_by_role("heading", name="A roof for forty families")).to_be_visible()
    first, second, *_ = kinds(page)
    hand.press(mail_blocks(page).first.get_by_role("button", name="Move down"))
    expect(mail_blocks(page).nth(1).locator("[data-name]")).to_contain_text(first)
    assert kinds(page)[:2] == [second, first]
    mend_a_check(page, hand)
    page.keyboard.press("ControlOrMeta+s")
    expect(page.locator(".nl-issue__subject")).to_have_text("Good news from the clinic")


def mend_a_check(page: Page, hand: Hand) -> None:
    hand.write(page.get_by_label("Subject"), "Good news for {{ frist_name }}")
    hand.press(page.get_by_role("button", name="Checks", exact=True))
    fault = page.locator(".nl-checks-panel li").filter(has_text="frist_name")
    expect(fault).to_contain_text("Fix before sending")
    hand.press(fault.get_by_role("link", name="Edit it in the issue"))
    hand.write(page.get_by_label("Subject"), "Good news from the clinic")
    expect(fault).to_have_count(0)


def ask_for_approval(page: Page, hand: Hand) -> None:
    """Ask the approver, whose Home lists a draft that staff made only then as waiting."""
    hand.press(page.get_by_role("button", name="Ask for approval"))
    expect(page.locator(".nl-tag").first).to_have_text("Waiting for approval")


def approve(page: Page, subject: str, hand: Hand) -> None:
    """Approve the issue of this subject, with its warnings reviewed, from Home."""
    page.goto("/admin/")
    task = page.get_by_role("listitem").filter(has_text=subject)
    hand.press(task.get_by_role("link", name="Review and approve"))
    button = page.get_by_role("button", name="Approve this version")
    expect_above(page.locator(".nl-frame").first, button)
    reviewed = page.locator("[name=looked]")
    if reviewed.count():
        hand.tick(reviewed)
    hand.press(button)
    expect(page.locator(".nl-tag").first).to_have_text("Approved")


def send(page: Page, hand: Hand) -> None:
    page.reload()
    hand.press(page.get_by_role("link", name="Send now …"))
    hand.press(page.get_by_role("button", name=re.compile("^Write to files")))
    expect(page.locator(".nl-tag").first).to_have_text("Written to files")


def move_event(page: Page, hand: Hand) -> None:
    open_from_menu(page, "Events", hand)
    hand.press(page.get_by_role("link", name="Open evening"))
    hand.write(page.get_by_label("Starts"), f"{datetime.now(UTC) + timedelta(days=13):%Y-%m-%d}T19:00")
    hand.press(page.get_by_role("button", name=re.compile("^Save")))
    expect(page.get_by_text("is saved.")).to_be_visible()


def announce(page: Page, hand: Hand) -> None:
    page.goto("/admin/")
    task = page.get_by_role("listitem").filter(has_text="Open evening")
    hand.press(task.get_by_role("link").first)
    hand.press(page.get_by_role("button", name="Draft the email"))
    expect(page.locator(".nl-issue__subject")).to_be_visible()


def unsubscribe(page: Page, installation: EmptyInstallation, hand: Hand) -> None:
    page.goto(urlsplit(wait_for_link(installation.outbox, to=READER, path="u")).path)
    hand.press(page.get_by_role("button", name="Unsubscribe"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("You’re unsubscribed")


def read_report(page: Page, hand: Hand) -> None:
    hand.press(page.get_by_role("link", name="Report"))
    expect(page.get_by_role("row", name=re.compile("^Unsubscribed 100 % 1"))).to_be_visible()


def pass_by(page: Page, name: str) -> None:
    """Look at nothing: the run by mouse looked already."""


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
