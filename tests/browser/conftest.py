"""One running demo for each file of browser tests, and a page that is signed in to its desk.

One is made for the whole run and copied. The pictures of the staff guide need the sample organisation's site beside it,
so that each file makes and runs its own then.
"""

import fcntl
import os
import re
import shutil
import socket
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
from playwright.sync_api import Browser, Page, expect, sync_playwright

from newsletter.demo.sample_week import LOGIN
from tests.browser.guide import GUIDE

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
START_SECONDS = 600
ANSWER_MS = 20_000
expect.set_options(timeout=ANSWER_MS)
OLD_PICTURE = re.compile(r"Loading the image 'http://127\.0\.0\.1:\d+/m/")
COMMAND = str(Path(sys.executable).parent / "newsletter")
PEOPLE = "900" if os.environ.get(GUIDE) else "60"


@pytest.fixture(scope="module")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the data folder of this file's demo: database, images, outbox."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def site(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a running demo with its own folder and port."""
    port = free_port()
    if os.environ.get(GUIDE):
        command = [COMMAND, "demo", "--subscribers", PEOPLE, "--port", str(port)]
        environment = environment_of(demo_folder / "data")
    else:
        shutil.copytree(find_made_demo(tmp_path_factory), demo_folder / "data" / "demo")
        command = [COMMAND, "serve", "--port", str(port)]
        environment = {
            **environment_of(demo_folder / "data" / "demo"),
            "NEWSLETTER_SITE_URL": f"http://127.0.0.1:{port}",
            "NEWSLETTER_FETCH_ALLOW": "127.0.0.1",
            "NEWSLETTER_LINK_CHECKS": "false",
        }
    log = demo_folder / "demo.log"
    with log.open("w") as out:
        demo = subprocess.Popen(command, env=environment, cwd=demo_folder, stdout=out, stderr=subprocess.STDOUT)
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


def find_made_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the demo data of this test run. The first process makes it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "made-demo"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            subprocess.run(
                [COMMAND, "demo", "--no-serve", "--subscribers", PEOPLE, "--port", str(free_port())],
                env=environment_of(folder),
                cwd=folder,
                check=True,
                capture_output=True,
                timeout=START_SECONDS,
            )
            (folder / "made").touch()
    return folder / "demo"


def environment_of(folder: Path) -> dict[str, str]:
    return {**plain_environment(), "NEWSLETTER_DATA_DIR": str(folder)}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    """Return a page that is signed in as the administrator."""
    with open_desk(browser, site, email=LOGIN.email, password=LOGIN.password) as opened:
        yield opened


@contextmanager
def open_desk(browser: Browser, site: str, *, email: str, password: str, **look: Any) -> Iterator[Page]:
    """Yield a signed-in page. A script error or anything that the content policy blocks fails the test."""
    look = {"viewport": {"width": 1400, "height": 900}, **look}
    context = browser.new_context(base_url=site, timezone_id="Europe/London", locale="en-GB", **look)
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda said: errors.append(said.text) if is_blocked(said.text) else None)
    opened.goto("/admin/login/")
    opened.get_by_label("Email").fill(email)
    opened.get_by_label("Password").fill(password)
    opened.get_by_role("button", name="Sign in").click()
    expect(opened.get_by_role("heading", name="To do")).to_be_visible()
    yield opened
    context.close()
    assert errors == []


def is_blocked(said: str) -> bool:
    """Return True if the console reports something that a policy blocked.

    Two kinds are expected: images of mails shown without images, and images of the demo's first mails, whose address
    has changed.
    """
    expected = "img-src 'none'" in said or OLD_PICTURE.match(said) is not None
    return "Content Security Policy" in said and not expected


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
        [COMMAND, *arguments], env=environment, input=typed, capture_output=True, text=True, timeout=60, check=False
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
        [sys.executable, "-c", begun], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until the address answers. Fail with the demo's log if it ends or takes too long."""
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
