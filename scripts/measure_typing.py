"""Measure in Chromium how long a keystroke in the editor takes to be seen in the mail: python -m scripts.measure_typing URL.

URL is the editor of an issue of a running demo whose first block is a lead story. It stays as it was.
"""

import argparse
import sys
from statistics import median
from urllib.parse import urljoin

from playwright.sync_api import Page, sync_playwright

from tests.support.desk_browser import CHROMIUM

_WATCH = """() => {
    window.measured = [];
    document.addEventListener('keydown', ({ timeStamp, target }) => {
        const look = () => {
            const { textContent } = document.getElementById('w-preview-iframe').contentDocument.body;
            if (textContent.replaceAll('\\u00ad', '').includes(target.value)) window.measured.push(performance.now() - timeStamp);
            else requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
    }, true);
}"""
PAUSE_MS = 1_500


def measure(url: str, *, email: str, password: str, times: int) -> list[float]:
    """Return the milliseconds from each keydown to the changed text in the preview."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(urljoin(url, "/admin/login/"))
        page.get_by_label("Email").fill(email)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/admin/")
        page.goto(url)
        _type(page, times)
        measured: list[float] = page.evaluate("measured")
        page.evaluate("document.querySelector('[data-nl-undo=undo]').click()")
        page.wait_for_timeout(PAUSE_MS)
        browser.close()
    return measured


def _type(page: Page, times: int) -> None:
    page.locator(".nl-mail-block__open").first.click()
    headline = page.locator("#body-0-value-headline")
    page.wait_for_timeout(PAUSE_MS)
    if not headline.is_visible():  # it is, if the issue has its own headline already
        page.get_by_role("heading", name="Change for this issue").first.click()
    headline.fill("Typed")
    page.wait_for_timeout(PAUSE_MS)
    page.evaluate(_WATCH)
    for number in range(times):
        page.keyboard.press(chr(ord("a") + number % 26))
        page.wait_for_timeout(PAUSE_MS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--email", default="desk@example.org")
    parser.add_argument("--password", default="a-calm-harbour-morning")
    parser.add_argument("--times", type=int, default=20)
    given = parser.parse_args()
    measured = measure(given.url, email=given.email, password=given.password, times=given.times)
    sys.stdout.write(f"{len(measured)} keystrokes: median {median(measured):.0f} ms, slowest {max(measured):.0f} ms\n")


if __name__ == "__main__":
    main()
