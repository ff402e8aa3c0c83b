"""The list of subscribers and a person's page in Chromium: change chosen people, correct a mistyped address."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.support.desk_browser import IN_CHROMIUM, do_beside
from tests.support.outbox import wait_for_link

CORRECTED = "noor-with-two-o@example.org"
LIST_THE_CHOIR = """
from subscribers.models import Subscriber
from subscribers.segments.attributes import read_attributes
print(*[person.pk for person in Subscriber.objects.all() if read_attributes(person).get("choir") == "alto"])
"""
SPARE_WIDTH = """select => {
  const style = getComputedStyle(select), pen = document.createElement("canvas").getContext("2d");
  pen.font = style.font;
  const room = select.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  return room - pen.measureText(select.selectedOptions[0].text).width;
}"""
pytestmark = [*IN_CHROMIUM, pytest.mark.own_site]


def test_people_ticked_in_the_list_are_changed_together(page: Page, site: str, own_demo_folder: Path) -> None:
    page.goto("/admin/people/")
    ticks = page.locator("tbody").get_by_role("checkbox")
    chosen = {ticks.nth(row).get_attribute("value") for row in (0, 2)}
    ticks.nth(0).check()
    ticks.nth(2).check()
    page.get_by_role("button", name="Change selected people").click()
    expect(page.locator(".nl-issue__subject")).to_have_text("2 people")
    page.get_by_text("Set an extra field", exact=True).click()
    page.get_by_label("Extra field").fill("choir")
    page.get_by_label("Value").fill("alto")
    page.get_by_role("button", name="Set the extra field (2 people)").click()
    expect(page.get_by_text("2 of 2 people changed.")).to_be_visible()
    assert set(do_beside(site, own_demo_folder, LIST_THE_CHOIR).split()) == chosen


def test_a_mistyped_address_is_corrected_on_the_page_of_the_person(page: Page, own_demo_folder: Path) -> None:
    page.goto("/admin/people/")
    page.locator("td.title a").first.click()
    person = page.url
    page.get_by_text("Correct the address", exact=True).click()
    ask(page, "noor at example")
    expect(page.locator("#nl-email-error")).to_contain_text("is no email address")
    expect(page.get_by_label("Corrected address")).to_have_value("noor at example")
    ask(page, CORRECTED)
    expect(page.get_by_text(f"A mail asks {CORRECTED} to confirm")).to_be_visible()
    link = wait_for_link(own_demo_folder / "data" / "demo" / "outbox", to=CORRECTED, path="this-address")
    page.goto(urlsplit(link).path)
    page.locator("main form button").click()  # the page is in the language of the person
    expect(page.locator("main form")).to_have_count(0)
    page.goto(person)
    page.get_by_role("button", name="Show the whole address").click()
    expect(page.locator(".nl-issue__subject")).to_have_text(CORRECTED)


def ask(page: Page, address: str) -> None:
    field = page.get_by_label("Corrected address")
    field.evaluate("field => { field.type = 'text' }")  # the browser would refuse a mistyped address by itself
    field.fill(address)
    page.get_by_role("button", name="Ask this address").click()


def test_the_proposed_field_of_each_column_is_readable(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto("/admin/people/imports/new/")
    text = "Mail;PLZ;Mitglied seit dem Jahr;Einwilligung\nann@example.org;04109;An extraordinarily long value of a column;ja\n"
    page.locator("input[type=file]").set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": text.encode()}
    )
    page.locator("#id_mailing_list").select_option(index=1)
    page.get_by_role("button", name="Continue").click()
    selects = page.locator(".nl-columns-table select")
    expect(selects).to_have_count(4, timeout=20_000)
    for at in range(4):
        assert selects.nth(at).evaluate(SPARE_WIDTH) >= 0, selects.nth(at).inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
