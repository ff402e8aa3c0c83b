"""The editor of the demo's draft in Chromium: open it, add a block, and wait for what autosave writes."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests.support.desk_browser import ANSWER_MS

_STEP_MS, _NOTED_MS = 250, 1_000
"""The editor notes an edit within a second: the rich text editor writes to its field with a delay."""


def open_editor(page: Page) -> None:
    """Open the editor of the issue that waits for approval."""
    page.goto("/admin/issues/?state=waiting")
    page.get_by_role("link", name=re.compile("No. 1")).first.click()
    page.get_by_role("link", name="Edit the issue").click()
    expect(page.locator("#w-editor-form [inert]")).to_have_count(0)


def mail(page: Page) -> FrameLocator:
    return page.frame_locator("#w-preview-iframe")


def add_block(page: Page, kind: str) -> Locator:
    """Add a block at the end of the body and return it."""
    body = page.locator("[data-streamfield-stream-container]")
    body.locator("> div > .c-sf-add-button").last.click()
    page.get_by_role("option", name=kind, exact=True).click()
    return body.locator("> [data-streamfield-child]").last


def blocks(page: Page) -> Locator:
    """Return the blocks of the body in the form that are not deleted."""
    return page.locator("[data-streamfield-stream-container] > [data-streamfield-child]:not([aria-hidden=true])")


def kinds(page: Page) -> list[str]:
    """Return the kinds of the blocks in the form, in order."""
    return blocks(page).evaluate_all("all => all.map(one => one.querySelector('.c-sf-block__type').textContent)")


def mail_blocks(page: Page) -> Locator:
    """Return the boxes over the blocks of the mail in the preview."""
    return page.locator(".nl-mail-block")


def expect_above(mail: Locator, button: Locator) -> None:
    """Expect the mail in view when the page opens, and the button below it."""
    expect(mail).to_be_in_viewport()
    upper, lower = mail.bounding_box(), button.bounding_box()
    assert upper
    assert lower
    assert upper["y"] + upper["height"] <= lower["y"]


def read_draft(data: Path) -> str:
    """Return subject, preheader and body of the draft, as the database of this data folder has them."""
    with closing(sqlite3.connect(data / "newsletter.sqlite3", timeout=30)) as database:
        query = "SELECT subject, preheader, body FROM newsletter_issue WHERE state = 'draft'"
        return "\n".join(database.execute(query).fetchone())


def wait_until_saved(page: Page, data: Path, text: str) -> None:
    """Wait until the draft in the database holds a text."""
    for _ in range(ANSWER_MS // _STEP_MS):
        if text in read_draft(data):
            return
        page.wait_for_timeout(_STEP_MS)
    raise AssertionError(f"“{text}” is not saved: {read_draft(data)}")


def wait_until_all_saved(page: Page) -> None:
    """Wait until the editor says that nothing is unsaved."""
    page.wait_for_timeout(_NOTED_MS)
    expect(page.locator("#w-autosave-indicator")).not_to_have_attribute("data-w-autosave-state-value", "saving")


def open_overrides(block: Locator) -> Locator:
    """Open what the block changes for this issue, unless it is open because it has a text. Return its headline."""
    expect(block.get_by_role("heading", name="Change for this issue")).to_be_visible()
    block.page.wait_for_timeout(300)
    headline = block.get_by_role("textbox", name="Headline")
    if not headline.is_visible():
        block.get_by_role("heading", name="Change for this issue").click()
    expect(headline).to_be_visible()
    return headline
