"""A finished look fills in a brand's form, and the sample email shows it before anything is saved."""

import pytest
from playwright.sync_api import Page, expect

from newsletter.organisation.starter_brands import load_starters
from tests.support.desk_browser import IN_CHROMIUM

pytestmark = IN_CHROMIUM
BRAND = "/admin/brand/"


def open_brand(page: Page) -> None:
    page.goto(BRAND)
    page.locator(".listing a[href*='/brand/edit/']").first.click()


@pytest.mark.parametrize("where", ["brand", "setup"])
def test_a_look_fills_the_form_and_the_preview_and_saves_nothing(page: Page, where: str) -> None:
    if where == "brand":
        open_brand(page)
    else:
        page.goto("/admin/setup/brand/?plain")
        page.get_by_text("Start from a finished look").click()
    old, look = page.locator("#id_colour").input_value(), load_starters()["chalk"].look()
    button = page.get_by_role("button", name="Chalk")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.press("Enter")
    for name, value in look.items():
        expect(page.locator(f"#id_{name}")).to_have_value(str(value))
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-nl-look-status]")).to_have_text("Chalk is filled in below. Save to keep it.")
    if where == "setup":
        mail = page.frame_locator("#nl-sample").locator("body")
        expect(mail).to_have_css("background-color", "rgb(255, 244, 201)")
    page.locator("#id_accent").fill("#223344")
    expect(button).to_have_attribute("aria-pressed", "false")
    open_brand(page)
    expect(page.locator("#id_colour")).to_have_value(old)
