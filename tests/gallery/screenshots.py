"""Open mails in Chromium in two widths, light and dark mode. Only our own pictures are served, from memory."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, Route, sync_playwright

from newsletter.rendering.template_context import ICONS as ICON_FOLDER
from tests.gallery.documents import ICONS, MEDIA, make_picture
from tests.gallery.readings import Reading

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
SCHEMES = ("light", "dark")
WIDTHS = (375, 640)


@dataclass
class RequestedUrls:
    """The requests of a page: our own files, and other URLs, of which there must be none."""

    own: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


@contextmanager
def open_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_mail(
    browser: Browser, html: str, *, width: int, scheme: str, pictures: bool = True
) -> Iterator[tuple[Page, RequestedUrls]]:
    """Open the mail in a page of its own, with its pictures loaded unless they are off."""
    seen = RequestedUrls()
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page.route("**/*", lambda route: _answer(route, seen) if pictures else route.abort())
    try:
        page.set_content(html, wait_until="load")
        yield page, seen
    finally:
        page.close()


@contextmanager
def open_reading(browser: Browser, html: str, *, reading: Reading) -> Iterator[Page]:
    """Open the mail as a mail program or a reader changes it."""
    changed = reading.change(html)
    with open_mail(browser, changed, width=reading.width, scheme="light", pictures=reading.pictures) as (page, _seen):
        if reading.media:
            page.emulate_media(**reading.media)  # type: ignore[arg-type]
        reading.prepare(page)
        yield page


def _answer(route: Route, seen: RequestedUrls) -> None:
    url = route.request.url
    if url.startswith(f"{ICONS}/"):
        seen.own.append(url)
        route.fulfill(body=(ICON_FOLDER / url.rsplit("/", 1)[-1]).read_bytes(), content_type="image/png")
    elif url.startswith(f"{MEDIA}/"):
        seen.own.append(url)
        name = url.rsplit("/", 1)[-1]
        kind = "image/png" if name.endswith(".png") else "image/jpeg"
        route.fulfill(body=make_picture(name).data, content_type=kind)
    else:
        seen.others.append(url)
        route.abort()


def save(page: Page, path: Path) -> None:
    page.screenshot(path=str(path), full_page=True)
