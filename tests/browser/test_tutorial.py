"""The first issue, as docs/tutorial/first-issue.md tells it. `make guide-pictures` keeps its pictures."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from newsletter.demo.sample_week import LOGIN
from tests.support.desk_browser import IN_CHROMIUM, open_desk
from tests.support.guide_pictures import LOOK, take_picture

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial" / "first-issue.md"

pytestmark = [*IN_CHROMIUM, pytest.mark.own_site]


def test_the_tutorial_leads_from_home_to_the_delivery_summary(browser: Browser, site: str) -> None:
    with open_desk(browser, site, email=LOGIN.email, password=LOGIN.password, **LOOK) as page:
        create_an_issue(page)
        change_the_subject(page)
        approve(page)
        send(page)


def create_an_issue(page: Page) -> None:
    take_picture(page, "tutorial-home")
    page.get_by_role("link", name="New issue").click()
    page.get_by_role("combobox", name="Publication").select_option(label="The weekly letter (London time)")
    take_picture(page, "tutorial-new")
    page.get_by_role("button", name="Create issue").click()
    expect(page.get_by_text("was created.")).to_be_visible()
    take_picture(page, "tutorial-issue")


def change_the_subject(page: Page) -> None:
    page.get_by_role("link", name="Edit the issue").click()
    expect(page.frame_locator("#w-preview-iframe").locator("h2").first).to_be_visible()
    page.get_by_label("Subject", exact=True).fill("What changed this week")
    take_picture(page, "tutorial-editor")
    page.get_by_role("button", name="Save and close").click()
    expect(page.get_by_text("What changed this week").first).to_be_visible()


def approve(page: Page) -> None:
    button = page.get_by_role("button", name="Approve this version")
    expect(button).to_be_visible()
    # Links of the sample are checked in the background: the warning about them may not be there yet.
    for warnings in page.get_by_label(re.compile("^I have reviewed the .* below")).all():
        warnings.check()
    take_picture(page, "tutorial-approve")
    button.click()
    expect(page.locator(".nl-tag", has_text="Approved")).to_be_visible()


def send(page: Page) -> None:
    page.get_by_role("link", name="Send now …").click()
    button = page.get_by_role("button", name=re.compile("^Write to files"))
    expect(button).to_be_visible()
    take_picture(page, "tutorial-send")
    button.click()
    expect(page.get_by_role("heading", name="Delivery summary")).to_be_visible()
    expect(page.locator(".nl-tag").first).to_have_text("Written to files")
    take_picture(page, "tutorial-sent")


def test_the_tutorial_shows_each_of_its_pictures() -> None:
    shown = set(re.findall(r"images/guide/(tutorial-[a-z]+)\.png", TUTORIAL.read_text()))
    taken = set(re.findall(r'take_picture\(page, "(tutorial-[a-z]+)"\)', Path(__file__).read_text()))
    assert shown == taken
