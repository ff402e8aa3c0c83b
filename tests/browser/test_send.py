"""Starting and watching a send in a real browser on the demo."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.desk_browser import IN_CHROMIUM

pytestmark = IN_CHROMIUM


@pytest.fixture(scope="module")
def site(own_site: str) -> str:
    return own_site


def test_an_approver_sends_an_issue_and_watches_its_progress(page: Page, site: str) -> None:
    """The page updates without a reload."""
    page.goto(f"{site}/admin/")
    page.get_by_role("link", name=re.compile("Review and approve: El boletín")).click()
    page.get_by_role("button", name="Approve this version").click()
    page.get_by_role("link", name="Send now …").click()
    expect(page.get_by_role("heading", name=re.compile("Write El boletín mensual No. 1 to files now"))).to_be_visible()
    page.get_by_role("button", name=re.compile("Write to files")).click()
    expect(page.get_by_text("Delivery summary")).to_be_visible()
    expect(page.locator(".nl-issue__state .nl-tag")).to_have_text("Written to files", timeout=60_000)
