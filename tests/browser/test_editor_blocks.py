"""The blocks of an issue in the form and in the mail: one line each, opened and moved in the mail, undone and redone."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from newsletter.common.text import count_characters
from newsletter.demo.sample_week import LOGIN
from tests.support.axe import find_axe_violations
from tests.support.desk_browser import IN_CHROMIUM
from tests.support.editor import (
    add_block,
    blocks,
    kinds,
    mail,
    mail_blocks,
    open_editor,
    open_overrides,
    wait_until_all_saved,
    wait_until_saved,
)
from tests.support.guide_pictures import take_picture

KINDS = ["Lead story", "Stories", "Events near the reader", "Appeal", "You might also be interested in"]
HIDDEN_IN_HEADER = """() => {
  const title = document.querySelector('.w-breadcrumbs li:last-child');
  return [title, ...document.querySelectorAll('#w-slim-header-buttons > *')].filter(part => {
    const box = part.getBoundingClientRect();
    for (let around = part; around.tagName !== 'HEADER'; around = around.parentElement) {
      if (getComputedStyle(around).overflow === 'visible') continue;
      const edge = around.getBoundingClientRect();
      if (box.left < edge.left - 1 || box.right > edge.right + 1 || box.top < edge.top - 1 || box.bottom > edge.bottom + 1)
        return true;
    }
    return part === title && part.scrollHeight > part.clientHeight + 1;
  }).map(part => part.textContent.trim());
}"""
BELOW_HEADER = """title =>
  title.getBoundingClientRect().top >= document.querySelector('.w-slim-header').getBoundingClientRect().bottom"""
FREE_FOR_A_THUMB = """line => {
  const { left, width, top, bottom } = line.getBoundingClientRect();
  return [top + 2, bottom - 2].every(y => line.contains(document.elementFromPoint(left + width / 2, y)));
}"""
FIRST_FIELDS = {
    "Note": "[contenteditable=true]",
    "Lead story": ".snippet-chooser .unchosen button",
    "Stories": ".snippet-chooser .unchosen button",
    "Events near the reader": ".snippet-chooser .unchosen button",
    "One event in full": ".snippet-chooser .unchosen button",
    "Appeal": ".snippet-chooser .unchosen button",
    "You might also be interested in": "[name$=title]",
    "Quote": "[name$=text]",
    "Image": ".image-chooser .unchosen button",
    "Button": "[name$=label]",
    "Figure": "[name$=figure]",
    "Progress of an appeal": "[name$=headline]",
    "Gallery": ".image-chooser .unchosen button",
    "Timetable": "[name$=title]",
    "Document": "[name$=title]",
    "Question": "[name$=question]",
    "Quote with portrait": "[name$=text]",
}
WRITTEN_MS = 1_500
"""By this time, the editor of rich text has written to its field, and a step has ended."""
LEAD, STORIES, EVENTS, *REST = KINDS
pytestmark = [*IN_CHROMIUM, pytest.mark.own_site]


@pytest.fixture
def editor(page: Page) -> Iterator[Page]:
    page.set_viewport_size({"width": 1280, "height": 800})
    open_editor(page)
    expect(mail_blocks(page)).to_have_count(len(KINDS))
    yield page
    page.wait_for_timeout(600)
    undo = page.get_by_role("button", name="Undo")
    while undo.is_enabled():
        undo.click()
    wait_until_all_saved(page)


def order_in_the_mail(page: Page) -> list[str]:
    return [name.split(":")[0] for name in mail_blocks(page).locator("[data-name]").all_inner_texts()]


def expect_order(page: Page, expected: list[str]) -> None:
    """Expect the kinds in this order in the form, and in the mail."""
    assert kinds(page) == expected
    page.wait_for_function(
        "first => document.querySelector('.nl-mail-block [data-name]').textContent.startsWith(first)",
        arg=expected[0],
    )
    expect(mail_blocks(page)).to_have_count(len(expected))
    assert order_in_the_mail(page) == expected


def test_the_form_of_an_issue_is_one_screen_with_a_line_a_block(editor: Page) -> None:
    assert editor.locator("#w-editor-form").evaluate("form => form.offsetHeight") <= 800
    expect(blocks(editor).first).to_contain_text("Lead story La escuela de promotoras")
    expect(editor.get_by_text("Change for this issue").first).to_be_hidden()


def test_the_header_shows_its_whole_title_and_every_button(editor: Page) -> None:
    title = editor.locator(".w-breadcrumbs li:last-child")
    title.evaluate("title => title.querySelector('span, a').append(' of the friends of the harbour')")
    for width in (375, 768, 1024, 1200, 1280, 1600):
        editor.set_viewport_size({"width": width, "height": 800})
        assert editor.evaluate(HIDDEN_IN_HEADER) == [], width


def test_a_new_block_is_open_with_the_focus_in_its_first_empty_field(editor: Page) -> None:
    for kind, first in FIRST_FIELDS.items():
        expect(add_block(editor, kind).locator(first).first).to_be_focused()


def test_amounts_rows_and_dates_are_typed_and_shown_in_the_mail(editor: Page) -> None:
    progress = add_block(editor, "Progress of an appeal")
    for name, text in (("headline", "A second boat"), ("raised", "12,400"), ("goal", "0"), ("as_of", "2026-11-24")):
        progress.locator(f"[name$={name}]").fill(text)
    progress.locator("[name$=currency]").select_option(label="British Pound (GBP)")
    expect(mail(editor).get_by_text("“Goal” must be more than 0")).to_be_visible()
    progress.locator("[name$=goal]").fill("20000")
    expect(mail(editor).get_by_text(re.compile("recaudados de 20.000"))).to_be_visible()
    question = add_block(editor, "Question")
    question.locator("[name$=question]").fill("More court reports?")
    expect(question.locator("[name$=label]")).to_have_count(2)
    for number, answer in enumerate(("Yes", "No")):
        question.locator("[name$=label]").nth(number).fill(answer)
        question.locator("[name$=url]").nth(number).fill(f"https://ask.example.org/{answer}")
    expect(mail(editor).get_by_role("link", name="Yes", exact=True)).to_be_visible()


def test_the_line_of_a_block_says_what_its_fields_say(editor: Page) -> None:
    lead, line = blocks(editor).first, blocks(editor).first.locator("[data-panel-heading-text]").first
    mail_blocks(editor).first.locator(".nl-mail-block__open").click()
    headline = open_overrides(lead)
    headline.fill("A headline of our own")
    expect(line).to_have_text("A headline of our own")
    headline.fill("")
    expect(line).to_contain_text("La escuela de promotoras")
    note = add_block(editor, "Note")
    expect(note.locator(FIRST_FIELDS["Note"])).to_be_focused()
    editor.keyboard.type("Written and left at once")
    mail_blocks(editor).first.locator(".nl-mail-block__open").click()
    expect(note.locator("[data-panel-heading-text]").first).to_have_text("Written and left at once")


def test_a_field_shows_the_text_of_the_story_that_it_replaces(editor: Page) -> None:
    lead = blocks(editor).first
    mail_blocks(editor).first.locator(".nl-mail-block__open").click()
    headline = open_overrides(lead)
    expect(headline).to_have_attribute("placeholder", re.compile("^La escuela de promotoras"))
    expect(lead.get_by_label("Teaser")).to_have_attribute("placeholder", re.compile("..."))
    expect(lead.get_by_label("Link")).to_have_attribute("placeholder", re.compile("^http"))
    assert headline.input_value() == ""
    lead.locator("[data-chooser-action-choose]").first.evaluate("button => button.click()")
    other = editor.locator(".modal-content [data-chooser-modal-choice]").nth(2)
    title = other.inner_text().strip()
    other.click()
    expect(headline).to_have_attribute("placeholder", title)


def test_show_to_is_one_line_that_says_who_sees_the_block(editor: Page) -> None:
    lead = blocks(editor).first
    mail_blocks(editor).first.locator(".nl-mail-block__open").click()
    line = lead.locator("[data-contentpath=show_to]")
    expect(line.get_by_label("Giving status")).to_be_hidden()
    expect(line.locator("[data-panel-heading-text]")).to_have_text("everybody")
    line.locator("[data-panel-toggle]").click()
    line.get_by_label("Giving status").select_option("monthly")
    expect(line.locator("[data-panel-heading-text]")).to_have_text("gives monthly")
    expect(lead.locator("[data-panel-heading-text]").first).to_contain_text("· gives monthly")
    expect(mail(editor).get_by_text(re.compile(r"Shown to [\d,]+ of [\d,]+ people: gives monthly"))).to_be_visible()
    take_picture(editor, "show-to")
    assert not find_axe_violations(editor)


def test_buttons_of_personal_fields_move_nothing(editor: Page) -> None:
    editor.get_by_role("navigation", name="Main menu").get_by_role("link", name="Home").focus()
    before = editor.get_by_label("Preheader").bounding_box()
    editor.get_by_label("Subject").click()
    toolbar = editor.get_by_role("toolbar", name="Insert a personal field")
    expect(toolbar.get_by_role("button", name="Region")).to_be_in_viewport()
    assert editor.get_by_label("Preheader").bounding_box() == before
    toolbar.get_by_role("button", name="Town").click()
    expect(editor.get_by_label("Subject")).to_have_value(re.compile("{{ city "))


COVERED = """box => {
    const iframe = document.getElementById('w-preview-iframe');
    const { left, top, width } = iframe.getBoundingClientRect();
    const scale = width / iframe.offsetWidth;
    const shown = iframe.contentDocument;
    const nodes = shown.createTreeWalker(shown.body, NodeFilter.SHOW_TEXT);
    const range = shown.createRange();
    const covers = [...box.querySelectorAll('button + button')].map((one) => one.getBoundingClientRect());
    const isCovered = (line) => covers.some((one) => (
        one.left < left + line.right * scale && one.right > left + line.left * scale
        && one.top < top + line.bottom * scale && one.bottom > top + line.top * scale
    ));
    const covered = [];
    while (nodes.nextNode()) {
        range.selectNodeContents(nodes.currentNode);
        const words = nodes.currentNode.textContent.trim();
        if (words && [...range.getClientRects()].some(isCovered)) covered.push(words);
    }
    return covered;
}"""


def test_buttons_of_personal_fields_cover_no_help_text(editor: Page) -> None:
    add_block(editor, "Note")
    gap = """buttons => {
        const help = [...buttons.parentElement.querySelectorAll(".help")].find((one) => one.offsetParent);
        return help.getBoundingClientRect().top - buttons.getBoundingClientRect().bottom;
    }"""
    assert editor.locator(".nl-merge:visible").first.evaluate(gap) >= 0  # in one call: the page may scroll meanwhile


@pytest.mark.parametrize("width", [1280, 375])
def test_buttons_on_a_block_cover_no_text_of_the_mail(editor: Page, width: int) -> None:
    editor.set_viewport_size({"width": width, "height": 800})
    editor.wait_for_timeout(500)
    for box in mail_blocks(editor).all():
        box.hover()
        assert box.evaluate(COVERED) == []


def test_a_block_is_saved_to_use_it_again_from_the_editor(editor: Page, data: Path) -> None:
    block = add_block(editor, "Quote")
    block.get_by_label("Text").fill("We kept the minutes.")
    wait_until_saved(editor, data, "We kept the minutes.")  # a link waits for the save for 8 seconds only
    block.get_by_role("link", name="Save block").click()
    expect(editor.get_by_label("Block")).to_contain_text("Quote: We kept the minutes.")
    editor.get_by_label("Name").fill("The minutes")
    editor.get_by_role("button", name="Save block").click()
    expect(editor.get_by_text("The block is saved as “The minutes”.")).to_be_visible()
    expect(blocks(editor).last.get_by_label("Text")).to_be_focused()
    blocks(editor).last.get_by_title("Delete").first.click()
    wait_until_all_saved(editor)
    open_editor(editor)  # nothing is left to undo


def test_names_of_colleagues_are_offered_in_a_comment(editor: Page) -> None:
    editor.get_by_role("button", name="Comments").click()
    editor.get_by_text("Add a comment").click()
    comment = editor.get_by_label("Comment", exact=True)
    comment.press_sequentially("Please look, @des")
    expect(editor.get_by_role("listbox").get_by_role("option", name=LOGIN.email)).to_be_visible()
    comment.press("Enter")
    expect(comment).to_have_value(f"Please look, @{LOGIN.email} ")
    expect(editor.get_by_role("listbox")).to_be_hidden()


def test_the_texts_of_this_issue_are_unfolded_if_there_are_any(editor: Page, data: Path) -> None:
    lead = blocks(editor).first
    lead.locator("[data-panel-toggle]").first.click()
    expect(lead.get_by_role("textbox", name="Headline")).to_be_hidden()
    lead.get_by_role("heading", name="Change for this issue").click()
    lead.get_by_role("textbox", name="Headline").fill("A headline of our own")
    wait_until_saved(editor, data, "A headline of our own")
    editor.reload()
    blocks(editor).first.locator("[data-panel-toggle]").first.click()
    expect(blocks(editor).first.get_by_role("textbox", name="Headline")).to_be_visible()
    blocks(editor).first.get_by_role("textbox", name="Headline").fill("")
    wait_until_all_saved(editor)
    open_editor(editor)  # nothing is left to undo


def test_a_click_on_a_block_of_the_mail_opens_it_in_the_form(editor: Page) -> None:
    box = mail_blocks(editor).nth(1)
    box.hover()
    expect(editor.locator("[data-nl-block-name]")).to_have_text(re.compile("^Stories: "))
    box.locator(".nl-mail-block__open").click()
    expect(blocks(editor).nth(1).get_by_label("Heading")).to_be_focused()
    expect(blocks(editor).nth(1).get_by_label("Heading")).to_be_in_viewport()
    mail_blocks(editor).nth(2).locator(".nl-mail-block__open").press("Enter")
    expect(blocks(editor).nth(2).get_by_label("Heading")).to_be_focused()
    expect(blocks(editor).nth(1).get_by_label("Heading")).to_be_hidden()
    expect(mail_blocks(editor).nth(2)).to_be_in_viewport()


@pytest.mark.parametrize("width", [375, 1024])
def test_the_line_of_a_block_opened_from_the_mail_is_below_the_header(editor: Page, width: int) -> None:
    """The header has three rows on a phone, and two beside the open preview of a small screen."""
    editor.set_viewport_size({"width": width, "height": 740})
    preview = editor.locator("[data-side-panel-toggle=preview]")
    if preview.get_attribute("aria-expanded") != "true":
        preview.click()
    mail_blocks(editor).first.locator(".nl-mail-block__open").press("Enter")
    title = blocks(editor).first.locator(".c-sf-block__type").first
    expect(title).to_be_in_viewport()
    editor.wait_for_function(BELOW_HEADER, arg=title.element_handle())


def test_the_inbox_row_leads_to_the_subject(editor: Page) -> None:
    row = editor.get_by_title("Edit subject and preheader")
    expect(row).to_contain_text("La escuela de promotoras")
    row.click()
    expect(editor.get_by_label("Subject")).to_be_focused()


def test_links_in_the_mail_do_not_leave_the_page(editor: Page) -> None:
    address = editor.url
    box = mail_blocks(editor).first.bounding_box()
    assert box
    for part in (0.2, 0.5, 0.93):
        editor.mouse.click(box["x"] + 60, box["y"] + box["height"] * part)
    assert len(editor.context.pages) == 1
    assert editor.url == address


def test_buttons_in_the_mail_move_a_block_and_undo_moves_it_back(editor: Page) -> None:
    expect(mail_blocks(editor).first.get_by_role("button", name="Move up")).to_be_disabled()
    mail_blocks(editor).first.get_by_role("button", name="Move down").press("Enter")
    expect_order(editor, [STORIES, LEAD, EVENTS, *REST])
    expect(mail_blocks(editor).nth(1).get_by_role("button", name="Move down")).to_be_focused()
    editor.keyboard.press("ControlOrMeta+z")
    expect_order(editor, KINDS)
    editor.get_by_role("button", name="Redo").click()
    expect_order(editor, [STORIES, LEAD, EVENTS, *REST])


def test_a_block_is_dragged_in_the_mail_to_another_place(editor: Page) -> None:
    editor.set_viewport_size({"width": 1280, "height": 1000})  # the place to drop on is in view
    mail_blocks(editor).first.drag_to(mail_blocks(editor).nth(1), target_position={"x": 60, "y": 10})
    expect_order(editor, [STORIES, LEAD, EVENTS, *REST])


def test_an_undone_step_stays_undone_while_rich_text_is_written_again(editor: Page) -> None:
    """The editor of rich text writes to its field some time after a step was undone."""
    note = add_block(editor, "Note")
    expect(note.locator(FIRST_FIELDS["Note"])).to_be_focused()
    editor.keyboard.type("We kept the minutes.")
    editor.wait_for_timeout(WRITTEN_MS)
    subject = editor.get_by_label("Subject")
    before = subject.input_value()
    subject.fill("A step to undo")
    editor.wait_for_timeout(WRITTEN_MS)
    editor.get_by_role("button", name="Undo").click()
    expect(subject).to_have_value(before)
    editor.wait_for_timeout(WRITTEN_MS)
    expect(editor.get_by_role("button", name="Redo")).to_be_enabled()


def test_a_block_deleted_at_once_comes_back_with_its_last_words(editor: Page) -> None:
    type_and_delete = """block => {
        const text = block.querySelector("textarea");
        text.value = "We kept the minutes.";
        text.dispatchEvent(new Event("input", { bubbles: true }));
        block.querySelector("[title=Delete]").click();
    }"""
    add_block(editor, "Quote").evaluate(type_and_delete)
    editor.get_by_role("button", name="Undo").click()
    expect(mail(editor).get_by_text("We kept the minutes.")).to_be_visible()


def test_a_deleted_block_comes_back_by_undo_with_its_content(editor: Page, data: Path) -> None:
    block = add_block(editor, "Quote")
    block.get_by_label("Text").fill("We kept the minutes.")
    wait_until_saved(editor, data, "We kept the minutes.")
    block.get_by_title("Delete").first.click()
    expect(mail(editor).get_by_text("We kept the minutes.")).to_have_count(0)
    editor.keyboard.press("ControlOrMeta+z")
    expect(mail(editor).get_by_text("We kept the minutes.")).to_be_visible()
    wait_until_saved(editor, data, "We kept the minutes.")
    editor.keyboard.press("ControlOrMeta+Shift+z")
    assert kinds(editor) == KINDS


def test_a_text_field_with_the_focus_undoes_by_itself(editor: Page) -> None:
    subject = editor.get_by_label("Subject")
    subject.press("End")
    editor.keyboard.type(" and more")
    typed = subject.input_value()
    editor.keyboard.press("ControlOrMeta+z")
    assert typed.startswith(subject.input_value())
    assert len(subject.input_value()) < len(typed)
    assert kinds(editor) == KINDS


def test_the_preview_changes_only_what_was_typed(editor: Page) -> None:
    asked: list[str] = []
    lead = blocks(editor).first
    mail_blocks(editor).first.locator(".nl-mail-block__open").click()
    open_overrides(lead).click()
    iframe, wrapper = editor.locator("#w-preview-iframe"), editor.locator(".w-preview__wrapper")
    iframe.evaluate("one => { one.contentWindow.kept = 'kept' }")
    wrapper.evaluate("one => { one.scrollTop = 60 }")
    editor.on("request", lambda request: asked.append(request.method) if "/preview/" in request.url else None)
    editor.keyboard.type("Typed slowly", delay=60)
    expect(mail(editor).get_by_role("heading", name="Typed slowly")).to_be_visible()
    assert iframe.evaluate("one => one.contentWindow.kept") == "kept"
    assert wrapper.evaluate("one => one.scrollTop") == 60
    assert set(asked) == {"POST"}
    assert len(asked) <= len("Typed slowly") + 1  # at most one for each key, and one for the click


FETCHED = """() => performance.getEntriesByType('resource')
  .filter(one => one.initiatorType === 'fetch').map(one => [one.name, one.startTime, one.responseEnd])"""


def test_no_save_begins_while_the_preview_is_made(editor: Page) -> None:
    """Both take the server's time, and somebody waits for the preview."""
    subject = editor.get_by_label("Subject")
    editor.evaluate("performance.clearResourceTimings()")
    for number in range(6):
        with editor.expect_response(lambda answer: "/preview/" in answer.url):
            subject.fill(f"Evening number {number}")
        editor.wait_for_timeout(400)
    expect(editor.locator("#w-autosave-indicator")).to_have_attribute("data-w-autosave-state-value", "saved")
    fetched = editor.evaluate(FETCHED)
    previews = [(start, end) for name, start, end in fetched if "/preview/" in name]
    saves = [start for name, start, _end in fetched if "/issues/edit/" in name]
    assert previews
    assert saves
    assert [save for save in saves for start, end in previews if start < save < end] == []


