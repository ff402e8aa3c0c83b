"""What a page loads by itself: after an answer that failed, the page asks again or says that its numbers may be old."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, Route, expect

from newsletter.demo.sample_week import LOGIN
from tests.support.desk_browser import IN_CHROMIUM, open_desk
from tests.support.editor import mail, open_editor, wait_until_saved

pytestmark = IN_CHROMIUM
BRAND_STEP = "/admin/setup/brand/?plain"
UNNOTICED_MS = 1_000
"""After this time, no event of the page makes it ask again."""
NO_CONNECTION, BUSY, SILENT = "no connection", "503", "no answer"
SHORT_LIMITS = """
    const withLimit = AbortSignal.timeout.bind(AbortSignal);
    AbortSignal.timeout = milliseconds => withLimit(Math.max(3000, milliseconds / 20));
"""
"""A script after which every page waits for an answer a twentieth of its time, at least three seconds."""
ADD_PROGRESS = """() => {
    const section = document.createElement('section');
    const targets = {progress: 'bar', b: 'count', i: 'note'};
    Object.entries(targets).forEach(([tag, name]) => {
        const element = document.createElement(tag);
        element.dataset.nlProgressTarget = name;
        section.append(element);
    });
    Object.assign(section.dataset, {
        controller: 'nl-progress', nlProgressVersionValue: '1', nlProgressUrlValue: '/admin/long-task/',
        nlProgressOfflineValue: 'These numbers may be out of date.',
    });
    document.querySelector('main').append(section);
}"""


@pytest.fixture
def disturbed(browser: Browser, site: str) -> Iterator[Page]:
    """Return a page whose requests may fail."""
    with open_desk(browser, site, email=LOGIN.email, password=LOGIN.password, refused=True) as page:
        yield page


class Failures:
    """Fails the requests that ``concerns`` selects, until ``end``."""

    def __init__(self, page: Page, failure: str, concerns: Callable[[Request], bool], *, body: str = "Busy") -> None:
        self.page, self.failure, self.concerns, self.body = page, failure, concerns, body
        self.count = 0
        self.has_ended = False
        page.route("**/admin/**", self._answer)

    def end(self) -> None:
        self.page.wait_for_timeout(UNNOTICED_MS)
        assert self.count
        self.has_ended = True  # the route stays: without it, the browser would send the requests that wait

    def _answer(self, route: Route) -> None:
        if self.has_ended or not self.concerns(route.request):
            route.continue_()
            return
        self.count += 1
        if self.failure == BUSY:
            route.fulfill(status=503, body=self.body, content_type="text/html")
        elif self.failure == NO_CONNECTION:
            route.abort()


def sample(page: Page) -> Locator:
    return page.frame_locator("#nl-sample").locator("body")


@pytest.mark.parametrize("failure", [NO_CONNECTION, BUSY])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_sample_mail_comes_after_a_failed_answer(disturbed: Page, method: str, failure: str) -> None:
    """The iframe itself is loaded by GET; the mail of the form as it is comes by POST."""
    if method == "POST":
        disturbed.goto(BRAND_STEP)
        expect(sample(disturbed).get_by_role("heading").first).to_be_visible()
    failures = Failures(disturbed, failure, lambda asked: "/sample/" in asked.url and asked.method == method)
    with disturbed.expect_request(lambda asked: "/sample/" in asked.url and asked.method == method):
        if method == "GET":
            disturbed.goto(BRAND_STEP)
        disturbed.locator("#id_background").fill("#fff4c9")
    failures.end()
    expect(sample(disturbed)).to_have_css("background-color", "rgb(255, 244, 201)")


def test_the_sample_mail_comes_after_an_answer_that_never_came(disturbed: Page) -> None:
    disturbed.add_init_script(SHORT_LIMITS)
    disturbed.goto(BRAND_STEP)
    expect(sample(disturbed).get_by_role("heading").first).to_be_visible()
    failures = Failures(disturbed, SILENT, lambda asked: "/sample/" in asked.url)
    with disturbed.expect_request("**/sample/"):
        disturbed.locator("#id_background").fill("#fff4c9")
    failures.end()
    expect(sample(disturbed)).to_have_css("background-color", "rgb(255, 244, 201)")


COUNT_POSTPONED_SAVES = """() => {
    window.postponedSaves = 0;
    document.addEventListener('w-autosave:save', event => { window.postponedSaves += event.defaultPrevented; });
}"""


def is_preview(asked: Request) -> bool:
    return "/preview/" in asked.url


def test_the_preview_comes_after_an_answer_that_never_came(disturbed: Page) -> None:
    disturbed.add_init_script(SHORT_LIMITS)
    open_editor(disturbed)
    expect(mail(disturbed).get_by_role("heading").first).to_be_visible()
    failures = Failures(disturbed, SILENT, is_preview)
    with disturbed.expect_request(is_preview):
        disturbed.get_by_label("Subject").fill("An evening by the sea")
    failures.end()
    expect(mail(disturbed).locator("title")).to_have_js_property("textContent", "An evening by the sea")


def test_the_preview_asks_again_after_it_explained_a_failed_disk(disturbed: Page) -> None:
    open_editor(disturbed)
    expect(mail(disturbed).get_by_role("heading").first).to_be_visible()
    failures = Failures(disturbed, BUSY, is_preview, body="<h1 data-message>No mail yet</h1><p>The disk failed.</p>")
    disturbed.get_by_label("Subject").fill("A morning by the lake")
    expect(disturbed.locator("#w-preview-error-banner")).to_contain_text("The disk failed.")
    failures.end()
    expect(mail(disturbed).locator("title")).to_have_js_property("textContent", "A morning by the lake")
    expect(disturbed.locator(".w-preview--has-errors")).to_have_count(0)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_preview_comes_after_a_first_load_that_never_ended(disturbed: Page, method: str) -> None:
    disturbed.add_init_script(SHORT_LIMITS)
    open_editor(disturbed)
    failures = Failures(disturbed, SILENT, lambda asked: is_preview(asked) and asked.method == method)
    with disturbed.expect_request(lambda asked: is_preview(asked) and asked.method == method):
        disturbed.reload()
    failures.end()
    expect(mail(disturbed).get_by_role("heading").first).to_be_visible()


def test_the_preview_comes_after_two_loads_that_never_ended(disturbed: Page) -> None:
    disturbed.add_init_script(SHORT_LIMITS)
    open_editor(disturbed)
    failures = Failures(disturbed, SILENT, lambda asked: is_preview(asked) and asked.method == "POST")
    with disturbed.expect_request(is_preview):
        disturbed.reload()
    with disturbed.expect_request(is_preview):
        pass
    failures.end()
    expect(mail(disturbed).get_by_role("heading").first).to_be_visible()


def test_text_is_saved_while_the_preview_does_not_answer(disturbed: Page, demo_folder: Path) -> None:
    open_editor(disturbed)
    failures = Failures(disturbed, SILENT, is_preview)
    subject = disturbed.get_by_label("Subject")
    before = subject.input_value()
    subject.fill("Typed while nothing answers")
    wait_until_saved(disturbed, demo_folder / "data" / "demo", "Typed while nothing answers")
    failures.end()
    subject.fill(before)
    wait_until_saved(disturbed, demo_folder / "data" / "demo", before)


def is_save(asked: Request) -> bool:
    return asked.method == "POST" and "/issues/edit/" in asked.url


def test_text_is_saved_after_a_save_that_was_never_answered(disturbed: Page, demo_folder: Path) -> None:
    disturbed.add_init_script(SHORT_LIMITS)
    open_editor(disturbed)
    failures = Failures(disturbed, SILENT, is_save)
    subject = disturbed.get_by_label("Subject")
    before = subject.input_value()
    with disturbed.expect_request(is_save):
        subject.fill("Typed before the answer")
    subject.fill("Typed while nothing answers")
    failures.end()
    wait_until_saved(disturbed, demo_folder / "data" / "demo", "Typed while nothing answers")
    subject.fill(before)
    wait_until_saved(disturbed, demo_folder / "data" / "demo", before)


def test_typing_on_waits_for_a_slow_preview_only_once(disturbed: Page, demo_folder: Path) -> None:
    open_editor(disturbed)
    expect(mail(disturbed).get_by_role("heading").first).to_be_visible()
    failures = Failures(disturbed, SILENT, is_preview)
    subject = disturbed.get_by_label("Subject")
    before = subject.input_value()
    subject.fill("Typed first")
    wait_until_saved(disturbed, demo_folder / "data" / "demo", "Typed first")
    disturbed.evaluate(COUNT_POSTPONED_SAVES)
    subject.fill("Typed later")
    wait_until_saved(disturbed, demo_folder / "data" / "demo", "Typed later")
    assert disturbed.evaluate("window.postponedSaves") == 0
    failures.end()
    subject.fill(before)
    wait_until_saved(disturbed, demo_folder / "data" / "demo", before)


def test_a_form_says_that_nothing_answered_before_it_was_sent(disturbed: Page) -> None:
    disturbed.add_init_script(SHORT_LIMITS)
    disturbed.goto(BRAND_STEP)
    failures = Failures(disturbed, SILENT, lambda asked: asked.method == "OPTIONS")
    disturbed.get_by_role("button", name=re.compile("Save|Continue|Next")).first.click()
    expect(disturbed.get_by_role("alert").filter(visible=True)).to_be_visible()
    failures.end()


def test_checks_come_after_an_answer_that_never_came(disturbed: Page) -> None:
    disturbed.add_init_script(SHORT_LIMITS)
    open_editor(disturbed)
    failures = Failures(disturbed, SILENT, lambda asked: asked.url.endswith("/checks/"))
    with disturbed.expect_request("**/checks/"):
        disturbed.get_by_role("button", name="Checks").click()
    failures.end()
    expect(disturbed.locator("[data-controller~=nl-checks] a, [data-controller~=nl-checks] li").first).to_be_visible()


@pytest.mark.parametrize("failure", [NO_CONNECTION, BUSY])
def test_a_watched_mail_comes_after_a_failed_first_load(disturbed: Page, failure: str) -> None:
    disturbed.goto("/admin/issues/")
    overview = disturbed.locator("a[href$='/overview/']").first.get_attribute("href") or ""
    failures = Failures(
        disturbed, failure, lambda asked: asked.is_navigation_request() and asked.frame != disturbed.main_frame
    )
    disturbed.goto(overview.replace("/overview/", "/watch/"))
    failures.end()
    expect(disturbed.frame_locator(".nl-frame").get_by_role("heading").first).to_be_visible()


@pytest.mark.parametrize("failure", [NO_CONNECTION, BUSY, SILENT])
def test_a_progress_says_that_its_numbers_may_be_old(disturbed: Page, failure: str) -> None:
    disturbed.add_init_script(SHORT_LIMITS)
    disturbed.goto("/admin/")
    Failures(disturbed, failure, lambda asked: "/long-task/" in asked.url)
    disturbed.add_script_tag(url="/static/subscribers/progress.js")
    disturbed.evaluate(ADD_PROGRESS)
    expect(disturbed.get_by_text("These numbers may be out of date.")).to_be_visible()


def test_a_progress_asks_less_often_while_answers_fail(disturbed: Page) -> None:
    disturbed.clock.install()
    failures = Failures(disturbed, BUSY, lambda asked: "/long-task/" in asked.url)
    disturbed.add_script_tag(url="/static/subscribers/progress.js")
    disturbed.evaluate(ADD_PROGRESS)
    for _second in range(60):
        disturbed.clock.run_for(1_000)
    assert 1 <= failures.count <= 6


def test_a_watched_mail_stays_after_the_session_ended(disturbed: Page) -> None:
    disturbed.clock.install()
    disturbed.goto("/admin/issues/")
    overview = disturbed.locator("a[href$='/overview/']").first.get_attribute("href") or ""
    with disturbed.expect_event("requestfinished", lambda asked: asked.resource_type == "fetch"):
        disturbed.goto(overview.replace("/overview/", "/watch/"))
    disturbed.context.clear_cookies()
    with disturbed.expect_event("requestfailed", lambda asked: asked.resource_type == "fetch"):
        disturbed.clock.run_for(6_000)
    expect(disturbed.frame_locator(".nl-frame").get_by_role("heading").first).to_be_visible()


def test_a_region_stays_chosen_while_its_names_do_not_come(disturbed: Page) -> None:
    Failures(disturbed, BUSY, lambda asked: "/regions/" in asked.url)
    disturbed.goto("/admin/segments/")
    disturbed.get_by_role("link", name="Texas").first.click()
    expect(disturbed.locator("select[id$=region-choice]").first).to_have_value("US-TX")
    expect(disturbed.get_by_role("option", name="no longer there")).to_have_count(0)
