"""Chromium at the desk of a running demo: signed-in pages, and commands and code beside them."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.support.time_limits import ANSWER_SECONDS, START_SECONDS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# Whoever has no browser can still run the other tests. On CI, which installs one, a missing browser fails these.
IN_CHROMIUM = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and "CI" not in os.environ,
        reason="Debian's chromium is not installed: apt-get install chromium",
    ),
]
COMMAND = str(Path(sys.executable).parent / "newsletter")
ANSWER_MS = ANSWER_SECONDS * 1000
_OLD_PICTURE = re.compile(r"Loading the image 'http://127\.0\.0\.1:\d+/m/")


def environment_of(folder: Path) -> dict[str, str]:
    return {**plain_environment(), "NEWSLETTER_DATA_DIR": str(folder)}


@contextmanager
def open_desk(
    browser: Browser, site: str, *, email: str, password: str, refused: bool = False, **look: Any
) -> Iterator[Page]:
    """Yield a signed-in page. A script error or anything that the content policy blocks fails the test.

    ``refused``: the test makes requests fail, and scripts of Wagtail may report that; the page to sign in, which a frame
    gets after the session ended, refuses to be framed.
    """
    look = {"viewport": {"width": 1400, "height": 900}, **look}
    context = browser.new_context(base_url=site, timezone_id="Europe/London", locale="en-GB", **look)
    opened = context.new_page()
    errors: list[str] = []
    if not refused:
        opened.on("pageerror", lambda error: errors.append(str(error)))
    framed = "frame-ancestors" if refused else "\0"
    opened.on(
        "console", lambda said: errors.append(said.text) if is_blocked(said) and framed not in said.text else None
    )
    opened.goto("/admin/login/")
    opened.get_by_label("Email").fill(email)
    opened.get_by_label("Password").fill(password)
    opened.get_by_role("button", name="Sign in").click()
    expect(opened.locator("#nl-now")).to_be_visible()
    yield opened
    context.close()
    assert errors == [], errors


def is_blocked(said: ConsoleMessage) -> bool:
    """Return True if the console reports something that a policy blocked.

    Three kinds are expected: images of mails shown without images, images of the demo's first mails, whose address has
    changed, and the event handlers by which Wagtail's crop of a picture finds out what the browser can do.
    """
    expected = "img-src 'none'" in said.text or _OLD_PICTURE.match(said.text) or "Jcrop" in said.location["url"]
    return "Content Security Policy" in said.text and not expected


def plain_environment() -> dict[str, str]:
    """Return this process's environment without the product's settings."""
    ours = {key: value for key, value in os.environ.items() if not key.startswith(("NEWSLETTER_", "DATABASE_"))}
    return {**ours, "NEWSLETTER_ENV_FILE": os.devnull}


def run_beside(site: str, folder: Path, *arguments: str, typed: str = "") -> str:
    """Run a command of the product on the demo's data and return its output."""
    environment = {
        **environment_of(folder / "data" / "demo"),
        "NEWSLETTER_SITE_URL": site,
    }
    done = subprocess.run(
        [COMMAND, *arguments],
        env=environment,
        input=typed,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def do_beside(site: str, folder: Path, code: str) -> str:
    """Run Python code with the product's services on the demo's data and return its output."""
    environment = {
        **environment_of(folder / "data" / "demo"),
        "NEWSLETTER_SITE_URL": site,
        "DJANGO_SETTINGS_MODULE": "newsletter.project.settings",
    }
    begun = f"import django; django.setup()\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", begun],
        env=environment,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until the address answers. Fail with the demo's log if it ends or takes too long."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            pytest.fail(f"The program ended: {log.read_text()[-2000:]}")
        try:
            with urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.5)
    pytest.fail(f"The program did not answer within {START_SECONDS} s: {log.read_text()[-2000:]}")
