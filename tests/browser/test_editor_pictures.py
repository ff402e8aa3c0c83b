"""Pictures in the editor of an issue: refused files, what a chosen picture shows, focal points set by hand."""

import json
import re
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect

from tests.support.desk_browser import IN_CHROMIUM
from tests.support.drawing import draw, encode
from tests.support.editor import add_block, mail, open_editor, read_draft, wait_until_saved

pytestmark = [*IN_CHROMIUM, pytest.mark.own_site]


def test_a_file_that_is_not_an_image_is_refused_and_loses_nothing(page: Page, own_demo_folder: Path) -> None:
    open_editor(page)
    page.get_by_label("Subject").fill("Before the picture")
    block = add_block(page, "Image")
    block.get_by_role("button", name="Choose an image").click()
    page.get_by_role("tab", name="Upload").click()
    upload(page, "notes.png", b"These are notes, not a picture.")
    expect(page.locator(".modal-content")).to_contain_text("The image is not JPEG, PNG, GIF, WebP or AVIF.")
    upload(page, "harbour.png", draw(600, 400, "PNG"), description="A harbour in the morning")
    expect(page.locator(".modal-content")).to_have_count(0)
    expect(block.get_by_text("harbour", exact=True).first).to_be_visible()
    expect_thumbnail(block)
    expect(block.get_by_label("What it shows")).to_have_attribute("placeholder", "A harbour in the morning")
    wait_until_saved(page, own_demo_folder / "data" / "demo", "Before the picture")
    expect(mail(page).get_by_alt_text("A harbour in the morning")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 375])
def test_without_pictures_the_chooser_shows_only_the_form_for_one(page: Page, width: int) -> None:
    def empty(route: Route) -> None:
        answer = route.fetch()
        text = answer.text()
        assert r"empty-value=\"false\"" in text
        route.fulfill(response=answer, body=text.replace(r"empty-value=\"false\"", r"empty-value=\"true\""))

    page.route(re.compile(r"/admin/images/chooser/(\?.*)?$"), empty)
    open_editor(page)
    block = add_block(page, "Image")
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
    block = add_block(page, "Image")
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
    expect(mail(page).get_by_alt_text(f"A picture to {by}")).to_be_visible()


def test_a_focal_point_set_by_hand_decides_the_mailed_picture(page: Page, own_demo_folder: Path) -> None:
    """The file is red at its left and blue at its right. The mail shows a part of it, around the point that was set."""
    page.goto("/admin/images/add/")
    halves = Image.new("RGB", (2000, 400), (200, 20, 20))
    halves.paste((20, 20, 200), (1000, 0, 2000, 400))
    file = {"name": "halves.png", "mimeType": "image/png", "buffer": encode(halves, "PNG")}
    page.locator("main input[type=file]").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_label("Description").fill("Two halves")
    page.locator("main form button[type=submit]").last.click()
    page.get_by_role("link", name="halves").first.click()
    draw_focal_point(page, at=0.9)
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_text("is saved.")).to_be_visible()
    page.goto(f"/admin/stories/edit/{find_second_story(own_demo_folder / 'data' / 'demo')}/")
    field = page.locator("[data-contentpath=library_image]")
    field.get_by_role("button", name="Choose an image").click()
    page.locator(".modal-content a.image-choice", has_text="halves").first.click()
    expect_thumbnail(field)
    page.get_by_label("What the image shows").fill("The blue half")
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_text("is saved.")).to_be_visible()
    open_editor(page)
    shown = mail(page).get_by_alt_text("The blue half")
    expect(shown).to_be_visible()
    with Image.open(BytesIO(page.request.get(shown.get_attribute("src") or "").body())) as mailed:
        left = mailed.convert("RGB").getpixel((5, 5))
    assert isinstance(left, tuple)
    assert left[2] > left[0]


def draw_focal_point(page: Page, *, at: float) -> None:
    """Draw a box on the picture with the mouse, at this part of its width."""
    picture = page.locator(".jcrop-holder")
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    assert box
    left, top = box["x"] + box["width"] * at, box["y"] + box["height"] * 0.3
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(left + box["width"] * 0.05, top + box["height"] * 0.4, steps=5)
    page.mouse.up()
    expect(page.locator("#id_focal_point_x")).not_to_have_value("")


def find_second_story(data: Path) -> int:
    """Return the first story of the draft's list. Its picture is a part of the file; that of the lead is all of it."""
    body = json.loads(read_draft(data).split("\n", 2)[2])
    return int(body[1]["value"]["stories"][0]["value"]["story"])


def expect_thumbnail(field: Locator) -> None:
    """Expect the chosen picture itself beside its title."""
    thumbnail = field.locator(".chosen img")
    expect(thumbnail).to_be_visible()
    expect(thumbnail).not_to_have_js_property("naturalWidth", 0)


def upload(page: Page, name: str, content: bytes, *, description: str = "") -> None:
    """Upload a file in the open picture chooser. Its title is made from its name."""
    dialog = page.locator(".modal-content")
    dialog.locator("input[type=file]").set_input_files({"name": name, "mimeType": "image/png", "buffer": content})
    expect(dialog.get_by_label("Title")).to_have_value(name.removesuffix(".png"))
    dialog.get_by_label("Description").fill(description)
    dialog.get_by_role("button", name="Upload").click()
