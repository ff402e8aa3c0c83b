"""An installation without anything: `newsletter serve` on an empty folder."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from playwright.sync_api import Page

from tests.support.desk_browser import COMMAND, environment_of, wait_for
from tests.support.ports import free_port


@dataclass(frozen=True)
class EmptyInstallation:
    """``link`` is the set-up link that `serve` printed, ``outbox`` the folder of the mails."""

    url: str
    link: str
    outbox: Path


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
