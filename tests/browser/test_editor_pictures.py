"""Pictures in the editor of an issue: a file that is no picture is refused, a picture is chosen with what it shows."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.desk_browser import IN_CHROMIUM
from tests.support.drawing import draw
from tests.support.editor import PREVIEW_MS, add_block, mail, open_editor, wait_until_saved

pytestmark = IN_CHROMIUM


@pytest.fixture(scope="module")
def site(own_site: str) -> str:
    return own_site


def test_a_file_that_is_no_picture_is_refused_and_loses_nothing(page: Page, own_demo_folder: Path) -> None:
    open_editor(page)
    page.get_by_label("Subject").fill("Before the picture")
    block = add_block(page, "Picture")
    block.get_by_role("button", name="Choose an image").click()
    page.get_by_role("tab", name="Upload").click()
    upload(page, "notes.png", b"These are notes, not a picture.")
    expect(page.locator(".modal-content")).to_contain_text("The image is not JPEG, PNG, GIF, WebP or AVIF.")
    upload(page, "harbour.png", draw(600, 400, "PNG"), description="A harbour in the morning")
    expect(page.locator(".modal-content")).to_have_count(0)
    expect(block.get_by_text("harbour", exact=True).first).to_be_visible()
    expect(block.get_by_label("What it shows")).to_have_attribute("placeholder", "A harbour in the morning")
    wait_until_saved(page, own_demo_folder / "data" / "demo", "Before the picture")
    expect(mail(page).get_by_alt_text("A harbour in the morning")).to_be_visible(timeout=PREVIEW_MS)


@pytest.mark.parametrize("width", [1280, 375])
def test_without_pictures_the_chooser_shows_only_the_form_for_one(page: Page, width: int) -> None:
    def empty(route: Route) -> None:
        answer = route.fetch()
        text = answer.text()
        assert r"empty-value=\"false\"" in text
        route.fulfill(response=answer, body=text.replace(r"empty-value=\"false\"", r"empty-value=\"true\""))

    page.route(re.compile(r"/admin/images/chooser/(\?.*)?$"), empty)
    open_editor(page)
    block = add_block(page, "Picture")
    block.get_by_role("button", name="Choose an image").click()
    dialog = page.locator(".modal-content")
    expect(dialog).to_be_visible()
    page.set_viewport_size({"width": width, "height": 900})
    expect(dialog.locator("#tab-upload")).to_be_visible()
    expect(dialog.get_by_label("Search term")).to_be_hidden()
    dialog.get_by_role("tab", name="Search").click()
    expect(dialog.get_by_label("Search term")).to_be_visible()
    expect(dialog.locator("#tab-upload")).to_be_hidden()


DROPPED = """({ bytes, name }) => {
    const files = new DataTransfer();
    files.items.add(new File([new Uint8Array(bytes)], name, { type: 'image/png' }));
    return files;
}"""


@pytest.mark.parametrize(("by", "width"), [("drop", 300), ("paste", 320)])
def test_a_picture_is_dropped_or_pasted_on_its_field(page: Page, by: str, width: int) -> None:
    open_editor(page)
    block = add_block(page, "Picture")
    files = page.evaluate_handle(DROPPED, {"bytes": list(draw(width, 200, "PNG")), "name": f"{by}.png"})
    field = block.get_by_role("button", name="Choose an image")
    if by == "drop":
        field.dispatch_event("dragover", {"dataTransfer": files})
        field.dispatch_event("drop", {"dataTransfer": files})
    else:
        field.evaluate(
            "(one, clipboardData) => one.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }))",
            files,
        )
    form = page.locator("#tab-upload")
    expect(form.get_by_label("Title")).to_have_value(by)
    expect(form.get_by_label("Description")).to_be_focused()
    page.keyboard.type(f"A picture to {by}")
    form.get_by_role("button", name="Upload").click()
    expect(page.locator(".modal-content")).to_have_count(0)
    expect(mail(page).get_by_alt_text(f"A picture to {by}")).to_be_visible(timeout=PREVIEW_MS)


def upload(page: Page, name: str, content: bytes, *, description: str = "") -> None:
    """Upload a file in the open picture chooser. Its title is made from its name."""
    dialog = page.locator(".modal-content")
    dialog.locator("input[type=file]").set_input_files({"name": name, "mimeType": "image/png", "buffer": content})
    expect(dialog.get_by_label("Title")).to_have_value(name.removesuffix(".png"))
    dialog.get_by_label("Description").fill(description)
    dialog.get_by_role("button", name="Upload").click()
