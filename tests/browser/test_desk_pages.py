"""Every page of the desk's route table, in two languages: axe finds nothing, and no width cuts anything off.

Each run takes one of the four looks (wide or phone, light or dark) in each language, another for the next page.
`make desk-looks` takes all eight for every page. Pictures of some pages are in docs/how-to.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from newsletter.demo.sample_week import LOGIN
from tests.browser.conftest import run_demo
from tests.support.demo_rows import SPANISH_STAFF
from tests.support.desk_browser import IN_CHROMIUM, do_beside, open_desk
from tests.support.desk_looks import NO_PAGE, is_part, list_looks, list_pages, look_at
from tests.support.desk_routes import LOOKED_AT
from tests.support.guide_pictures import GUIDE, LOOK, take_picture
from tests.support.inbound_mails import INBOUND_ADDRESS, UNREAD_MAILBOX

PREVIEW_MS = 1_500
MINUTES_TO_BEGIN = 4
"""The scheduler begins an approved send whose time has come at its next look."""
PICTURES = {
    "wagtailsnippets_newsletter_story:list": "stories",
    "newsletter_story_withdraw": "withdraw",
    "wagtailsnippets_newsletter_eventnotice:edit": "event",
    "newsletter_issue_compare": "compare",
    "wagtailsnippets_newsletter_brand:edit": "brand",
    "wagtailsnippets_subscribers_segment:edit": "segment",
    "subscribers_person": "person",
    "subscribers_import_new": "import-new",
    "subscribers_export": "export",
    "wagtailusers_users:index": "staff",
    "newsletter_audit": "staff-log",
    "newsletter_protected_terms": "protected-terms",
    "mfa_activate_totp": "second-factor",
    "newsletter_source_find": "find-source",
    "newsletter_issue_translate": "translate",
    "newsletter_issue_subject_test": "subject-test",
    "newsletter_gifts": "gifts",
    "newsletter_welcome": "welcome",
    "wagtailsnippets_subscribers_case:edit": "case",
}
SECTIONS = {
    "interests": ("wagtailsnippets_newsletter_publication:edit", "[name=interests]"),
    "local-hour": ("wagtailsnippets_newsletter_publication:edit", "[name=send_at]"),
}
"""Pictures of one part of a page: the page, and a field that is in the middle of the picture."""
STATES = {"appeal": "[name=audience]"}
CARDS = {"subject-result": "#nl-subject-test", "raised": "#nl-gifts", "person-mails": "#nl-mails"}
"""The part in the middle of pictures of `tests.support.guide_states`, and the cards that are a picture by themselves."""
LANGUAGES = ("en", "es")
STAFF = {"en": LOGIN.email, "es": SPANISH_STAFF}
MOVE_ACCOUNT = "newsletter_send_account"
"""The page that opens only if there are two accounts. The demo has one, which writes files."""
TWO_ACCOUNTS = {
    "NEWSLETTER_PROVIDER_URL": "smtp://127.0.0.1:1",
    "NEWSLETTER_PROVIDER_URL_BACKUP": "smtp://127.0.0.1:2",
}

pytestmark = IN_CHROMIUM


@pytest.fixture(scope="module")
def site(own_demo_folder: Path, shared_folder: Path) -> Iterator[str]:
    """Return the address of a demo into which mail comes in."""
    inbound = {"NEWSLETTER_INBOUND": UNREAD_MAILBOX, "NEWSLETTER_INBOUND_ADDRESS": INBOUND_ADDRESS}
    with run_demo(own_demo_folder, shared_folder, **inbound) as address:
        yield address


@pytest.fixture(scope="module")
def rows(site: str, own_demo_folder: Path) -> dict[str, str]:
    """Return the variable parts of addresses. The demo has a row for each of them."""
    code = "from tests.support.demo_rows import print_rows; print_rows()"
    made: dict[str, str] = json.loads(do_beside(site, own_demo_folder, code))
    return made


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_desk_page_is_accessible_and_cuts_nothing(
    browser: Browser, site: str, rows: dict[str, str], language: str
) -> None:
    decision = rows.get(f"newsletter_decide {STAFF[language]}", rows["newsletter_decide"])
    pages = list_pages({**rows, "newsletter_decide": decision})
    del pages[MOVE_ACCOUNT]
    with open_desk(browser, site, email=STAFF[language], password=LOGIN.password) as page:
        faults = [
            fault
            for number, (name, address) in enumerate(pages.items())
            for fault in look_at(page, name, address, looks=list_looks(language, number=number))
        ]
    assert faults == [], "\n".join(faults)


def test_the_page_that_moves_people_is_accessible_and_cuts_nothing(
    browser: Browser, tmp_path: Path, shared_folder: Path
) -> None:
    with run_demo(tmp_path, shared_folder, **TWO_ACCOUNTS) as site:
        issue = do_beside(site, tmp_path, "from tests.support.demo_rows import print_paused; print_paused()")
        for language in LANGUAGES:
            with open_desk(browser, site, email=STAFF[language], password=LOGIN.password) as page:
                address = list_pages({MOVE_ACCOUNT: issue})[MOVE_ACCOUNT]
                assert look_at(page, MOVE_ACCOUNT, address, looks=list_looks(language, number=0)) == []


def test_each_route_is_a_page_or_says_why_it_is_not() -> None:
    assert set(NO_PAGE) <= set(LOOKED_AT)
    assert [name for name in NO_PAGE if is_part(name)] == []


@pytest.mark.skipif(GUIDE not in os.environ, reason="`make guide-pictures` takes the pictures of the staff guide")
def test_pictures_of_the_guide_are_taken(page: Page, rows: dict[str, str]) -> None:
    pages = list_pages(rows)
    protect_names(page)
    page.set_viewport_size(LOOK["viewport"])  # type: ignore[arg-type]
    for name, picture in PICTURES.items():
        page.goto(pages[name])
        page.wait_for_timeout(PREVIEW_MS)
        take_picture(page, picture)
    for picture, (name, field) in SECTIONS.items():
        page.goto(pages[name])
        page.locator(field).first.evaluate("field => field.scrollIntoView({block: 'center'})")
        page.wait_for_timeout(PREVIEW_MS)
        take_picture(page, picture)


@pytest.mark.skipif(GUIDE not in os.environ, reason="`make guide-pictures` takes the pictures of the staff guide")
def test_pictures_of_states_in_the_guide_are_taken(
    page: Page, site: str, own_demo_folder: Path, rows: dict[str, str]
) -> None:
    code = "from tests.support.guide_states import print_states; print_states()"
    states: dict[str, str] = json.loads(do_beside(site, own_demo_folder, code))
    page.set_viewport_size(LOOK["viewport"])  # type: ignore[arg-type]
    for picture, address in states.items():
        page.goto(site + address)
        if picture in STATES:
            page.locator(STATES[picture]).first.evaluate("part => part.scrollIntoView({block: 'center'})")
        page.wait_for_timeout(PREVIEW_MS)
        take_picture(page.locator(".nl-card", has=page.locator(CARDS[picture])) if picture in CARDS else page, picture)
    page.goto(f"{site}/admin/limits/")
    page.locator("[name=mails_in_7_days]").fill("2")
    page.wait_for_timeout(PREVIEW_MS)
    take_picture(page, "limits")
    page.locator("[name=silent_months]").fill("24")
    page.get_by_role("button", name="Count silent people").click()
    page.get_by_role("heading", name="Silent for 24 months").evaluate("part => part.scrollIntoView({block: 'center'})")
    take_picture(page, "silent-people")


@pytest.mark.skipif(GUIDE not in os.environ, reason="`make guide-pictures` takes the pictures of the staff guide")
def test_pictures_of_a_send_by_hours_are_taken(page: Page, site: str, own_demo_folder: Path) -> None:
    code = "from tests.support.guide_hours import print_hours; print_hours()"
    addresses: dict[str, str] = json.loads(do_beside(site, own_demo_folder, code))
    page.set_viewport_size({"width": 1200, "height": 1480})
    page.goto(addresses["audience"])
    take_picture(page, "audience")
    page.set_viewport_size(LOOK["viewport"])  # type: ignore[arg-type]
    page.goto(addresses["hours"])
    page.get_by_role("button", name="Approve this version").click()
    for _ in range(MINUTES_TO_BEGIN * 12):
        page.goto(addresses["hours"])
        if page.get_by_text("Waiting for its hour").count():
            break
        page.wait_for_timeout(5_000)
    expect(page.get_by_text("Waiting for its hour").first).to_be_visible()
    page.get_by_text("Who gets it when").evaluate("part => part.scrollIntoView({block: 'center'})")
    take_picture(page, "hours")


@pytest.mark.skipif(GUIDE not in os.environ, reason="`make guide-pictures` takes the pictures of the staff guide")
def test_a_picture_of_the_mail_to_silent_people_is_taken(page: Page, site: str, own_demo_folder: Path) -> None:
    code = "from tests.support.guide_states import print_question; print_question()"
    page.set_viewport_size({"width": 720, "height": 720})
    page.set_content(do_beside(site, own_demo_folder, code))
    take_picture(page, "question-mail")


def protect_names(page: Page) -> None:
    """Add rows to the list of protected terms. Nobody in the sample has these names."""
    page.goto("/admin/protected-terms/")
    page.get_by_label("Names, numbers, addresses").fill(
        "Marisol Quintanilla-Example\nK-2031-77\n12 Sample Lane, Nowhere\nLi"
    )
    page.get_by_label("Reason (without names or details)").fill("Story of May")
    page.get_by_role("button", name="Protect these terms").click()
    page.get_by_role("heading", name="4 protected terms").wait_for()


def test_on_a_phone_the_menu_covers_nothing_and_forms_fit(page: Page) -> None:
    page.set_viewport_size({"width": 375, "height": 700})
    page.goto("/admin/")
    page.locator("main").evaluate("main => main.scrollTo(0, 400)")
    bar = page.get_by_role("heading", name="Home").evaluate("bar => bar.getBoundingClientRect().top")
    assert bar == 0
    page.goto("/admin/issues/")
    page.locator("td.title a", has_text="weekly letter").last.click()
    page.get_by_text("Add a comment", exact=True).click()
    field = page.locator(".nl-comment__form textarea").last
    assert (
        field.evaluate(
            "field => field.closest('.nl-card').getBoundingClientRect().right - field.getBoundingClientRect().right"
        )
        >= 0
    )


@pytest.mark.parametrize("width", [375, 768, 1024, 1280])
def test_no_table_of_results_or_history_loses_a_column(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for address in ("/admin/results/", "/admin/issues/2/revisions/"):
        page.goto(address)
        table = page.locator(".nl-wide").first
        assert table.evaluate("box => box.scrollWidth - box.clientWidth") <= 1, address
