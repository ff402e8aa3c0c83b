"""The WordPress plugin in Chromium: the solved challenge, the focus, accessibility, the block editor and the button."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.integration.wordpress import WordPress
from tests.integration.wordpress_plugin import FOLDER, PASSWORD, Newsletter, configure
from tests.support.axe import find_axe_violations
from tests.support.desk_browser import IN_CHROMIUM
from tests.support.guide_pictures import GUIDE, make_small

pytestmark = IN_CHROMIUM
FRAME, BLOCKS = 'iframe[name="editor-canvas"]', ".block-editor-block-list__layout.is-root-container"
"""Newer editors draw the page in a frame."""
PICTURES = FOLDER.parent / "images"


@pytest.fixture
def visitor(browser: Browser, site: WordPress) -> Iterator[Page]:
    """Yield a visitor's page. A script error or a request to another site fails the test."""
    context = browser.new_context(viewport={"width": 1000, "height": 900}, locale="en-GB")
    opened, faults = context.new_page(), list[str]()
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("request", lambda asked: None if asked.url.startswith(site.url) else faults.append(asked.url))
    yield opened
    context.close()
    assert [fault for fault in faults if not fault.startswith(("data:", "blob:"))] == []


@pytest.fixture
def admin(browser: Browser, site: WordPress) -> Iterator[Page]:
    """Yield a page that is signed in to WordPress. An error or a warning about the plugin fails the test."""
    context = browser.new_context(viewport={"width": 1200, "height": 900}, locale="en-GB")
    site.do("skip_guide")
    opened, faults = context.new_page(), list[str]()
    opened.on("pageerror", lambda error: faults.append(f"{error} {error.stack}"))
    opened.on("console", lambda said: faults.append(said.text))
    opened.goto(f"{site.url}/wp-login.php")
    opened.fill("#user_login", "editor")
    opened.fill("#user_pass", PASSWORD)
    opened.click("#wp-submit")
    expect(opened.locator("#wpadminbar")).to_be_visible()
    yield opened
    context.close()
    assert [fault for fault in faults if "newsletter" in fault] == []


@pytest.fixture
def newsletter(newsletter_beside_site: Newsletter) -> Newsletter:
    """Return the newsletter that belongs to this WordPress alone."""
    return newsletter_beside_site


@pytest.fixture(autouse=True)
def _usual_settings(site: WordPress, newsletter: Newsletter) -> None:
    configure(site, newsletter)
    newsletter.forget_limits()
    if not newsletter.organisation.install.query("SELECT 1 FROM newsletter_source"):
        newsletter.organisation.add_source("Our site", kind="wordpress", url=site.url)


def take_picture(page: Page, name: str, *, selector: str = "") -> None:
    """Save the page, or an element of it, for the README of the plugin if pictures are asked for."""
    if os.environ.get(GUIDE):
        shot = page.locator(selector).screenshot() if selector else page.screenshot(animations="disabled")
        Path(PICTURES).mkdir(exist_ok=True)
        (PICTURES / f"{name}.png").write_bytes(make_small(shot))


def test_with_script_many_visitors_of_one_network_sign_up(visitor, page, newsletter):
    """A solved challenge passes the limits that hold the third sign-up without script."""
    held = newsletter.held()
    for number in range(4):
        visitor.goto(page)
        visitor.get_by_label("Email address").fill(f"browser{number}@example.org")
        if number == 0:
            take_picture(visitor, "form")
        visitor.get_by_role("button", name="Sign me up").click()
        expect(visitor.get_by_role("heading", name="Check your inbox")).to_be_visible()
    assert newsletter.held() == held
    assert newsletter.people()[-1][0] == "browser3@example.org"
    take_picture(visitor, "thanks")


