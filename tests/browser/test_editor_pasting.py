"""Text that staff paste into the editor of an issue from Word, Google Docs, LibreOffice, Excel, a web page or a screenshot."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.desk_browser import IN_CHROMIUM
from tests.support.editor import add_block, mail, open_editor, read_draft, wait_until_saved

pytestmark = [*IN_CHROMIUM, pytest.mark.own_site]
SAMPLES = Path(__file__).parents[1] / "data" / "pasted"
NO_IMAGES = "Images cannot be pasted into a text, so the image was left out."
NO_TABLES = "A text has no tables, so each row of the table is now a line."
COPY = """([html, text]) => {
    document.addEventListener('copy', (event) => {
        event.preventDefault();
        event.stopImmediatePropagation();
        if (html) event.clipboardData.setData('text/html', html);
        event.clipboardData.setData('text/plain', text);
    }, { once: true, capture: true });
    document.execCommand('copy');
}"""
COPY_SCREENSHOT = """async () => {
    const canvas = document.createElement('canvas');
    const blob = await new Promise((resolve) => { canvas.toBlob(resolve, 'image/png'); });
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': blob })]);
}"""
DROP_PICTURE = """(box) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(['picture'], 'quay.png', { type: 'image/png' }));
    const drop = new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true });
    return !box.dispatchEvent(drop);
}"""
RECORD_STATUS = """() => {
    window.said = [];
    new MutationObserver((changes) => changes.forEach(({ target }) => {
        const element = target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement;
        const region = element?.closest("[role=status]");
        if (region?.textContent) window.said.push(region.textContent);
    })).observe(document.body, { childList: true, characterData: true, subtree: true });
}"""


@pytest.fixture
def note(page: Page) -> Locator:
    """Return a new note in the editor. Its text has the focus."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_editor(page)
    block = add_block(page, "Note")
    expect(block.get_by_role("textbox", name="Text")).to_be_focused()
    return block


def paste(page: Page, html: str, text: str = "As plain text") -> None:
    """Copy this and press Ctrl+V where the focus is."""
    page.evaluate(COPY, [html, text])
    page.keyboard.press("Control+v")


def read_lines(note: Locator) -> list[str]:
    """Return the lines of the text that are not empty."""
    lines = note.get_by_role("textbox", name="Text").inner_text().splitlines()
    return [line for line in lines if line.strip()]


@pytest.mark.parametrize("program", ["word", "google_docs", "libreoffice"])
def test_a_row_of_a_pasted_table_stays_one_line(page: Page, note: Locator, data: Path, program: str) -> None:
    """The samples have the same text: a paragraph, a picture, a table with a cell over two rows and empty cells, a paragraph."""
    paste(page, (SAMPLES / f"{program}.html").read_text())
    message = note.locator(".nl-pasted")
    expect(message).to_contain_text(NO_IMAGES)
    expect(message).to_contain_text(NO_TABLES)
    assert read_lines(note) == [
        "Come to our open day:",
        "Time · What · Price",
        "10.00 · Walk along the quay",
        "10.00 · Boats · £4",
        "– · Tea · £2",
        "See you there.",
    ]
    page.keyboard.type(f" We wrote this in {program}.")
    wait_until_saved(page, data, f"in {program}.")
    draft = read_draft(data)
    for line in (
        "<b>Time</b> · <b>What</b> · <b>Price</b>",
        '10.00 · <a href="https://example.org/boats">Boats</a> · £4',
    ):
        assert json.dumps(line)[1:-1] in draft
    assert not [place for place in ("googleusercontent", "file:///", "data:image", "<img") if place in draft]
    expect(mail(page).get_by_text(f"in {program}.")).to_be_visible()


def test_rows_of_excel_and_of_plain_text_stay_lines(page: Page, note: Locator) -> None:
    paste(page, (SAMPLES / "excel.html").read_text())
    expect(note.locator(".nl-pasted")).to_contain_text(NO_TABLES)
    assert read_lines(note) == ["10:00 · Walk", "11:00 · Boats · 4", "All day: tea · 2"]
    page.keyboard.press("Control+a")
    paste(page, "", "Tea\t10.00\nWalk\t\t11.00\n")
    assert read_lines(note) == ["Tea · 10.00", "Walk · 11.00"]
    page.keyboard.press("Control+a")
    paste(page, "", "Our day:\nTime\tWhat\tPrice\n10.00\tWalk\t\n\tTea\t£2\n")
    assert read_lines(note) == ["Our day:", "Time · What · Price", "10.00 · Walk", "– · Tea · £2"]


def test_a_page_laid_out_as_a_table_keeps_its_paragraphs(page: Page, note: Locator) -> None:
    story = "<p>The first of many paragraphs.</p>" * 20
    paste(page, f"<table><tr><td>Menu</td><td>{story}<table><tr><td>Tea</td><td>£2</td></tr></table></td></tr></table>")
    expect(note.locator(".nl-pasted")).to_contain_text(NO_TABLES)
    assert read_lines(note)[-2:] == ["The first of many paragraphs.", "Tea · £2"]


