"""Mistakes of staff lose nothing: unreadable colours, used lists, chosen topics, late times, double clicks, two editors."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from newsletter.demo.sample_week import LOGIN
from tests.support.desk_browser import IN_CHROMIUM, do_beside, open_desk, run_beside
from tests.support.editor import add_block
from tests.support.time_limits import ANSWER_SECONDS

WRITER, PASSWORD = "writer@example.org", "a-calm-harbour-evening"
SOON = timedelta(seconds=ANSWER_SECONDS + 60)
"""Later than the slowest answer: the form has the minute only, and is checked once it arrives."""

pytestmark = [*IN_CHROMIUM, pytest.mark.own_site]
MAKE_ISSUE = """
from django.utils import timezone
from newsletter.issues.planning.create_issue import Beginning, create_issue
from newsletter.models import Publication
publication = Publication.objects.get(slug="weekly")
print(create_issue(publication=publication, beginning=Beginning.EMPTY, by=None, now=timezone.now()).pk)
"""
COUNT_DECISIONS = """
from newsletter.models import Approval, Delivery, Send
issue = {"issue__publication__slug": "boletin"}
people = Delivery.objects.filter(**issue, proof=False).count()
print(Approval.objects.filter(**issue).count(), Send.objects.filter(**issue).count(), people > 0)
"""


@pytest.fixture
def second(browser: Browser, site: str, own_demo_folder: Path) -> Iterator[Page]:
    """A page in which a writer is signed in."""
    run_beside(site, own_demo_folder, "staff", "add", WRITER, "--role", "writer", "--password-stdin", typed=PASSWORD)
    with open_desk(browser, site, email=WRITER, password=PASSWORD) as page:
        yield page


def test_unreadable_colours_of_a_brand_are_refused_at_their_field(page: Page) -> None:
    page.goto("/admin/brand/")
    page.locator(".listing a[href*='/brand/edit/']").first.click()
    page.get_by_label("Name", exact=False).first.fill("Harbour Justice renamed")
    page.locator("#id_colour").fill("#ffffaa")
    page.get_by_role("button", name="Save", exact=True).click()
    field = page.locator("[data-contentpath=colour]")
    expect(field).to_contain_text("#ffffaa is too pale to read")
    expect(page.locator("#id_name")).to_have_value("Harbour Justice renamed")
    expect(page.locator("#id_colour")).to_have_value("#ffffaa")
    page.goto("/admin/brand/")
    expect(page.get_by_text("Harbour Justice renamed")).to_have_count(0)


@pytest.mark.parametrize("address", ["topics", "segments"])
def test_a_row_whose_name_has_other_letters_gets_a_short_name(page: Page, address: str) -> None:
    page.goto(f"/admin/{address}/add/")
    page.locator("#id_name").press_sequentially("Ägypten für Łódź")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".listing").get_by_text("Ägypten für Łódź")).to_be_visible()


def test_a_segment_offers_only_conditions_that_it_can_save(page: Page) -> None:
    page.goto("/admin/segments/add/")
    page.get_by_role("button", name="Insert a block").first.click()
    expect(page.get_by_role("option", name="Topic")).to_be_visible()
    expect(page.get_by_role("option", name="Condition that cannot be shown")).to_have_count(0)


def test_why_a_preview_is_old_lies_over_nothing(page: Page) -> None:
    page.goto("/admin/stories/add/")
    banner, choice = page.locator("#w-preview-error-banner"), page.get_by_text("Shown as")
    mail = page.frame_locator("#w-preview-iframe")
    expect(mail.get_by_text("Give the story a title to see it here.")).to_be_visible()
    expect(banner).to_be_hidden()
    page.locator("#id_title").fill("The clinic opens")
    page.locator("#id_url").fill("https://example.org/clinic/")
    expect(mail.get_by_text("The clinic opens").first).to_be_visible()
    page.locator("#id_title").fill("")
    expect(banner).to_contain_text("Give the story a title to see it here.")
    above, below = banner.bounding_box(), choice.bounding_box()
    assert above
    assert below
    assert above["y"] + above["height"] <= below["y"]
    lines = banner.locator("p").bounding_box()
    assert lines
    assert lines["y"] + lines["height"] <= below["y"]


def test_a_refused_form_puts_the_cursor_into_its_wrong_field(page: Page) -> None:
    page.goto("/admin/issues/new/")
    page.get_by_role("button", name="Create issue").click()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    expect(page.locator("#id_publication")).to_be_focused()
    expect(page.locator("#id_publication")).to_have_accessible_description("This field is required.")


def test_a_chooser_is_a_dialog_with_a_name_and_gives_the_focus_back(page: Page) -> None:
    page.goto("/admin/publications/add/")
    opener = page.locator("[data-chooser-action-choose]:visible").first
    opener.press("Enter")
    expect(page.get_by_role("dialog", name=re.compile("^Choose "))).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()


def test_a_used_list_and_a_chosen_topic_are_kept_and_say_why(page: Page) -> None:
    page.goto("/admin/lists/")
    page.locator(".listing").get_by_role("link", name=re.compile("weekly letter")).first.click()
    page.goto(page.url.replace("/edit/", "/archive/"))
    expect(page.get_by_role("heading", name=re.compile("cannot be archived"))).to_be_visible()
    expect(page.get_by_text("3 publications")).to_be_visible()
    expect(page.get_by_role("button", name="Archive")).to_have_count(0)
    page.goto(page.url.replace("/archive/", "/delete/"))
    expect(page.get_by_text("A list is never deleted")).to_be_visible()
    page.goto("/admin/topics/")
    page.locator(".listing a[href*='/topics/edit/']").get_by_text("Land rights", exact=True).click()
    page.goto(page.url.replace("/edit/", "/delete/"))
    expect(page.get_by_role("heading", name=re.compile("cannot be deleted"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"\d+ subscribers?"))).to_be_visible()
    expect(page.get_by_text("would get every story")).to_be_visible()


def test_a_time_just_past_is_refused_and_one_soon_is_taken(page: Page) -> None:
    page.goto("/admin/issues/new/")
    weekly = page.locator("#id_publication option", has_text="The weekly letter").get_attribute("value")
    page.locator("#id_publication").select_option(weekly)
    page.get_by_label("Empty").check()
    now = datetime.now(ZoneInfo("Europe/London"))
    page.get_by_label("When to send it").fill(f"{now - timedelta(minutes=1):%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Create issue").click()
    expect(page.get_by_text(re.compile("has passed. Choose a later time."))).to_be_visible()
    expect(page.get_by_label("Empty")).to_be_checked()
    soon = datetime.now(ZoneInfo("Europe/London")) + SOON
    page.get_by_label("When to send it").fill(f"{soon:%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Create issue").click()
    expect(page.get_by_text(re.compile("was created"))).to_be_visible()
    page.goto(re.sub(r"edit/(\d+)/", r"\1/overview/", page.url))
    expect(page.locator(".nl-issue__state")).to_contain_text(f"{soon:%H:%M}")


def test_a_double_click_approves_once_and_sends_once(page: Page, site: str, own_demo_folder: Path) -> None:
    page.goto("/admin/")
    page.get_by_role("link", name=re.compile("Review and approve: El boletín")).click()
    page.get_by_role("button", name="Approve this version").dblclick()
    expect(page.get_by_text(re.compile("Approved")).first).to_be_visible()
    page.goto(re.sub(r"/(send|decision)/.*", "/overview/", page.url))
    page.get_by_role("link", name="Send now …").click()
    page.get_by_role("button", name=re.compile("Write to files")).dblclick()
    expect(page.get_by_text("Delivery summary")).to_be_visible()
    expect(page.locator(".nl-issue__state .nl-tag")).to_have_text("Written to files")
    assert do_beside(site, own_demo_folder, COUNT_DECISIONS) == "1 1 True"


def test_a_second_editor_sees_who_writes_and_may_watch(
    page: Page, second: Page, site: str, own_demo_folder: Path
) -> None:
    issue = do_beside(site, own_demo_folder, MAKE_ISSUE)
    with page.expect_response(re.compile("editing-sessions")):
        page.goto(f"/admin/issues/edit/{issue}/")
    expect(page.get_by_text("Open in another editor too")).to_have_count(0)
    second.goto(f"/admin/issues/edit/{issue}/")
    expect(second.get_by_text(f"Open in another editor too: {LOGIN.email}.")).to_be_visible()
    second.get_by_role("link", name="Watch without editing").click()
    second.wait_for_url(re.compile(f"/admin/issues/{issue}/watch/"))
    button = add_block(page, "Button")
    button.get_by_label("Words on the button").fill("Come to the harbour")
    button.get_by_label("Address").fill("https://example.org/harbour")
    expect(second.frame_locator(".nl-frame").get_by_text("Come to the harbour")).to_be_visible()
