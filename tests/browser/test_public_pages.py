"""Every page outside the desk, in English, Spanish and Arabic: axe finds nothing, and no width cuts anything off.

These are the pages of readers, the archive, and, in English and Spanish, the pages of staff who are not signed in yet. Each run
takes one look in each language, another for the next page. `make desk-looks` takes all of them.
"""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Response

from newsletter.demo.sample_week import LOGIN
from subscribers.unsubscribing.one_click import SQLITE_LOCK_WAIT_SECONDS
from tests.support.desk_browser import ANSWER_MS, IN_CHROMIUM, do_beside
from tests.support.desk_looks import HEIGHT, find_faults, list_looks, show
from tests.support.first_start import make_code
from tests.support.outbox import wait_for_link

LOCALES = {"en": "en-GB", "es": "es-ES", "ar": "ar"}
STAFF_LANGUAGES = ("en", "es")
FORM_SECONDS = 3
"""Nobody fills the sign-up form in faster; who does is asked again."""
WAIT_MS = ANSWER_MS + int(SQLITE_LOCK_WAIT_SECONDS * 1000)
"""The page that unsubscribes waits for the lock of the database before it answers."""

pytestmark = [*IN_CHROMIUM, pytest.mark.own_site]


class Visitor:
    """A browser of one language. It looks at each page that it opens and keeps what is wrong."""

    def __init__(self, page: Page, language: str) -> None:
        self.page, self.language = page, language
        self.faults: list[str] = []
        self._seen = 0

    def open(self, path: str, *, status: int = 200) -> None:
        """Open a page that answers with this status."""
        self._look(self.page.goto(path), status)

    def press(self, button: str = "main form button", *, status: int = 200) -> None:
        """Press the first button that fits the selector. It leads to a page that answers with this status."""
        with self.page.expect_navigation(timeout=WAIT_MS) as opened:
            self.page.locator(button).first.click()
        self._look(opened.value, status)

    def fill(self, **fields: str) -> None:
        for name, text in fields.items():
            self.page.locator(f"[name={name}]").fill(text)

    def _look(self, answer: Response | None, status: int) -> None:
        assert answer is not None
        assert answer.status == status, self.page.url
        looks = list_looks(self.language, number=self._seen)
        self._seen += 1
        show(self.page, looks[0])
        self.faults += find_faults(self.page, f"{self.page.title()} {urlsplit(self.page.url).path}", looks=looks)


@pytest.mark.parametrize("language", LOCALES)
def test_every_page_outside_the_desk_is_accessible_and_cuts_nothing(
    browser: Browser, site: str, own_demo_folder: Path, data: Path, language: str
) -> None:
    code = f"from tests.support.public_rows import print_addresses; print_addresses({language!r})"
    rows: dict[str, str] = json.loads(do_beside(site, own_demo_folder, code))
    with visit(browser, site, language) as visitor:
        read_archive(visitor, rows)
        join(visitor, data)
        choose(visitor, rows)
        use_mailed_links(visitor, rows)
        unsubscribe(visitor, rows, data)
        go_astray(visitor)
        if language in STAFF_LANGUAGES:
            sign_in(visitor, rows)
    assert visitor.faults == [], "\n".join(visitor.faults)


def test_a_keyboard_shows_where_it_is_in_the_archive_and_thumbs_hit(
    browser: Browser, site: str, own_demo_folder: Path
) -> None:
    code = "from newsletter.models import Publication; Publication.objects.update(archive=Publication.Archive.PUBLIC)"
    do_beside(site, own_demo_folder, code)
    context = browser.new_context(base_url=site, viewport={"width": 375, "height": HEIGHT})
    page = context.new_page()
    for path in ("/news/", "/news/weekly/", "/news/weekly/?q=zzz", "/news/weekly/1/"):
        page.goto(path)
        page.keyboard.press("Tab")
        for control in page.locator(":is(a, button, input):not([role=article] *)").all():
            control.focus()
            look = control.evaluate("one => [getComputedStyle(one).outlineStyle, one.offsetHeight >= 44]")
            assert look == ["solid", True], f"{path} {control.inner_text()}"
    context.close()


