"""Every desk page, wide and light or on a phone and dark: axe finds nothing, and nothing overflows the screen.

Pictures of some of them stand in docs/how-to/use-the-desk.md.
"""

import os
import re
from collections.abc import Iterator

from playwright.sync_api import Page

from tests.support.axe import run_axe
from tests.support.desk_browser import IN_CHROMIUM
from tests.support.guide_pictures import GUIDE, LOOK, take_picture

PREVIEW_MS = 1_500 if os.environ.get(GUIDE) else 0
PHONE = {"width": 375, "height": 800}
LISTS = ("issues", "stories", "events", "appeals", "sources", "publications", "brand", "lists", "topics", "segments")
OTHERS = (
    "",
    "results",
    "people",
    "people/imports",
    "people/imports/new",
    "people/download",
    "images",
    "images/add",
    "users",
    "users/new",
    "staff-log",
    "protected-terms",
    "processing",
    "account",
)
# What Wagtail draws itself: its box for tags has no label; two tabs of its form for staff stand in no list of tabs.
THEIRS = {("/admin/images/add/", "label"), ("/admin/users/new/", "aria-required-parent")}
PICTURES = {
    r"/admin/stories/": "stories",
    r"/admin/stories/withdraw/\d+/": "withdraw",
    r"/admin/events/edit/\d+/": "event",
    r"/admin/issues/\d+/audience/": "audience",
    r"/admin/issues/\d+/compare/": "compare",
    r"/admin/brand/edit/.+": "brand",
    r"/admin/segments/edit/.+": "segment",
    r"/admin/people/\d+/": "person",
    r"/admin/people/imports/new/": "import-new",
    r"/admin/people/download/": "export",
    r"/admin/users/": "staff",
    r"/admin/staff-log/": "staff-log",
    r"/admin/protected-terms/": "protected-terms",
    r"/accounts/2fa/totp/activate/": "second-factor",
}

pytestmark = IN_CHROMIUM


def test_every_desk_page_is_accessible_in_light_and_dark(page: Page) -> None:
    faults = [fault for address in list_pages(page) for fault in look_at(page, address)]
    assert faults == []


def list_pages(page: Page) -> Iterator[str]:
    """Return each list, the page of its first row and its add page, the pages of an issue, and all others."""
    protect_names(page)
    yield from (f"/admin/{name}/" if name else "/admin/" for name in OTHERS)
    for name in LISTS:
        yield f"/admin/{name}/"
        page.goto(f"/admin/{name}/")
        first = page.locator("main td a[href^='/admin/']").first.get_attribute("href") or ""
        yield first
        if page.locator(f"a[href='/admin/{name}/add/']").count():
            yield f"/admin/{name}/add/"
        number = "".join(filter(str.isdigit, first))
        if name == "issues":
            pages = ("audience", "compare")
            yield from (f"/admin/issues/{number}/{part}/" for part in pages)
            yield from (f"/admin/issues/{part}/{number}/" for part in ("edit", "history"))
            yield "/admin/issues/2/report/"
        elif name == "stories":
            yield f"/admin/stories/withdraw/{number}/"
        elif name == "events":
            yield f"/admin/events/announce/{number}/"
    page.goto("/admin/people/")
    yield page.locator("main td a[href^='/admin/people/']").first.get_attribute("href") or ""
    yield from (f"/accounts/{part}/" for part in ("2fa", "2fa/totp/activate", "sessions"))


def protect_names(page: Page) -> None:
    """Add rows to the list of protected terms. Nobody in the sample has these names."""
    page.goto("/admin/protected-terms/")
    page.get_by_label("Names, numbers, addresses").fill(
        "Marisol Quintanilla-Example\nK-2031-77\n12 Sample Lane, Nowhere\nLi"
    )
    page.get_by_label("Why these terms are protected").fill("Story of May")
    page.get_by_role("button", name="Protect these terms").click()
    page.get_by_role("heading", name="4 protected terms").wait_for()


def look_at(page: Page, address: str) -> list[str]:
    page.set_viewport_size(LOOK["viewport"])  # type: ignore[arg-type]
    page.emulate_media(color_scheme="light")
    response = page.goto(address)
    if response is None or response.status != 200:
        return [f"{address} does not open"]
    if name := next((name for pattern, name in PICTURES.items() if re.fullmatch(pattern, address)), ""):
        page.wait_for_timeout(PREVIEW_MS)
        take_picture(page, name)
    faults = find_faults(page, address, look="light")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(200)
    faults += find_faults(page, address, look="phone, dark")
    wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [*faults, *([f"{address} is {wider} px wider than a phone"] if wider > 0 else [])]


def find_faults(page: Page, address: str, *, look: str) -> list[str]:
    return [
        f"{address} ({look}): {rule}: {html[:140]}" for rule, html in run_axe(page) if (address, rule) not in THEIRS
    ]
