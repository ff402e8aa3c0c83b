"""The editor of an issue by keyboard alone: where the focus goes, what each control is called, and what is read aloud."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support import keyboard
from tests.support.desk_browser import IN_CHROMIUM
from tests.support.editor import add_block, blocks, open_editor

pytestmark = [*IN_CHROMIUM, pytest.mark.own_site]
ABOVE_THE_BAR = """() => {
    const { bottom } = document.activeElement.getBoundingClientRect();
    return bottom > 0 && bottom <= document.querySelector("form > footer").getBoundingClientRect().top;
}"""
COVERED_CIRCLES = """() => [...document.querySelectorAll(".w-panel__header:has([data-streamfield-action]) .w-panel__toggle")]
    .filter((button) => button.checkVisibility())
    .filter((button) => {
        button.focus();
        button.scrollIntoView({ block: "center", behavior: "instant" });
        const { left, top, width, height } = button.getBoundingClientRect();
        const [x, y, r] = [left + width / 2, top + height / 2, width / 2 - 2];
        const points = [[x, y], [x - r, y], [x + r, y], [x, y - r], [x, y + r]];
        return !points.every((point) => button.contains(document.elementFromPoint(...point)));
    })
    .map((button) => button.ariaLabel)"""
"""The buttons with the focus that something else covers in part."""
RECORD_STATUS = """() => {
    window.said = [];
    new MutationObserver((changes) => changes.forEach(({ target }) => {
        const element = target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement;
        const region = element?.closest("[role=status], [aria-live]");
        if (region?.textContent.includes("characters")) window.said.push(region.textContent);
    })).observe(document.body, { childList: true, characterData: true, subtree: true });
}"""


@pytest.fixture
def editor(page: Page) -> Iterator[Page]:
    page.set_viewport_size({"width": 1280, "height": 800})
    open_editor(page)
    expect(page.locator("#w-preview-iframe")).to_be_visible()  # Wagtail opens it a moment after the page
    page.get_by_role("button", name="Toggle preview").click()
    expect(page.locator("#w-preview-iframe")).to_be_hidden()
    yield page
    page.goto("/admin/")


def insert(page: Page, kind: str) -> Locator:
    """Add a block at the end of the body by keyboard, and return it."""
    add = page.locator("[data-streamfield-stream-container] > div > .c-sf-add-button").last
    keyboard.press(add)
    expect(page.get_by_role("combobox", name="Search options…")).to_be_focused()
    page.keyboard.type(kind)
    page.keyboard.press("Enter")
    block = blocks(page).last
    expect(block.locator(".c-sf-block__type").first).to_have_text(kind)
    return block


def test_the_choice_of_a_block_takes_its_name_and_escape_leaves_it(editor: Page) -> None:
    add = editor.locator("[data-streamfield-stream-container] > div > .c-sf-add-button").last
    keyboard.press(add)
    expect(editor.get_by_role("combobox", name="Search options…")).to_be_focused()
    editor.keyboard.press("Escape")
    expect(add).to_be_focused()
    expect(add).to_have_attribute("aria-expanded", "false")


@pytest.mark.parametrize("kind", ["Image", "One event in full", "Note", "Quote"])
def test_the_first_field_of_a_new_block_is_above_the_bar(editor: Page, kind: str) -> None:
    block = insert(editor, kind)
    expect(block.locator(":focus")).to_have_count(1)
    editor.wait_for_timeout(600)  # the block has grown by then
    editor.wait_for_function(ABOVE_THE_BAR)


def test_a_dialog_returns_the_keyboard_to_where_it_was_opened(editor: Page) -> None:
    block = insert(editor, "Appeal")
    choose = block.get_by_role("button", name="Choose appeal")
    expect(choose).to_be_focused()
    editor.keyboard.press("Enter")
    dialog = editor.get_by_role("dialog", name="Choose appeal")
    expect(dialog.get_by_role("link").first).to_be_visible()
    editor.keyboard.press("Escape")
    expect(choose).to_be_focused()
    editor.keyboard.press("Enter")
    keyboard.press(dialog.locator("td.title a").first)
    actions = block.get_by_role("button", name="Actions")
    expect(actions).to_be_focused()
    editor.keyboard.press("Enter")
    keyboard.press(block.get_by_role("button", name=re.compile("^(Change|Choose another)")))
    expect(dialog.get_by_role("link").first).to_be_visible()
    editor.keyboard.press("Escape")
    expect(actions).to_be_focused()


def test_a_moved_block_keeps_the_focus_and_a_deleted_one_passes_it_on(editor: Page) -> None:
    first = blocks(editor).first
    keyboard.press(first.get_by_title("Move down").first)
    moved = blocks(editor).nth(1)
    expect(moved.get_by_title("Move down").first).to_be_focused()
    keyboard.press(moved.get_by_title("Move up").first, key="Shift+Tab")
    expect(blocks(editor).first.get_by_title("Move down").first).to_be_focused()
    count = blocks(editor).count()
    keyboard.press(blocks(editor).first.get_by_title("Delete").first)
    expect(blocks(editor)).to_have_count(count - 1)
    expect(editor.get_by_role("button", name="Insert a block").first).to_be_focused()
    editor.wait_for_timeout(600)  # the deleted block has shrunk by then
    expect(editor.get_by_role("button", name="Insert a block").first).to_be_focused()


def test_sections_texts_and_lists_have_names_of_their_own(editor: Page) -> None:
    note = insert(editor, "Note")
    expect(note.get_by_role("textbox", name="Text")).to_be_focused()
    expect(note.get_by_role("button", name="Note", exact=True)).to_have_attribute("aria-expanded", "true")
    events = insert(editor, "Events near the reader").get_by_role("group", name="Events", exact=True)
    expect(events.get_by_role("button", name="Events 1", exact=True)).to_be_visible()
    expect(editor.get_by_role("button", name="Toggle section")).to_have_count(0)
    expect(editor.get_by_role("button", name="Drag")).to_have_count(0)
    editor.goto("/admin/appeals/add/")
    expect(editor.get_by_role("group", name="Publications")).to_be_visible()
    expect(editor.get_by_role("group", name="Translation of")).to_be_visible()


def test_buttons_of_a_block_name_it_and_an_item_without_title_has_one(editor: Page) -> None:
    note = insert(editor, "Note")
    for action in ("Move up", "Duplicate", "Delete"):
        expect(note.get_by_role("button", name=f"{action}: Note", exact=True)).to_be_visible()
    expect(note.get_by_role("link", name="Save block: Note", exact=True)).to_be_visible()
    events = insert(editor, "Events near the reader").get_by_role("group", name="Events", exact=True)
    expect(events.get_by_role("button", name="Delete: Events 1", exact=True)).to_be_attached()
    heading = events.locator("[data-panel-heading]").first
    shown = "heading => getComputedStyle(heading, '::before').content + heading.innerText.trim()"
    assert heading.evaluate(shown) == '"Events 1"'


def test_the_subject_is_few_tabs_away_and_home_has_one_name(editor: Page) -> None:
    open_editor(editor)
    skip = editor.get_by_role("link", name="Skip to the form")
    keyboard.tab_to(skip)
    editor.keyboard.press("Enter")
    expect(editor.locator("#w-editor-form")).to_be_focused()
    for _ in range(3):
        editor.keyboard.press("Tab")
    expect(editor.get_by_label("Subject")).to_be_focused()
    expect(editor.get_by_role("link", name="Home", exact=True).first).to_have_class(re.compile("branding"))
    expect(editor.get_by_role("link", name="Dashboard")).to_have_count(0)


def test_saved_is_read_once_after_the_last_key_and_again_next_time(editor: Page) -> None:
    keyboard.tab_to(editor.get_by_label("Subject"))
    editor.evaluate(RECORD_STATUS.replace('includes("characters")', 'trim() === "Saved"'))
    for times in (1, 2):
        editor.keyboard.type(" and more", delay=150)
        editor.wait_for_function(f"() => window.said.length === {times}", timeout=20_000)
        editor.wait_for_timeout(3000)
        assert editor.evaluate("window.said.length") == times


def test_after_an_action_the_keyboard_is_at_the_message(editor: Page) -> None:
    editor.keyboard.press("ControlOrMeta+s")
    message = editor.locator(".messages li").first
    expect(message).to_contain_text("is saved")
    assert editor.evaluate("document.activeElement.contains(document.querySelector('.messages li'))")
    assert editor.evaluate("document.activeElement !== document.body")


def test_the_tags_of_a_new_image_have_a_name_in_the_dialog(editor: Page) -> None:
    expect(insert(editor, "Image").get_by_role("button", name="Choose an image")).to_be_focused()
    editor.keyboard.press("Enter")
    dialog = editor.get_by_role("dialog", name="Choose an image")
    keyboard.tab_to(dialog.get_by_role("tab", name="Search"))
    editor.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("textbox", name="Tags")).to_be_visible()


def test_the_length_of_a_subject_is_read_once_after_a_pause(editor: Page) -> None:
    subject = editor.get_by_label("Subject")
    keyboard.tab_to(subject)
    editor.evaluate(RECORD_STATUS)
    editor.keyboard.press("ControlOrMeta+a")
    editor.keyboard.type("A lantern for all", delay=60)
    editor.wait_for_function("() => window.said.length > 0")
    editor.wait_for_timeout(1500)
    assert editor.evaluate("window.said") == ["Subject length: 17. Phones show about 32 characters."]


def test_a_too_long_text_is_read_once_after_a_pause(editor: Page) -> None:
    keyboard.tab_to(editor.get_by_label("Subject"))
    editor.keyboard.press("ControlOrMeta+a")
    editor.keyboard.insert_text("x" * 299)
    editor.wait_for_timeout(1500)
    editor.evaluate(RECORD_STATUS)
    editor.keyboard.type("yyyyy", delay=60)
    expect(editor.locator(".nl-too-long")).to_contain_text("304 characters, and at most 300 are allowed.")
    editor.wait_for_function("() => window.said.length > 0")
    editor.wait_for_timeout(1500)
    (said,) = editor.evaluate("window.said")
    assert said.startswith("304 characters, and at most 300 are allowed.")


def test_a_mail_without_errors_is_not_said_to_be_out_of_date(page: Page) -> None:
    open_editor(page)
    preview = page.locator("#w-preview-iframe")
    expect(preview.content_frame.locator("h2").first).to_be_visible()
    expect(preview).not_to_have_attribute("aria-describedby", re.compile("."))
    button = add_block(page, "Button")
    button.get_by_label("Words on the button").fill("Come along")
    button.get_by_label("Address").fill("https://example.org/come")
    expect(preview.content_frame.get_by_text("Come along")).to_be_visible()
    expect(preview).not_to_have_attribute("aria-describedby", re.compile("."))


@pytest.mark.parametrize("key", ["Tab", "Shift+Tab"])
def test_the_preview_of_a_narrow_window_closes_for_the_form(page: Page, key: str) -> None:
    """A window of 1280 pixels is this narrow with text of 400 %."""
    open_editor(page)
    preview = page.get_by_role("button", name="Toggle preview")
    expect(preview).to_have_attribute("aria-expanded", "true")
    page.set_viewport_size({"width": 375, "height": 740})
    keyboard.tab_to(page.get_by_label("Shown as"))
    expect(preview).to_have_attribute("aria-expanded", "true")
    target = page.get_by_label("Subject") if key == "Tab" else page.get_by_role("button", name="Save and close")
    keyboard.tab_to(target, key=key)
    expect(preview).to_have_attribute("aria-expanded", "false")
    expect(target).to_be_focused()
    expect(target).to_be_in_viewport()


@pytest.mark.parametrize("width", [900, 1024, 1280])
def test_nothing_covers_the_button_that_opens_a_block(editor: Page, width: int) -> None:
    editor.set_viewport_size({"width": width, "height": 800})
    editor.wait_for_timeout(500)  # Wagtail closes the preview a moment after the width has changed
    editor.get_by_role("button", name="Toggle preview").click()
    expect(editor.locator("#w-preview-iframe")).to_be_visible()
    editor.wait_for_timeout(500)
    assert editor.evaluate(COVERED_CIRCLES) == []


@pytest.mark.parametrize("key", ["Tab", "Shift+Tab"])
def test_the_tab_key_leaves_a_list_in_a_text_as_it_is(editor: Page, key: str) -> None:
    note = insert(editor, "Note")
    text = note.get_by_role("textbox", name="Text")
    expect(text).to_be_focused()
    editor.keyboard.type("- one")
    editor.keyboard.press("Enter")
    editor.keyboard.type("two")
    expect(text.get_by_role("listitem")).to_have_count(2)
    editor.keyboard.press(key)
    expect(text).not_to_be_focused()
    expect(note.locator(":focus")).to_have_count(1)
    expect(text.locator(".public-DraftStyleDefault-depth0")).to_have_count(2)


def test_the_bar_with_save_covers_nothing_that_has_the_focus(editor: Page) -> None:
    keyboard.tab_to(blocks(editor).first.locator("[data-panel-toggle]").first)
    covered = []
    while editor.evaluate("!document.activeElement.closest('footer')"):
        editor.wait_for_timeout(150)  # the page scrolls there
        if not editor.evaluate(ABOVE_THE_BAR):
            covered.append(editor.evaluate("document.activeElement.ariaLabel || document.activeElement.title"))
        editor.keyboard.press("Tab")
    assert covered == []
