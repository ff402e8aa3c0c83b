"""The desk in a real browser, on the demonstration as people start it: what is typed shows in the mail beside it."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from newsletter.demo.play import LOGIN

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 180
PREVIEW_MS = 15_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a demonstration that is running, with a folder and a port of its own."""
    folder = tmp_path_factory.mktemp("demo")
    port = free_port()
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("NEWSLETTER_", "DATABASE_"))}
    environment["NEWSLETTER_DATA_DIR"] = str(folder / "data")
    log = folder / "demo.log"
    with log.open("w") as out:
        demo = subprocess.Popen(
            [str(Path(sys.executable).parent / "newsletter"), "demo", "--subscribers", "60", "--port", str(port)],
            env=environment,
            cwd=folder,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/admin/login/", demo, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        demo.terminate()
        try:
            demo.wait(20)
        except subprocess.TimeoutExpired:
            demo.kill()
            demo.wait(20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    """A page of somebody who is signed in. A script error anywhere in the test fails it."""
    context = browser.new_context(
        base_url=site, viewport={"width": 1400, "height": 900}, timezone_id="Europe/London", locale="en-GB"
    )
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto("/admin/login/")
    opened.get_by_label("Email").fill(LOGIN.email)
    opened.get_by_label("Password").fill(LOGIN.password)
    opened.get_by_role("button", name="Sign in").click()
    expect(opened.get_by_role("heading", name="Needs you now")).to_be_visible()
    yield opened
    context.close()
    assert errors == []


def test_a_headline_edited_in_the_story_shows_in_the_mail_beside_it(page: Page) -> None:
    open_spanish_issue(page)
    headline = lead_headline(page)
    page.goto(f"/admin/stories/?q={headline.split()[-1]}")
    page.get_by_role("link", name=headline, exact=True).first.click()
    mail = page.frame_locator("#w-preview-iframe")
    expect(mail.locator("h2").first).to_have_text(headline, timeout=PREVIEW_MS)
    type_into(page.get_by_label("Title"), "Un titular que nadie esperaba")
    expect(mail.locator("h2").first).to_have_text("Un titular que nadie esperaba", timeout=PREVIEW_MS)
    page.get_by_role("button", name="Save").click()
    open_spanish_issue(page)
    shown = page.frame_locator("iframe[name=nl-mail]").locator("h2").first
    expect(shown).to_have_text("Un titular que nadie esperaba", timeout=PREVIEW_MS)


def test_a_headline_overridden_in_an_issue_shows_there_and_only_there(page: Page) -> None:
    open_spanish_issue(page)
    page.get_by_role("link", name="Edit the issue").click()
    mail = page.frame_locator("#w-preview-iframe")
    expect(mail.locator("h2").first).to_be_visible(timeout=PREVIEW_MS)
    type_into(page.locator("[name=body-1-value-stories-0-value-headline]"), "Solo en este número de prueba")
    expect(mail.get_by_role("heading", name="Solo en este número de prueba")).to_be_visible(timeout=PREVIEW_MS)
    page.get_by_label("Preview as").select_option(label="Plain text")
    expect(mail.locator("pre")).to_contain_text(re.compile("solo en este número", re.IGNORECASE), timeout=PREVIEW_MS)
    page.goto("/admin/stories/?q=número")
    expect(page.get_by_role("link", name="Solo en este número de prueba")).to_have_count(0)


def test_the_preview_runs_no_script_that_a_story_brings(page: Page) -> None:
    page.goto("/admin/stories/")
    page.locator("td.title a").first.click()
    mail = page.frame_locator("#w-preview-iframe")
    expect(mail.locator("h2").first).to_be_visible(timeout=PREVIEW_MS)
    type_into(page.get_by_label("Title"), "<img src=x onerror='top.hacked=1'><script>top.hacked=1</script>")
    expect(mail.locator("h2").first).to_contain_text("<script>", timeout=PREVIEW_MS)
    assert page.evaluate("window.hacked") is None


def open_spanish_issue(page: Page) -> None:
    page.goto("/admin/issues/?q=bolet")
    page.get_by_role("link", name=re.compile("El boletín mensual No. 1")).first.click()
    expect(page.get_by_role("heading", name="It waits for approval")).to_be_visible()


def type_into(field: Locator, text: str) -> None:
    """Key by key: an editor takes a moment after it has loaded before it sees that something changed."""
    field.click()
    field.press("ControlOrMeta+a")
    field.press_sequentially(text, delay=80)


def lead_headline(page: Page) -> str:
    lead = page.frame_locator("iframe[name=nl-mail]").locator("h2").first
    expect(lead).to_be_visible(timeout=PREVIEW_MS)
    return lead.inner_text()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Until the address answers; fails with the demonstration's own words when it ends or takes too long."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            pytest.fail(f"The demonstration ended: {log.read_text()[-2000:]}")
        try:
            with urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.5)
    pytest.fail(f"The demonstration did not answer within {START_SECONDS} s: {log.read_text()[-2000:]}")


def test_an_issue_is_approved_sent_now_and_watched_until_it_is_out(page: Page, site: str) -> None:
    """The page follows the send by itself: nobody reloads it."""
    page.goto(f"{site}/admin/")
    page.get_by_role("link", name=re.compile("Read and approve: El boletín")).click()
    page.get_by_role("button", name="Approve what it says now").click()
    page.get_by_role("link", name="Send it now").click()
    expect(page.get_by_role("heading", name=re.compile("Send El boletín mensual No. 1 to .* now"))).to_be_visible()
    page.get_by_role("button", name=re.compile("Send it to")).click()
    expect(page.get_by_text("What became of each person")).to_be_visible()
    expect(page.locator(".nl-issue__state .nl-tag")).to_have_text("Sent", timeout=60_000)
