"""`newsletter setup` in an empty folder, then `newsletter serve`: the administrator signs in by the link."""

import re
import subprocess
import time
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import pytest

from tests.support.fake_provider import FakeProvider
from tests.support.own_site import serve_own_site
from tests.support.ports import free_port
from tests.support.time_limits import START_SECONDS
from tests.support.unconfigured import (
    COMMAND,
    make_unconfigured_environment,
    start_unconfigured,
)

pytestmark = pytest.mark.long
PASSWORD = "a-calm-harbour-morning"
_LINK = re.compile(r"^http\S+/accounts/password/\S+$", re.MULTILINE)


def run_setup(folder: Path, *typed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "setup"],
        cwd=folder,
        env=make_unconfigured_environment(NEWSLETTER_FETCH_ALLOW="127.0.0.1", NEWSLETTER_LINK_CHECKS="false"),
        input="".join(f"{line}\n" for line in typed),
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


def test_an_empty_folder_becomes_a_proof_and_a_desk_to_sign_in(tmp_path: Path, fake_provider: FakeProvider) -> None:
    folder, port = tmp_path / "home", free_port()
    folder.mkdir()
    provider = fake_provider.provider_url
    with serve_own_site() as site:
        stopped = run_setup(
            folder, f"http://127.0.0.1:{port}", provider, "ann@example.org", site.url, "y", "news@news.example.org"
        )
        assert (stopped.returncode, stopped.stderr.count("\n")) == (1, 1)
        assert "Go on with: newsletter setup" in stopped.stderr
        done = run_setup(folder, "Open Door", "1 Example Street, Leeds", "Europe/London", "")
    assert (done.returncode, done.stderr) == (0, "")
    assert [mail.subject[:7] for mail in fake_provider.mailbox("ann@example.org")] == ["[Proof]"]
    assert f"Start it: newsletter serve --port {port}" in done.stdout
    (link,) = _LINK.findall(done.stdout)
    with start_unconfigured(["serve", "--port", str(port)], folder=folder, says=link):
        page = sign_in(link)
    assert "second factor" in page


def sign_in(link: str) -> str:
    """Choose the password on the page of the link, and return the page that follows."""
    browser = build_opener(HTTPCookieProcessor(CookieJar()))
    page = _read(browser, link)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None, page
    fields = dict.fromkeys(re.findall(r'<input type="password" name="([^"]+)"', page), PASSWORD)
    return _read(browser, link, {"csrfmiddlewaretoken": token[1], **fields})


def _read(browser: OpenerDirector, link: str, data: dict[str, str] | None = None) -> str:
    end = time.monotonic() + 60
    while True:
        try:
            with browser.open(link, urlencode(data).encode() if data else None, timeout=30) as answer:
                return str(answer.read().decode())
        except ConnectionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