def test_checks_are_asked_for_only_while_their_panel_is_open(editor: Page) -> None:
    """They take longer than a save and a preview together, on the same cores."""
    asked: list[str] = []
    editor.on("request", lambda request: asked.append(request.url) if request.url.endswith("/checks/") else None)
    subject = editor.get_by_label("Subject")
    with editor.expect_response(lambda answer: "/issues/edit/" in answer.url and answer.request.method == "POST"):
        subject.fill("Two evenings a week")
    assert asked == []
    editor.get_by_role("button", name="Checks", exact=True).click()
    panel = editor.locator("[data-side-panel=checks]")
    expect(panel.locator("[role=status] strong")).to_be_visible()
    subject.fill("{{ frist_name }}")
    expect(panel).to_contain_text("frist_name")
    assert 2 <= len(asked) <= 3


def test_checks_are_asked_for_again_after_an_answer_that_failed(editor: Page) -> None:
    editor.route("**/checks/", lambda route: route.fulfill(status=503), times=1)
    with editor.expect_response(lambda answer: answer.url.endswith("/checks/") and answer.status == 503):
        editor.get_by_role("button", name="Checks", exact=True).click()
    expect(editor.locator("[data-side-panel=checks]").locator("[role=status] strong")).to_be_visible()


def test_the_editor_works_on_a_phone(editor: Page) -> None:
    editor.set_viewport_size({"width": 375, "height": 740})
    mail_blocks(editor).nth(1).locator(".nl-mail-block__open").click()
    expect(blocks(editor).nth(1).get_by_label("Heading")).to_be_focused()
    expect(blocks(editor).nth(1).get_by_label("Heading")).to_be_in_viewport()
    assert editor.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    expect(editor.locator("[data-side-panel=preview]")).to_have_attribute("hidden", "")
    editor.get_by_role("button", name="Toggle preview").click()
    expect(mail_blocks(editor).nth(1)).to_be_in_viewport()
    editor.get_by_role("button", name="Toggle preview").click()
    line = blocks(editor).nth(2).locator("[data-panel-toggle]").first
    line.scroll_into_view_if_needed()
    assert line.evaluate(FREE_FOR_A_THUMB)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_editor_with_an_open_block_is_accessible(editor: Page, scheme: str) -> None:
    editor.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    mail_blocks(editor).nth(1).locator(".nl-mail-block__open").click()
    editor.wait_for_timeout(500)  # colours fade, and axe would measure them half way
    assert find_axe_violations(editor) == []


