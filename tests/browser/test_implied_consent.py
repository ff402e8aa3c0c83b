"""Import of implied consent on a phone: columns, missing dates, and expiry."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from newsletter.demo.sample_week import LOGIN
from tests.support.axe import find_axe_violations
from tests.support.desk_browser import IN_CHROMIUM, open_desk

pytestmark = IN_CHROMIUM
WIDTH = 375


@pytest.fixture(params=["light", "dark"])
def phone(browser: Browser, site: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    look = {"viewport": {"width": WIDTH, "height": 800}, "color_scheme": request.param}
    with open_desk(browser, site, email=LOGIN.email, password=LOGIN.password, **look) as opened:
        yield opened


def check(page: Page) -> None:
    """Assert that nothing scrolls sideways and axe finds nothing."""
    assert page.evaluate("document.documentElement.scrollWidth") == WIDTH
    assert find_axe_violations(page) == []


@pytest.mark.requirement("P10")
def test_staff_import_implied_consent_on_a_phone_and_see_its_expiry(
    phone: Page, request: pytest.FixtureRequest
) -> None:
    scheme = request.node.callspec.params["phone"]
    last = (datetime.now(UTC) + timedelta(days=40)).date().isoformat()
    text = f"email,until {scheme}\n{scheme}-one@example.org,{last}\n{scheme}-two@example.org,\n"
    phone.goto("/admin/people/imports/new/")
    phone.get_by_label("File", exact=True).set_input_files(
        {"name": f"{scheme}.csv", "mimeType": "text/csv", "buffer": text.encode()}
    )
    phone.get_by_label("List*", exact=True).select_option(index=1)
    phone.get_by_role("button", name="Continue").click()
    phone.get_by_label("They gave, helped or met us, in Canada").check()
    phone.get_by_label("What is the proof?").fill("Gifts of 2026, ledger 4")
    phone.get_by_role("button", name="Check the file").click()
    expect(phone.get_by_role("link", name="Enter the date, or choose the column that has it.")).to_be_visible()
    expect(phone.get_by_label("When does their implied consent expire?")).to_be_visible()
    check(phone)
    phone.get_by_label(f"until {scheme}").select_option("expires_on")
    phone.get_by_label("When does their implied consent expire?").fill(last)
    phone.get_by_role("button", name="Check the file").click()
    bring = phone.get_by_role("button", name=re.compile("Import 2 people"))
    expect(bring).to_be_visible()
    check(phone)
    bring.click()
    expect(phone.get_by_role("link", name="Undo this import …")).to_be_visible()
    phone.goto("/admin/people/expiring/")
    expect(phone.get_by_text("Gifts of 2026, ledger 4").first).to_be_visible()
    check(phone)
