"""An installation without anything: `newsletter serve` on an empty folder, beside the organisation's own web site."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from PIL import Image
from playwright.sync_api import Page

from tests.support.desk_browser import COMMAND, environment_of, free_port, wait_for
from tests.support.web_site import Site, serve_site


@dataclass(frozen=True)
class EmptyInstallation:
    """``link`` is the set-up link that `serve` printed, ``outbox`` the folder of the mails."""

    url: str
    link: str
    outbox: Path


@contextmanager
def serve_own_site() -> Iterator[Site]:
    """Yield the organisation's own web site, with a logo, a style sheet and a feed."""
    with serve_site() as site:
        day = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(time.time() - 86_400))
        items = "".join(
            f"<item><title>Story {n} of the clinic</title><link>{site.url}/s/{n}/</link><guid>s{n}</guid>"
            f"<pubDate>{day}</pubDate><description>What happened on day {n}, in one sentence.</description></item>"
            for n in range(7)
        )
        feed = f'<rss version="2.0"><channel><title>News</title>{items}</channel></rss>'
        site.put("/feed.xml", feed, Content_Type="application/rss+xml")
        for n in range(7):
            site.put(f"/s/{n}/", f"<title>Story {n} of the clinic</title>", Content_Type="text/html")
        head = (
            '<link rel="stylesheet" href="/look.css"><link rel="alternate" type="application/rss+xml" href="/feed.xml">'
        )
        page = f'<title>Open Door</title>{head}<img class="logo" src="/logo.png" alt="Open Door">'
        site.put("/", page, Content_Type="text/html")
        site.put("/look.css", ":root{--brand:#ffe97a} body{font-family:Verdana}", Content_Type="text/css")
        picture = BytesIO()
        Image.new("RGB", (400, 120), "#224466").save(picture, "PNG")
        site.put("/logo.png", picture.getvalue(), Content_Type="image/png")
        yield site


@contextmanager
def serve_empty(folder: Path) -> Iterator[EmptyInstallation]:
    """Run `newsletter serve` in an empty folder."""
    port, log = free_port(), folder / "serve.log"
    environment = {
        **environment_of(folder / "data"),
        "NEWSLETTER_SITE_URL": f"http://127.0.0.1:{port}",
        "NEWSLETTER_FETCH_ALLOW": "127.0.0.1",
        "NEWSLETTER_LINK_CHECKS": "false",
    }
    with log.open("w") as out:
        server = subprocess.Popen(
            [COMMAND, "serve", "--port", str(port)], env=environment, cwd=folder, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/accounts/login/", server, log)
        link = re.search(r"http\S+/accounts/first/\S+", log.read_text())
        assert link is not None, log.read_text()
        yield EmptyInstallation(f"http://127.0.0.1:{port}", link[0], folder / "data" / "outbox")
    finally:
        server.terminate()
        server.wait(30)


def make_one_time_code(page: Page) -> str:
    """Return the code that an app shows for the secret on the page."""
    return make_code(page.locator(".nl-secret").first.inner_text())


def make_code(secret: str) -> str:
    """Return the code that an app shows for this secret."""
    *_, counter = yield_hotp_counters_from_time()
    return str(format_hotp_value(hotp_value(secret, counter - 1)))