def test_the_first_mistake_has_the_focus_and_nothing_is_inaccessible(visitor, page):
    visitor.goto(page)
    assert _of_form(find_axe_violations(visitor)) == []
    visitor.get_by_label("First name").fill("Robin")
    visitor.get_by_label("Email address").fill("robin")
    visitor.get_by_role("button", name="Sign me up").click()
    field = visitor.get_by_label("Email address")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(visitor.get_by_label("First name")).to_have_value("Robin")
    expect(visitor.get_by_role("alert")).to_contain_text("It looks like name@example.org")
    assert _of_form(find_axe_violations(visitor)) == []
    take_picture(visitor, "mistake")


def test_without_the_newsletter_the_form_is_sent_without_proof(visitor, page, site):
    visitor.route(re.compile("newsletter-signup/v1/challenge"), lambda route: route.abort())
    visitor.goto(page)
    visitor.get_by_label("Email address").fill("unproven@example.org")
    visitor.get_by_role("button", name="Sign me up").click()
    expect(visitor.get_by_role("heading", name="Check your inbox")).to_be_visible()


def test_without_script_the_answer_has_the_focus(browser, page):
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(page)
    opened.fill("input[type=email]", "noscript@example.org")
    opened.click("text=Sign me up")
    expect(opened.get_by_role("heading", name="Check your inbox")).to_be_in_viewport()
    context.close()


def test_the_block_is_added_and_shown_in_the_editor(admin, site):
    admin.goto(f"{site.url}/wp-admin/post-new.php?post_type=page")
    admin.wait_for_function("() => wp.data.select('core/editor').getCurrentPostType() === 'page'")
    admin.evaluate(
        """() => {
            wp.data.dispatch('core/block-editor').insertBlocks(wp.blocks.createBlock('newsletter/sign-up', {}));
            wp.data.dispatch('core/editor').editPost({title: 'Get involved'});
        }"""
    )
    expect(admin.locator(f"{FRAME}, {BLOCKS}").first).to_be_visible()
    canvas = admin.frame_locator(FRAME).locator(BLOCKS) if admin.locator(FRAME).count() else admin.locator(BLOCKS)
    expect(canvas.get_by_text("Email address")).to_be_visible()
    expect(admin.get_by_label("List", exact=True)).to_contain_text("The weekly letter")
    admin.get_by_label("Show the list’s name and description").uncheck()
    expect(canvas.locator(".newsletter-signup-title")).to_have_count(0)
    admin.get_by_label("Show the list’s name and description").check()
    expect(canvas.locator(".newsletter-signup-title")).to_be_visible()
    take_picture(admin, "block")


def test_the_button_of_a_post_answers_without_leaving_the_page(admin, site, newsletter):
    post = site.publish("A story from the field", "<p>Forty households share the well again.</p>")
    admin.goto(f"{site.url}/wp-admin/post.php?post={post}&action=edit")
    box = admin.locator("#newsletter-signup-tell")
    box.scroll_into_view_if_needed()
    box.get_by_role("button", name="Tell the newsletter").click()
    expect(box.get_by_role("status")).to_contain_text("The newsletter looked at this site")
    assert "A story from the field" in newsletter.organisation.story_titles()
    take_picture(admin, "tell", selector="#newsletter-signup-tell")


def test_the_settings_are_saved_and_checked(admin, site, newsletter):
    admin.goto(f"{site.url}/wp-admin/options-general.php?page=newsletter-signup")
    admin.get_by_label("Tell the newsletter when").check()
    admin.get_by_role("button", name="Save and check").click()
    expect(admin.get_by_text("Connected. The usual sign-up form is that of “The weekly letter”.")).to_be_visible()
    expect(admin.get_by_text("The newsletter reads this site as the source “Our site”.")).to_be_visible()
    expect(admin.get_by_label("API key")).to_have_value("")
    assert newsletter.key not in admin.content()
    assert site.do("option", name="newsletter_signup")["tell"] is True
    take_picture(admin, "settings")


def _of_form(violations: list[str]) -> list[str]:
    """Return the faults of the plugin's own elements; the theme's are not ours."""
    return [one for one in violations if "newsletter" in one]
