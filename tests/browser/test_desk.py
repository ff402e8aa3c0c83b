"""The preview beside the editors, in a real browser on the demo."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.support import keyboard
from tests.support.desk_browser import IN_CHROMIUM

pytestmark = IN_CHROMIUM
SHOW_OUTDATED_PROGRESS = """url => {
  const section = document.createElement("section");
  section.dataset.controller = "nl-progress";
  section.dataset.nlProgressUrlValue = url;
  section.dataset.nlProgressVersionValue = "an earlier state";
  section.dataset.nlProgressOutdatedValue = "The state has changed.";
  section.dataset.nlProgressUnsavedValue = "Save what you typed first.";
  section.innerHTML = `<progress data-nl-progress-target="bar"></progress>
    <span id="done" data-nl-progress-target="count"></span>
    <span id="outdated" data-nl-progress-target="note"></span><button id="pause">Pause</button>`;
  document.querySelector(".nl-issue").append(section);
}"""


def test_the_preview_shows_an_edited_headline_of_a_story(page: Page) -> None:
    open_spanish_issue(page)
    headline = lead_headline(page)
    page.goto(f"/admin/stories/?q={headline.split()[-1]}")
    page.get_by_role("link", name=headline, exact=True).first.click()
    mail = page.frame_locator("#w-preview-iframe")
    expect(mail.locator("h2").first).to_have_text(headline)
    type_into(page.get_by_label("Title"), "Un titular que nadie esperaba")
    expect(mail.locator("h2").first).to_have_text("Un titular que nadie esperaba")
    with page.expect_navigation():  # the form is sent once the server said that it can answer
        page.get_by_role("button", name="Save").click()
    open_spanish_issue(page)
    shown = page.frame_locator("iframe[name=nl-mail]").locator("h2").first
    expect(shown).to_have_text("Un titular que nadie esperaba")


def test_a_headline_of_an_issue_changes_only_that_issue(page: Page) -> None:
    open_spanish_issue(page)
    page.get_by_role("link", name="Edit the issue").click()
    mail = page.frame_locator("#w-preview-iframe")
    expect(mail.locator("h2").first).to_be_visible()
    stories = page.locator("[data-streamfield-stream-container] > [data-streamfield-child]").nth(1)
    stories.locator("[data-panel-toggle]").first.click()
    story = stories.locator("[data-streamfield-child]").first
    story.locator("[data-panel-toggle]").first.click()
    story.locator("[data-panel-toggle]").nth(1).click()
    type_into(page.locator("[name=body-1-value-stories-0-value-headline]"), "Solo en este número de prueba")
    expect(mail.get_by_role("heading", name="Solo en este número de prueba")).to_be_visible()
    page.get_by_label("Shown as").select_option(label="Plain text")
    expect(mail.locator("pre")).to_contain_text(re.compile("solo en este número", re.IGNORECASE))
    page.goto("/admin/stories/?q=número")
    expect(page.get_by_role("link", name="Solo en este número de prueba")).to_have_count(0)


def test_the_preview_runs_no_script_of_a_story(page: Page) -> None:
    page.goto("/admin/stories/")
    page.locator("td.title a").first.click()
    mail = page.frame_locator("#w-preview-iframe")
    expect(mail.locator("h2").first).to_be_visible()
    type_into(page.get_by_label("Title"), "<img src=x onerror='top.hacked=1'><script>top.hacked=1</script>")
    expect(mail.locator("h2").first).to_contain_text("<script>")
    assert page.evaluate("window.hacked") is None


def test_the_search_for_a_person_fits_the_side_panel(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    open_spanish_issue(page)
    page.get_by_role("link", name="Edit the issue").click()
    page.get_by_text("Preview as a person").click()
    page.get_by_label("Name, town or whole email address").fill("ma")
    assert page.locator(".nl-preview").evaluate("box => box.scrollWidth - box.clientWidth") == 0


def open_spanish_issue(page: Page) -> None:
    page.goto("/admin/issues/?q=bolet")
    page.get_by_role("link", name=re.compile("El boletín mensual No. 1")).first.click()
    expect(page.locator(".nl-tag", has_text="Waiting for approval")).to_be_visible()


def type_into(field: Locator, text: str) -> None:
    """Type key by key: after loading, an editor needs a moment to notice a change."""
    field.click()
    field.press("ControlOrMeta+a")
    field.press_sequentially(text, delay=80)


def lead_headline(page: Page) -> str:
    lead = page.frame_locator("iframe[name=nl-mail]").locator("h2").first
    expect(lead).to_be_visible()
    return lead.inner_text()


def test_a_page_with_progress_keeps_a_comment_that_somebody_types(page: Page, site: str) -> None:
    show_outdated_progress(page, site)
    page.get_by_role("textbox", name="Comment").fill("Please check the date.")
    page.get_by_role("heading", name="Comments").click()
    page.add_script_tag(url=f"{site}/static/subscribers/progress.js")
    expect(page.locator("#outdated")).to_have_text("The state has changed. Save what you typed first.")
    expect(page.get_by_role("textbox", name="Comment")).to_have_value("Please check the date.")
    page.get_by_role("textbox", name="Comment").fill("")
    page.get_by_role("heading", name="Comments").click()
    expect(page.locator("#outdated")).to_have_count(0)


def test_a_page_with_progress_leaves_the_keyboard_where_it_is(page: Page, site: str) -> None:
    """The control that has the focus may be part of the progress, as “Pause” is."""
    show_outdated_progress(page, site)
    pause = page.locator("#pause")
    keyboard.tab_to(pause)
    page.add_script_tag(url=f"{site}/static/subscribers/progress.js")
    expect(page.locator("#outdated")).to_have_text("The state has changed.")
    expect(page.locator("#done")).to_contain_text("of")
    expect(pause).to_be_focused()
    page.get_by_role("heading", name="Comments").click()
    expect(page.locator("#outdated")).to_have_count(0)


def show_outdated_progress(page: Page, site: str) -> None:
    """Show a progress of an earlier state on the page of a sent issue. Its script is not there yet."""
    page.goto(f"{site}/admin/issues/?state=to_files")
    page.locator(".listing a[href*='/overview/']").first.click()
    page.wait_for_url(re.compile("/overview/"))
    page.evaluate(SHOW_OUTDATED_PROGRESS, page.url.replace("/overview/", "/send/progress/"))
