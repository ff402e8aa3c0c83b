"""Running demos for the browser tests, one Chromium a process, and a page that is signed in to the desk.

The demo is made once for the whole run and copied. Tests that leave the others' issues as they are share one site a
process; a file whose tests send has the mark `own_site`. The pictures of the staff guide need the sample
organisation's site beside it, so each site makes and runs its own demo then.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from newsletter.demo.sample_week import LOGIN
from tests.support.desk_browser import ANSWER_MS, CHROMIUM, COMMAND, environment_of, open_desk, wait_for
from tests.support.guide_pictures import GUIDE
from tests.support.migrated_database import make_once
from tests.support.ports import free_port
from tests.support.time_limits import START_SECONDS

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=ANSWER_MS)
PEOPLE = "900" if os.environ.get(GUIDE) else "60"


@pytest.fixture(scope="package")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the data folder of the shared demo: database, images, outbox."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="package")
def shared_site(demo_folder: Path, shared_folder: Path) -> Iterator[str]:
    """Return the address of the running demo that tests of this process share."""
    with run_demo(demo_folder, shared_folder) as address:
        yield address


@pytest.fixture(scope="module")
def own_demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the data folder of a demo for one file of tests."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def own_site(own_demo_folder: Path, shared_folder: Path) -> Iterator[str]:
    """Return the address of a running demo for one file of tests."""
    with run_demo(own_demo_folder, shared_folder) as address:
        yield address


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest) -> str:
    """Return the address of the shared demo, or of a demo for this file if it has the mark `own_site`."""
    address: str = request.getfixturevalue("own_site" if request.node.get_closest_marker("own_site") else "shared_site")
    return address


@pytest.fixture
def data(own_demo_folder: Path) -> Path:
    """Return the data folder of the program that serves this file's own demo."""
    return own_demo_folder / "data" / "demo"


@contextmanager
def run_demo(folder: Path, shared_folder: Path, **settings: str) -> Iterator[str]:
    """Yield the address of a running demo with its own folder and port, and these environment variables.

    Pictures for the guide show what ``newsletter demo`` starts. That command removes some settings from its environment, so
    with settings it only makes the demo. It makes it for this port: its mails show images of no other address.
    """
    port = free_port()
    if os.environ.get(GUIDE) and not settings:
        command = [COMMAND, "demo", "--subscribers", PEOPLE, "--port", str(port)]
        environment = environment_of(folder / "data")
    else:
        if os.environ.get(GUIDE):
            make_demo(folder / "data", port=port)
        else:
            shutil.copytree(find_made_demo(shared_folder), folder / "data" / "demo")
        command = [COMMAND, "serve", "--port", str(port)]
        environment = {
            **environment_of(folder / "data" / "demo"),
            "NEWSLETTER_SITE_URL": f"http://127.0.0.1:{port}",
            "NEWSLETTER_FETCH_ALLOW": "127.0.0.1",
            "NEWSLETTER_LINK_CHECKS": "false",
            **settings,
        }
    log = folder / "demo.log"
    with log.open("w") as out:
        demo = subprocess.Popen(command, env=environment, cwd=folder, stdout=out, stderr=subprocess.STDOUT)
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


def find_made_demo(shared_folder: Path) -> Path:
    """Return the demo data of this test run. The first process makes it."""
    folder = shared_folder / "made-demo"
    make_once(shared_folder, "demo", lambda: make_demo(folder, port=free_port()))
    return folder / "demo"


def make_demo(folder: Path, *, port: int) -> None:
    """Make the data of a demo in ``demo`` in this new folder. Its mails show images of the site at this port."""
    folder.mkdir()
    subprocess.run(
        [COMMAND, "demo", "--no-serve", "--subscribers", PEOPLE, "--port", str(port)],
        env=environment_of(folder),
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=START_SECONDS,
    )


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        started.on("context", lambda context: context.set_default_timeout(ANSWER_MS))
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    """Return a page that is signed in as the administrator."""
    with open_desk(browser, site, email=LOGIN.email, password=LOGIN.password) as opened:
        yield opened
