"""The desk works under its content policy: Wagtail's inline scripts have the nonce, and no others run."""

import re

from playwright.sync_api import Browser, Locator, Page, expect

from newsletter.demo.sample_week import LOGIN
from tests.support.desk_browser import IN_CHROMIUM, is_blocked

pytestmark = IN_CHROMIUM


def press_choose(chooser: Locator) -> None:
    """Open the chooser. Its button is in a closed menu if something is chosen."""
    button = chooser.locator("[data-chooser-action-choose]").first
    button.wait_for(state="attached")
    button.evaluate("button => button.click()")


def test_date_and_time_fields_are_the_browsers_own_and_keep_their_value(page: Page) -> None:
    page.goto("/admin/events/")
    page.locator("td.title a").first.click()
    expect(page.locator("#id_starts_at")).to_have_value(re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d"))
    page.locator("#id_starts_at").fill("2030-05-04T18:30")
    page.locator("#id_ends_at").fill("2030-05-04T20:00")
    page.get_by_role("button", name="Save", exact=True).click()
    page.locator("[data-alert]", has_text="updated").or_(page.locator(".messages")).first.wait_for()
    page.go_back()
    page.reload()
    expect(page.locator("#id_starts_at")).to_have_value("2030-05-04T18:30")
    page.goto("/admin/publications/")
    page.locator("td.title a").first.click()
    page.get_by_role("heading", name="Quiet hours and sending limits").click()
    page.locator("[name=quiet_from]").fill("21:30")


def test_choosers_of_a_publication_and_an_issue_work(page: Page) -> None:
    page.goto("/admin/publications/")
    page.locator("td.title a").first.click()
    lists = page.locator("#id_mailing_list-chooser")
    chosen = lists.inner_text()
    lists.get_by_role("button").first.click()
    page.get_by_text("Choose another", exact=True).first.click()
    page.locator(".modal-content [data-chooser-modal-choice]").last.click()
    expect(lists).not_to_have_text(chosen)
    page.goto("/admin/issues/")
    page.locator("td.title a").first.click()
    page.get_by_role("link", name="Edit the issue").click()
    expect(page.frame_locator("#w-preview-iframe").locator("h2").first).to_be_visible()
    press_choose(page.locator("body"))
    search = page.locator(".modal-content [name=q]")
    search.fill('"')
    expect(page.locator(".modal-content")).to_contain_text("match")
    search.fill("the")
    expect(page.locator(".modal-content [data-chooser-modal-choice]").first).to_be_visible()


def test_staff_can_build_a_segment_rule(page: Page) -> None:
    page.goto("/admin/segments/")
    page.locator("td.title a").first.click()
    expect(page.locator("[data-streamfield-block-container], [data-contentpath]").first).to_be_visible()
    page.get_by_role("button", name=re.compile("Insert a block|Add")).first.click()


def test_sign_in_and_account_pages_obey_the_content_policy(browser: Browser, site: str) -> None:
    context = browser.new_context(base_url=site, timezone_id="Europe/London")
    page = context.new_page()
    blocked: list[str] = []
    page.on("console", lambda said: blocked.append(said.text) if is_blocked(said) else None)
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(LOGIN.email)
    page.get_by_label("Password").fill(LOGIN.password)
    page.get_by_role("button", name="Sign in").click()
    for address in ("/admin/account/", "/accounts/2fa/", "/accounts/2fa/totp/activate/", "/accounts/sessions/"):
        page.goto(address)
    context.close()
    assert blocked == []


def test_an_inline_script_without_the_nonce_does_not_run(browser: Browser, site: str) -> None:
    page = browser.new_page(base_url=site)
    page.goto("/accounts/login/")
    page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.ran = true";
        document.body.append(script);
    }""")
    assert page.evaluate("window.ran") is None
    page.close()
