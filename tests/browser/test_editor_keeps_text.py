"""Nothing typed into the editor of an issue is lost: at once, unfinished, without a connection, signed out, by two people."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from newsletter.demo.sample_week import LOGIN
from tests.support.desk_browser import IN_CHROMIUM, open_desk, run_beside
from tests.support.editor import add_block, mail, open_editor, read_draft, wait_until_all_saved, wait_until_saved

WRITER, PASSWORD = "writer@example.org", "a-calm-harbour-evening"
UNNOTICED_MS = 1_500
"""After this time, no event of the editor makes the preview look for a new text."""
pytestmark = [*IN_CHROMIUM, pytest.mark.own_site]


@pytest.fixture
def editor(page: Page) -> Page:
    open_editor(page)
    return page


@pytest.fixture
def disturbed(browser: Browser, site: str) -> Iterator[Page]:
    """Return the editor in a page whose requests may fail."""
    with open_desk(browser, site, email=LOGIN.email, password=LOGIN.password, refused=True) as page:
        open_editor(page)
        yield page


UNCOVERED = """element => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    const corners = [left, right].flatMap((x) => [top, bottom].map((y) => [x + (x === left ? 2 : -2), y + (y === top ? 2 : -2)]));
    return corners.every(([x, y]) => element.closest("[role=alert]").contains(document.elementFromPoint(x, y)));
}"""


def write(page: Page, text: str) -> None:
    """Add a text to the subject key by key."""
    page.locator("#id_subject").click()
    page.keyboard.press("End")
    page.keyboard.type(text, delay=15)


def test_text_typed_as_soon_as_the_form_takes_input_is_saved(editor: Page, data: Path) -> None:
    editor.goto(editor.url, wait_until="commit")
    write(editor, " from the first second")
    wait_until_saved(editor, data, " from the first second")


def test_text_typed_while_the_form_is_being_saved_is_saved_too(editor: Page, data: Path) -> None:
    editor.route("**/admin/issues/edit/*/", lambda route: (editor.wait_for_timeout(1500), route.continue_()))
    write(editor, " one")
    with editor.expect_request(lambda request: request.method == "POST" and "/edit/" in request.url):
        pass
    write(editor, " two")
    wait_until_saved(editor, data, " one two")
    editor.unroute_all(behavior="ignoreErrors")  # the answer of the last save may still be on its way


def test_a_text_that_is_too_long_is_kept_and_the_field_says_so(editor: Page, data: Path) -> None:
    subject, before = editor.get_by_label("Subject"), editor.get_by_label("Subject").input_value()
    subject.fill("")
    editor.keyboard.insert_text("A long subject. " * 25 + "The end.")
    said = editor.get_by_text("408 characters, and at most 300 are allowed.")
    expect(said).to_be_visible()
    wait_until_saved(editor, data, "A long subject. The end.")
    editor.reload()
    expect(said).to_be_visible()
    subject.fill(before)
    expect(said).to_have_count(0)
    wait_until_saved(editor, data, before)


def test_text_is_saved_if_a_link_is_clicked_at_once(editor: Page, data: Path) -> None:
    block = add_block(editor, "Quote")
    block.get_by_label("Text").press_sequentially("Typed and left")
    editor.get_by_role("navigation", name="Main menu").get_by_role("link", name="Home").click()
    expect(editor.get_by_role("heading", name="To do")).to_be_visible()
    assert "Typed and left" in read_draft(data)


NOTE_NEXT_STATE = """() => {
    const read = () => document.getElementById('w-autosave-indicator').dataset.wAutosaveStateValue;
    window.nextState = new Promise((resolve) => {
        document.addEventListener('input', () => setTimeout(() => resolve(read())), { once: true });
    });
}"""
"""Note what the bar says as soon as the scripts of the page have seen the next key."""


def test_the_bar_says_saved_only_if_all_text_is_saved(editor: Page, data: Path) -> None:
    write(editor, " first")
    wait_until_saved(editor, data, " first")
    saved = editor.locator(".w-autosave-indicator").get_by_text("Saved")
    expect(saved).to_be_visible()
    editor.evaluate(NOTE_NEXT_STATE)
    editor.keyboard.press("x")
    assert editor.evaluate("window.nextState") == "saving"
    expect(editor.locator("#w-autosave-indicator")).to_have_attribute("data-w-autosave-state-value", "saved")
    wait_until_saved(editor, data, " firstx")


def test_leaving_the_page_asks_while_text_is_unsaved(editor: Page) -> None:
    asked: list[str] = []
    editor.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    editor.route("**/admin/issues/edit/*/", lambda route: route.continue_() if route.request.method == "GET" else None)
    write(editor, " at once")
    editor.reload()
    assert asked == ["beforeunload"]
    write(editor, " and later")
    editor.wait_for_timeout(1500)
    editor.reload()
    assert asked == ["beforeunload"] * 2


def test_opening_the_editor_saves_nothing(editor: Page) -> None:
    posted: list[str] = []
    wait_until_all_saved(editor)
    editor.reload(wait_until="commit")  # the page before may have sent its text a second time
    editor.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    editor.wait_for_load_state()
    editor.wait_for_timeout(4000)
    assert [url for url in posted if "/edit/" in url] == []


def test_opening_an_issue_with_a_typed_text_saves_nothing(editor: Page, data: Path) -> None:
    """The rich text editor writes its text in another format a moment after the page is open."""
    add_block(editor, "Note").locator("[contenteditable=true]").first.click()
    editor.keyboard.type("Good morning")
    wait_until_saved(editor, data, "Good morning")
    test_opening_the_editor_saves_nothing(editor)


def test_an_unfinished_block_is_a_draft_that_blocks_approval(editor: Page, data: Path) -> None:
    block = add_block(editor, "Button")
    block.get_by_label("Words on the button").fill("Come along")
    wait_until_saved(editor, data, "Come along")
    box = mail(editor).get_by_text(re.compile(r"Block \d, Button, is unfinished: “Address” is empty."))
    expect(box).to_be_visible()
    expect(mail(editor).locator("h2").first).to_be_visible()
    block.get_by_label("Address").fill("htp:/wrong")
    wait_until_saved(editor, data, "htp:/wrong")
    write(editor, " beside it")
    wait_until_saved(editor, data, " beside it")
    editor.get_by_role("button", name="Save and close").click()
    expect(editor.get_by_text("“Address” is not a web address")).to_be_visible()
    expect(editor.get_by_role("button", name="Approve this version")).to_have_count(0)
    editor.get_by_role("link", name="Edit it in the issue").first.click()
    block = editor.locator("[data-streamfield-child]").filter(has_text="Come along")
    expect(block.get_by_label("Address")).to_be_in_viewport()
    block.get_by_title("Delete").first.click()
    expect(mail(editor).get_by_text("is unfinished")).to_have_count(0)


def test_text_typed_without_a_connection_is_saved_when_it_is_back(disturbed: Page, data: Path) -> None:
    disturbed.context.set_offline(True)
    write(disturbed, " on the train")
    expect(disturbed.get_by_text("No connection. Your text is kept on this page")).to_be_in_viewport()
    disturbed.get_by_role("button", name="Save and close").click()
    disturbed.keyboard.press("Escape")
    write(disturbed, " to Leeds")
    assert " on the train" not in read_draft(data)
    disturbed.context.set_offline(False)
    wait_until_saved(disturbed, data, " on the train to Leeds")
    expect(disturbed.get_by_text("No connection.")).to_be_hidden()


def test_text_typed_after_the_session_ended_is_saved_after_signing_in(disturbed: Page, data: Path) -> None:
    disturbed.context.clear_cookies()
    write(disturbed, " much later")
    expect(disturbed.get_by_text("You are signed out.")).to_be_in_viewport()
    disturbed.get_by_role("button", name="Save and close").click()
    with disturbed.context.expect_page() as opened:
        disturbed.get_by_role("link", name="Sign in in a new tab").click()
    opened.value.get_by_label("Email").fill(LOGIN.email)
    opened.value.get_by_label("Password").fill(LOGIN.password)
    opened.value.get_by_role("button", name="Sign in").click()
    expect(opened.value.get_by_role("heading", name="To do")).to_be_visible()
    wait_until_saved(disturbed, data, " much later")
    expect(disturbed.get_by_text("You are signed out.")).to_be_hidden()


def test_text_is_saved_if_the_preview_cannot_be_loaded(disturbed: Page, data: Path) -> None:
    disturbed.route("**/preview/**", lambda route: route.abort())
    with disturbed.expect_event("requestfailed", lambda request: "/preview/" in request.url):
        disturbed.reload()
    expect(disturbed.locator("#w-editor-form [inert]")).to_have_count(0)
    write(disturbed, " without a preview")
    wait_until_saved(disturbed, data, " without a preview")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("failure", ["no connection", "503"])
def test_a_preview_that_could_not_be_loaded_comes_by_itself(disturbed: Page, method: str, failure: str) -> None:
    failed: list[str] = []

    def fail(route: Route) -> None:
        if route.request.method != method:
            route.continue_()
            return
        failed.append(route.request.url)
        if failure == "503":
            route.fulfill(status=503, body="Busy")
        else:
            route.abort()

    disturbed.route("**/preview/**", fail)
    with disturbed.expect_request(lambda request: "/preview/" in request.url and request.method == method):
        disturbed.reload()
    disturbed.wait_for_timeout(UNNOTICED_MS)
    assert failed
    disturbed.unroute_all(behavior="ignoreErrors")
    expect(mail(disturbed).locator("h2").first).to_be_visible()


def test_the_preview_shows_the_last_text_after_answers_that_failed(disturbed: Page, data: Path) -> None:
    expect(mail(disturbed).locator("h2").first).to_be_visible()
    disturbed.route("**/preview/**", lambda route: route.fulfill(status=503))
    disturbed.get_by_label("Preheader").fill("Typed while the server was busy")
    wait_until_saved(disturbed, data, "Typed while the server was busy")
    disturbed.wait_for_timeout(UNNOTICED_MS)
    expect(mail(disturbed).locator("body")).not_to_contain_text("Typed while the server was busy")
    disturbed.unroute_all(behavior="ignoreErrors")
    expect(mail(disturbed).locator("body")).to_contain_text("Typed while the server was busy")


def test_the_preview_shows_text_typed_while_it_was_loading(disturbed: Page, data: Path) -> None:
    held: list[Route] = []
    disturbed.route(
        "**/preview/**", lambda route: held.append(route) if route.request.method == "GET" else route.continue_()
    )
    with disturbed.expect_request(lambda request: "/preview/" in request.url and request.method == "GET"):
        disturbed.reload()
    disturbed.get_by_label("Preheader").fill("Typed while the preview was loading")
    wait_until_saved(disturbed, data, "Typed while the preview was loading")
    disturbed.wait_for_timeout(UNNOTICED_MS)
    for route in held:
        route.continue_()
    disturbed.unroute_all(behavior="ignoreErrors")
    expect(mail(disturbed).locator("body")).to_contain_text("Typed while the preview was loading")


@pytest.fixture
def writer(browser: Browser, site: str, own_demo_folder: Path) -> Iterator[Page]:
    run_beside(site, own_demo_folder, "staff", "add", WRITER, "--role", "writer", "--password-stdin", typed=PASSWORD)
    with open_desk(browser, site, email=WRITER, password=PASSWORD) as page:
        open_editor(page)
        yield page


def test_the_second_of_two_editors_sees_who_saved_and_overwrites_nothing(
    editor: Page, writer: Page, data: Path
) -> None:
    write(editor, " of the first")
    wait_until_saved(editor, data, " of the first")
    write(writer, " of the second")
    warning = writer.get_by_role("alert").get_by_text(f"{LOGIN.email} saved this issue after you opened it.")
    writer.set_viewport_size({"width": 1280, "height": 800})
    expect(warning).to_be_in_viewport(ratio=1)
    writer.wait_for_function(UNCOVERED, arg=warning.element_handle())
    writer.get_by_role("button", name="Toggle preview").click()
    writer.set_viewport_size({"width": 375, "height": 800})
    expect(warning).to_be_in_viewport(ratio=1)
    writer.wait_for_function(UNCOVERED, arg=warning.element_handle())
    writer.get_by_role("button", name="Save and close").click()
    expect(writer.get_by_role("dialog")).to_contain_text("If somebody else saved first")
    writer.get_by_role("dialog").get_by_role("button", name="Try to save").click()
    expect(writer.get_by_text(f"{LOGIN.email} saved this issue after you opened it.").first).to_be_visible()
    assert writer.locator("#id_subject").input_value().endswith(" of the second")
    assert " of the second" not in read_draft(data)


def test_a_double_click_on_save_saves_once(editor: Page) -> None:
    posted: list[str] = []
    editor.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    editor.get_by_role("button", name="Save and close").dblclick()
    expect(editor.locator(".nl-tag", has_text="Waiting for approval")).to_be_visible()
    assert len([url for url in posted if "/edit/" in url]) == 1
