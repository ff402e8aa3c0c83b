"""A save whose answer is lost or late, and a page that is opened again: no conflict, and no older text overwrites a newer one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from newsletter.demo.sample_week import LOGIN
from tests.support.desk_browser import IN_CHROMIUM, open_desk
from tests.support.editor import add_block, blocks, open_editor, read_draft, wait_until_all_saved, wait_until_saved

pytestmark = [*IN_CHROMIUM, pytest.mark.own_site]
SHORT_LIMITS = """
    const withLimit = AbortSignal.timeout.bind(AbortSignal);
    AbortSignal.timeout = milliseconds => withLimit(Math.max(3000, milliseconds / 20));
"""
"""A script after which every page waits for an answer a twentieth of its time, at least three seconds."""
SAVES = "**/admin/issues/edit/*/"
CONFLICT = "saved this issue after you opened it"


@pytest.fixture
def editor(browser: Browser, site: str) -> Iterator[Page]:
    with open_desk(browser, site, email=LOGIN.email, password=LOGIN.password, refused=True) as page:
        page.add_init_script(SHORT_LIMITS)
        open_editor(page)
        yield page


def write(page: Page, text: str) -> None:
    page.locator("#id_subject").click()
    page.keyboard.press("End")
    page.keyboard.type(text, delay=15)


def is_save(asked: Request) -> bool:
    return asked.method == "POST" and "/issues/edit/" in asked.url


@pytest.mark.parametrize("answer", ["lost", "late"])
def test_a_save_without_an_answer_is_repeated_without_a_conflict(editor: Page, data: Path, answer: str) -> None:
    unanswered: list[str] = []

    def take_answer(route: Route) -> None:
        if route.request.method != "POST" or len(unanswered) == 2:
            route.continue_()
            return
        unanswered.append(answer)
        assert route.fetch().ok
        if answer == "lost":
            route.abort("connectionreset")

    editor.route(SAVES, take_answer)
    write(editor, " one")
    wait_until_saved(editor, data, " one")
    write(editor, " two")
    wait_until_saved(editor, data, " one two")
    expect(editor.locator("#w-autosave-indicator")).to_have_attribute("data-w-autosave-state-value", "saved")
    write(editor, " three")
    wait_until_saved(editor, data, " one two three")
    assert len(unanswered) == 2
    assert CONFLICT not in editor.content()
    expect(editor.get_by_text("Your text is not saved.")).to_be_hidden()
    editor.get_by_role("button", name="Save and close").click()
    expect(editor.locator(".nl-tag", has_text="Waiting for approval")).to_be_visible()


def test_saving_after_ones_version_looked_like_that_of_another_window(editor: Page, data: Path) -> None:
    """Before the save is repeated, the page asks who else has saved, because somebody looks at it again."""
    unanswered: list[Route] = []

    def take_answer(route: Route) -> None:
        if route.request.method == "POST" and not unanswered:
            unanswered.append(route)
            assert route.fetch().ok
            route.abort("connectionreset")
        else:
            route.continue_()

    editor.route(SAVES, take_answer)
    saved_elsewhere = editor.locator(".w-editing-sessions__session--saved")
    with editor.expect_event("requestfailed", is_save):
        write(editor, " seen")
    editor.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(saved_elsewhere).to_have_count(1)
    expect(saved_elsewhere).to_have_count(0)
    editor.get_by_role("button", name="Save and close").click()
    expect(editor.locator(".nl-tag", has_text="Waiting for approval")).to_be_visible()
    wait_until_saved(editor, data, " seen")


def test_a_save_that_comes_late_overwrites_no_newer_text(editor: Page, data: Path) -> None:
    """The connection delivers it after the browser has given it up and saved newer text."""
    held: list[Request] = []

    def hold_first(route: Route) -> None:
        if route.request.method == "POST" and not held:
            held.append(route.request)
        else:
            route.continue_()

    write(editor, " first")
    wait_until_saved(editor, data, " first")
    wait_until_all_saved(editor)
    editor.route(SAVES, hold_first)
    with editor.expect_request(is_save):
        write(editor, " older")
    write(editor, " newer")
    wait_until_saved(editor, data, " older newer")
    (late,) = held
    answer = editor.request.post(late.url, headers=late.all_headers(), data=late.post_data_buffer)
    assert (answer.status, answer.json()["error_code"]) == (400, "invalid_revision")
    assert " older newer" in read_draft(data)
    write(editor, " still")
    wait_until_saved(editor, data, " older newer still")


def test_a_deleted_block_does_not_return_when_staff_go_back(editor: Page, data: Path) -> None:
    """The browser fills in a form again by the names of its fields. They are numbered, so the next block has them now."""
    quotes = ["The first quote", "The second quote"]
    for quote in quotes:
        add_block(editor, "Quote").get_by_role("textbox", name="Text").fill(quote)
    wait_until_saved(editor, data, quotes[1])
    blocks(editor).nth(-2).hover()
    blocks(editor).nth(-2).get_by_title("Delete").first.click()
    wait_until_all_saved(editor)
    editor.get_by_role("button", name="Save and close").click()
    expect(editor.locator(".nl-tag", has_text="Waiting for approval")).to_be_visible()
    editor.go_back()
    expect(editor.locator("#w-editor-form [inert]")).to_have_count(0)
    wait_until_all_saved(editor)
    draft = read_draft(data)
    assert [quote in draft for quote in quotes] == [False, True]