@contextmanager
def visit(browser: Browser, site: str, language: str) -> Iterator[Visitor]:
    """Yield a visitor of this language. ``bypass_csp``: the archive's policy lets no script run, so neither axe."""
    context = browser.new_context(base_url=site, locale=LOCALES[language], bypass_csp=True)
    context.set_default_timeout(WAIT_MS)
    yield Visitor(context.new_page(), language)
    context.close()


def read_archive(visitor: Visitor, rows: dict[str, str]) -> None:
    visitor.open("/news/")
    for name in ("archive", "archived issue", "archived story", "online view"):
        visitor.open(rows[name])


def join(visitor: Visitor, data: Path) -> None:
    email = f"{visitor.language}-newcomer@example.org"
    visitor.open("/join/weekly")
    visitor.fill(email="nonsense")
    visitor.press("form > button", status=400)
    visitor.fill(email=email.replace("example.org", "gmial.com"), city="York")
    time.sleep(FORM_SECONDS)
    visitor.press("form > button", status=400)
    visitor.fill(email=email)
    visitor.press("form > button", status=400)
    visitor.page.locator("[type=radio]").first.check()
    visitor.press("form > button")
    visitor.open(urlsplit(wait_for_link(data / "outbox", to=email, path="c")).path)
    visitor.press()


def choose(visitor: Visitor, rows: dict[str, str]) -> None:
    visitor.open(rows["preferences"])
    visitor.fill(town="Xyzzyville")
    visitor.press(status=400)
    visitor.fill(town="Leeds")
    visitor.page.locator("[name=pause]").select_option("30")
    visitor.press()
    visitor.press("[action$='/less'] button")
    visitor.open(rows["case"])
    visitor.press()
    visitor.open(rows["stay"])
    visitor.press()


def use_mailed_links(visitor: Visitor, rows: dict[str, str]) -> None:
    visitor.open(f"{rows['preferences']}/download")
    visitor.press()
    visitor.open("/my-mail")
    visitor.fill(email="nonsense")
    visitor.press(status=400)
    for name in ("download", "erase", "move", "arrive"):
        visitor.open(rows[name])


def unsubscribe(visitor: Visitor, rows: dict[str, str], data: Path) -> None:
    """Unsubscribe while the database does not answer, then again, undo it, and leave everything."""
    visitor.open(rows["unsubscribe"])
    with stop_writing(data):
        visitor.press(status=503)
    visitor.open(rows["unsubscribe"])
    visitor.press()
    visitor.press("[action$='/undo'] button")
    visitor.open(f"{rows['unsubscribe']}/all")
    visitor.press()
    visitor.open(rows["stay"])


@contextmanager
def stop_writing(data: Path) -> Iterator[None]:
    """Hold the lock of the database, so that nobody else writes."""
    with closing(
        sqlite3.connect(data / "newsletter.sqlite3", timeout=WAIT_MS / 1000, isolation_level=None)
    ) as database:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")


def go_astray(visitor: Visitor) -> None:
    visitor.open("/no-such-page", status=404)
    visitor.open("/join/no-such-list", status=404)
    visitor.open(f"/u/{'A' * 64}", status=404)
    visitor.open("/proof/preferences")


def sign_in(visitor: Visitor, rows: dict[str, str]) -> None:
    """Open what staff meet before they are in the desk: links by mail, password, code, lost code, recovery codes."""
    visitor.open("/accounts/password/")
    visitor.fill(email="nobody@example.org")
    visitor.press("main .button")
    visitor.open("/accounts/password/no-such-link/", status=410)
    visitor.open(rows["invitation"])
    visitor.open(rows["new password"])
    visitor.fill(password="short", again="other")
    visitor.press("main .button")
    visitor.open("/accounts/login/")
    visitor.fill(login=rows["email"], password="a wrong one")
    visitor.press("main form .button")
    visitor.fill(login=rows["email"], password=LOGIN.password)
    visitor.press("main form .button")
    visitor.fill(code="000000")
    visitor.press("main form .button")
    visitor.page.locator("details summary").click()
    visitor.press("details .button")
    visitor.open("/accounts/2fa/authenticate/")
    visitor.fill(code=make_code(rows["secret"]))
    with visitor.page.expect_navigation():
        visitor.page.locator("main form .button").first.click()
    visitor.open("/accounts/2fa/recovery-codes/")
    visitor.open("/accounts/2fa/recovery-codes/generate/")
    visitor.open("/accounts/logout/")