def test_a_pasted_screenshot_is_refused_with_a_message(page: Page, note: Locator) -> None:
    page.keyboard.type("Before")
    page.evaluate(COPY_SCREENSHOT)
    page.evaluate(RECORD_STATUS)
    page.keyboard.press("Control+v")
    message = note.locator(".nl-pasted")
    expect(message).to_contain_text(NO_IMAGES)
    [said] = page.evaluate("window.said")
    assert said.startswith(NO_IMAGES)
    page.keyboard.type(" and after")
    assert read_lines(note) == ["Before and after"]
    message.get_by_role("button", name="Hide this message").click()
    expect(message).to_have_count(0)
    expect(note.get_by_role("textbox", name="Text")).to_be_focused()


@pytest.mark.parametrize(
    "address", ["https://example.org/a.png", "file:///C:/a.png", "data:image/png;base64,iVBORw0KGgo="]
)
def test_a_picture_of_a_pasted_page_is_left_out_with_a_message(
    page: Page, note: Locator, data: Path, address: str
) -> None:
    paste(page, f'<p>A quay <img src="{address}" alt="Boats" width="300"> in the morning</p>')
    page.keyboard.type(f" of {address[:4]}")
    expect(note.locator(".nl-pasted")).to_contain_text(NO_IMAGES)
    wait_until_saved(page, data, f" in the morning of {address[:4]}")
    assert address not in read_draft(data)
    expect(mail(page).get_by_text(f"in the morning of {address[:4]}")).to_be_visible()
    expect(mail(page).locator(f'img[src="{address}"]')).to_have_count(0)


def test_an_emoji_that_a_page_draws_is_pasted_as_a_character(page: Page, note: Locator) -> None:
    paste(page, '<p>Hello <img src="https://example.org/wave.png" alt="👋🏽"> and <b>welcome</b></p>')
    expect(note.get_by_role("textbox", name="Text")).to_have_text("Hello 👋🏽 and welcome")
    expect(note.locator(".nl-pasted")).to_have_count(0)


def test_the_next_pasted_text_removes_the_message(page: Page, note: Locator) -> None:
    paste(page, '<img src="https://example.org/a.png" alt="Boats">')
    expect(note.locator(".nl-pasted")).to_contain_text(NO_IMAGES)
    paste(page, "<p>Only a text</p>")
    expect(note.get_by_role("textbox", name="Text")).to_have_text("Only a text")
    expect(note.locator(".nl-pasted")).to_have_count(0)


def test_a_picture_pasted_into_the_subject_is_refused_with_a_message(page: Page, note: Locator) -> None:
    subject = page.get_by_label("Subject")
    before = subject.input_value()
    subject.click()
    page.evaluate(COPY_SCREENSHOT)
    page.keyboard.press("Control+v")
    expect(page.locator(".nl-pasted")).to_contain_text(NO_IMAGES)
    expect(subject).to_have_value(before)


def test_a_picture_dropped_on_a_text_is_refused_with_a_message(page: Page, note: Locator) -> None:
    box = note.get_by_role("textbox", name="Text")
    assert box.evaluate(DROP_PICTURE), "the browser would open the picture instead of the page"
    expect(note.locator(".nl-pasted")).to_contain_text(NO_IMAGES)
    expect(box).to_have_text("")


@pytest.fixture
def translation(page: Page) -> Locator:
    """Return the row of a note on the page that translates a new issue. Its translation has the focus, and is selected."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/admin/issues/")
    page.get_by_role("link", name="The weekly letter No. 1").first.click()
    page.get_by_role("link", name="Duplicate").click()
    page.get_by_role("button", name="Create issue").click()
    page.get_by_role("link", name="Spanish").click()
    row = page.locator(".nl-translate__row").filter(has=page.get_by_role("textbox", name="Text"))
    row.get_by_role("textbox", name="Text").click()
    page.keyboard.press("Control+a")
    return row


def test_a_picture_pasted_into_a_translation_is_left_out_with_a_message(page: Page, translation: Locator) -> None:
    paste(page, '<p>Hola: <img src="https://example.org/a.png" alt="mapa"></p><p>uno</p>')
    expect(translation.locator(".nl-pasted")).to_contain_text(NO_IMAGES)
    assert read_lines(translation) == ["Hola: ", "uno"]


def test_the_last_words_are_saved_if_the_form_is_sent_at_once(page: Page, translation: Locator) -> None:
    page.keyboard.insert_text("Hola")
    translation.evaluate("row => row.closest('form').requestSubmit()")
    expect(page.get_by_text("The translation is saved.")).to_be_visible()
    page.get_by_role("link", name="Spanish").click()
    expect(translation.get_by_role("textbox", name="Text")).to_have_text("Hola")


def test_the_last_words_are_saved_if_the_editor_is_left_at_once(page: Page, note: Locator, data: Path) -> None:
    page.keyboard.insert_text("A calm harbour")
    page.locator("#w-editor-form").evaluate("form => form.requestSubmit()")
    page.wait_for_url("**/overview/")
    assert "A calm harbour" in read_draft(data)
