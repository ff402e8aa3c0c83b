"""Nothing typed into a form of the desk is lost: not without a connection, signed out, by leaving, nor by two people."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from newsletter.demo.sample_week import LOGIN
from tests.support.axe import find_axe_violations
from tests.support.desk_browser import IN_CHROMIUM, open_desk, run_beside

EDITOR, PASSWORD = "editor@example.org", "a-calm-harbour-evening"
KINDS = ("stories", "events")
pytestmark = [*IN_CHROMIUM, pytest.mark.own_site]


@pytest.fixture
def disturbed(browser: Browser, site: str) -> Iterator[Page]:
    """Return a page of the desk whose requests may fail."""
    with open_desk(browser, site, email=LOGIN.email, password=LOGIN.password, refused=True) as page:
        yield page


def open_first(page: Page, kind: str) -> None:
    page.goto(f"/admin/{kind}/")
    page.locator(f".listing a[href*='/{kind}/edit/']").first.click()
    expect(page.locator("#id_title")).to_be_visible()


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


@pytest.mark.parametrize("kind", KINDS)
def test_text_saved_after_the_session_ended_is_there_after_sign_in(disturbed: Page, kind: str) -> None:
    open_first(disturbed, kind)
    address = disturbed.url
    disturbed.locator("#id_title").fill(f"Typed until late: {kind}")
    disturbed.context.clear_cookies()
    save(disturbed)
    expect(disturbed.get_by_text("You are signed out, so nothing was saved.")).to_be_in_viewport()
    with disturbed.context.expect_page() as opened:
        disturbed.get_by_role("link", name="Sign in in a new tab").click()
    opened.value.get_by_label("Email").fill(LOGIN.email)
    opened.value.get_by_label("Password").fill(LOGIN.password)
    opened.value.get_by_role("button", name="Sign in").click()
    expect(opened.value.get_by_role("heading", name="To do")).to_be_visible()
    opened.value.close()
    expect(disturbed.locator("#id_title")).to_have_value(f"Typed until late: {kind}")
    save(disturbed)
    expect(disturbed.get_by_text("is saved.")).to_be_visible()
    disturbed.goto(address)
    expect(disturbed.locator("#id_title")).to_have_value(f"Typed until late: {kind}")


@pytest.mark.parametrize("kind", KINDS)
def test_text_saved_without_a_connection_is_saved_when_it_is_back(disturbed: Page, kind: str) -> None:
    open_first(disturbed, kind)
    disturbed.locator("#id_title").fill(f"Typed on the train: {kind}")
    disturbed.context.set_offline(True)
    save(disturbed)
    expect(disturbed.get_by_text("No connection, so nothing was saved.")).to_be_in_viewport()
    disturbed.context.set_offline(False)
    expect(disturbed.get_by_text("No connection, so nothing was saved.")).to_be_hidden()
    save(disturbed)
    expect(disturbed.get_by_text(re.compile(f"“Typed on the train: {kind}.*” is saved"))).to_be_visible()


def test_save_can_be_pressed_again_however_fast_the_connection_fails(disturbed: Page) -> None:
    open_first(disturbed, "stories")
    disturbed.evaluate("window.saveObstacles.find = async () => window.saveObstacles.OFFLINE")
    save(disturbed)
    expect(disturbed.get_by_text("No connection, so nothing was saved.")).to_be_visible()
    disturbed.wait_for_timeout(500)
    expect(disturbed.get_by_role("button", name="Save", exact=True)).to_be_enabled(
        timeout=10_000  # Wagtail by itself frees the button after 30 seconds
    )


@pytest.mark.parametrize("kind", KINDS)
def test_leaving_a_form_asks_while_text_is_unsaved(page: Page, kind: str) -> None:
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    open_first(page, kind)
    before = page.locator("#id_title").input_value()
    page.locator("#id_title").click()
    page.keyboard.press("End")
    page.keyboard.type(" and more")
    with page.expect_event("dialog"):
        page.get_by_role("link", name="Home").first.click()
    expect(page.locator("#id_title")).to_have_value(f"{before} and more")
    page.locator("#id_title").fill(before)
    page.get_by_role("link", name="Home").first.click()
    expect(page.get_by_role("heading", name="To do")).to_be_visible()
    assert asked == ["beforeunload"]


def test_leaving_a_form_without_a_row_asks_while_text_is_unsent(page: Page) -> None:
    asked: list[str] = []
    page.on(
        "dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss() if not asked[1:] else dialog.accept())
    )
    page.goto("/admin/sources/find/")
    address = page.locator("main input[name=site]")
    address.press_sequentially("http://127.0.0.1:9/no-answer")
    with page.expect_event("dialog"):
        page.get_by_role("link", name="Home").first.click()
    expect(address).to_have_value("http://127.0.0.1:9/no-answer")
    page.locator("main form[method=post] button").first.click()
    expect(page.locator("main [aria-invalid=true]")).to_be_visible()
    assert asked == ["beforeunload"], "sending the form does not ask"
    page.get_by_role("link", name="Home").first.click()
    expect(page.get_by_role("heading", name="To do")).to_be_visible()
    assert asked == ["beforeunload"] * 2, "the text of a refused form is not stored either"


def test_leaving_a_form_without_a_row_does_not_ask_without_text(page: Page) -> None:
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto("/admin/sources/find/")
    address = page.locator("main input[name=site]")
    address.press_sequentially("example.org")
    address.fill("")
    page.get_by_role("link", name="Home").first.click()
    expect(page.get_by_role("heading", name="To do")).to_be_visible()
    assert asked == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_warning_of_unsaved_text_can_be_read(page: Page, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto("/admin/segments/add/")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Save your changes before leaving")).to_be_visible()
    assert find_axe_violations(page) == []


def test_a_double_click_on_save_adds_one_story(page: Page) -> None:
    page.goto("/admin/stories/add/")
    page.locator("#id_title").fill("A story added once")
    page.locator("#id_url").fill("https://example.org/once")
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    page.get_by_role("button", name="Save", exact=True).dblclick()
    expect(page.get_by_text("“A story added once” is added.")).to_be_visible()
    assert len([url for url in posted if url.endswith("/stories/add/")]) == 1


@pytest.fixture
def second(browser: Browser, site: str, own_demo_folder: Path) -> Iterator[Page]:
    run_beside(site, own_demo_folder, "staff", "add", EDITOR, "--role", "editor", "--password-stdin", typed=PASSWORD)
    with open_desk(browser, site, email=EDITOR, password=PASSWORD) as page:
        yield page


def test_the_second_editor_reads_who_saved_and_keeps_their_text(page: Page, second: Page) -> None:
    for kind in KINDS:
        for person in (page, second):
            open_first(person, kind)
        page.locator("#id_title").fill(f"Of the first: {kind}")
        save(page)
        expect(page.get_by_text(re.compile(f"“Of the first: {kind}.*” is saved"))).to_be_visible()
        second.locator("#id_title").fill(f"Of the second: {kind}")
        save(second)
        expect(second.get_by_text(f"{LOGIN.email} saved this on")).to_be_visible()
        row = second.get_by_role("row").filter(has_text="Title")
        expect(row).to_contain_text(f"Of the first: {kind}")
        expect(row).to_contain_text(f"Of the second: {kind}")
        expect(second.locator("#id_title")).to_have_value(f"Of the second: {kind}")
        save(second)
        expect(second.get_by_text(re.compile(f"“Of the second: {kind}.*” is saved"))).to_be_visible()


def open_issue(page: Page) -> None:
    """Open the page of an issue, with the form of a comment."""
    page.goto("/admin/issues/")
    page.locator(".listing a[href$='/overview/']").first.click()
    page.locator("details:has(#nl-comment-text)").evaluate("details => { details.open = true; }")
    expect(page.get_by_label("Comment", exact=True)).to_be_visible()


def sign_in_again(page: Page) -> None:
    """Follow the link to sign in, which opens a new tab, and come back."""
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in in a new tab").click()
    opened.value.get_by_label("Email").fill(LOGIN.email)
    opened.value.get_by_label("Password").fill(LOGIN.password)
    opened.value.get_by_role("button", name="Sign in").click()
    expect(opened.value.get_by_role("heading", name="To do")).to_be_visible()
    opened.value.close()


def test_a_double_click_saves_one_comment(page: Page) -> None:
    open_issue(page)
    page.get_by_label("Comment", exact=True).fill("Written once")
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    page.get_by_role("button", name="Add comment").dblclick()
    expect(page.get_by_text("Your comment is saved.")).to_be_visible()
    assert len(posted) == 1
    expect(page.locator(".nl-comment").filter(has_text="Written once")).to_have_count(1)


def test_a_double_click_sends_one_proof(page: Page) -> None:
    open_issue(page)
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    page.get_by_role("button", name="Send proof").dblclick()
    expect(page.get_by_text("The proof for")).to_have_count(1)
    assert len(posted) == 1


def test_a_comment_written_after_the_session_ended_is_kept(disturbed: Page) -> None:
    open_issue(disturbed)
    disturbed.get_by_label("Comment", exact=True).fill("Thought about for an hour")
    disturbed.context.clear_cookies()
    disturbed.get_by_role("button", name="Add comment").click()
    expect(disturbed.get_by_text("You are signed out, so nothing was done.")).to_be_in_viewport()
    sign_in_again(disturbed)
    expect(disturbed.get_by_label("Comment", exact=True)).to_have_value("Thought about for an hour")
    disturbed.get_by_role("button", name="Add comment").click()
    expect(disturbed.locator(".nl-comment").filter(has_text="Thought about for an hour")).to_have_count(1)


@pytest.mark.parametrize(
    ("address", "field", "button"),
    [
        ("/admin/mails/", "#id_name", "Add template"),
        ("/admin/users/new/", "#id_email", "Send invitation"),
        ("/admin/setup/list/", "#id_name", "Save and continue"),
    ],
)
def test_a_form_without_a_connection_keeps_its_text(disturbed: Page, address: str, field: str, button: str) -> None:
    disturbed.goto(address)
    disturbed.locator(field).fill("Typed on the train")
    disturbed.context.set_offline(True)
    disturbed.get_by_role("button", name=button).click()
    expect(disturbed.get_by_text("No connection, so nothing was done.")).to_be_in_viewport()
    disturbed.context.set_offline(False)
    expect(disturbed.get_by_text("No connection, so nothing was done.")).to_be_hidden()
    expect(disturbed.locator(field)).to_have_value("Typed on the train")


def test_a_deleted_condition_does_not_return_when_staff_go_back(page: Page) -> None:
    """The browser fills in a form again by the names of its fields, which are numbered: the next condition has them now."""
    countries = page.locator("select[name$='-country']:visible")
    page.goto("/admin/segments/")
    page.get_by_role("link", name="North America").first.click()
    expect(countries).to_have_count(2)
    kept = countries.last.input_value()
    first = countries.first.locator("xpath=ancestor::*[@data-streamfield-child][1]")
    first.get_by_title("Delete").first.click()
    expect(countries).to_have_count(1)
    save(page)
    page.wait_for_url("**/admin/segments/")
    page.go_back()
    expect(countries).to_have_count(1)
    expect(countries).to_have_value(kept)