def test_the_line_above_the_mail_follows_the_text_of_its_block(editor: Page) -> None:
    text = add_block(editor, "Quote").get_by_label("Text")
    text.press_sequentially("Tea")
    line = editor.locator("[data-nl-block-name]")
    expect(line).to_have_text("Quote: Tea")
    text.press_sequentially(" and cake")
    expect(line).to_have_text("Quote: Tea and cake")
    box = mail_blocks(editor).last.locator(".nl-mail-block__open")
    expect(box).to_have_accessible_name("Quote: Tea and cake")
    mail_blocks(editor).first.locator(".nl-mail-block__open").focus()
    expect(line).to_have_text(re.compile("^Lead story: "))


def test_the_editor_counts_characters_as_the_server_does(editor: Page) -> None:
    texts = [
        "Hello",
        "👨‍👩‍👧‍👦",
        "🇺🇦🇺🇦",
        "👋🏽",
        "1️⃣",
        "Zoe\u0308",
        "नमस्ते",
        "한국",
        "ก็",
        "❤️‍🔥",
        "a\r\nb",
        "e" + "\u0301" * 40,
    ]
    counted = editor.evaluate("texts => texts.map((text) => window.countCharacters(text))", texts)
    assert counted == [count_characters(text) for text in texts]
    subject = editor.get_by_label("Subject")
    subject.fill("👨‍👩‍👧‍👦" * 300)
    expect(editor.locator("[data-nl-inbox-target=lengths]")).to_contain_text("300")
    expect(editor.locator(".nl-too-long")).to_have_count(0)
    subject.fill("👨‍👩‍👧‍👦" * 301)
    expect(editor.locator(".nl-too-long")).to_contain_text("301 characters, and at most 300 are allowed.")
