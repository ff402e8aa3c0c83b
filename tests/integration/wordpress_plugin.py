"""The plugin of `integrations/wordpress` in a real WordPress, beside a served newsletter with a list and a key."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import requests

from tests.integration.organisation import Organisation
from tests.integration.wordpress import WordPress
from tests.support.ports import free_port
from tests.support.processes import Process, wait_for_start

FOLDER = Path(__file__).parents[2] / "integrations" / "wordpress" / "newsletter-signup"
PLUGIN = "newsletter-signup/newsletter-signup.php"
PASSWORD = "a long password for tests"
OPTION = "newsletter_signup"
BLOCK = '<!-- wp:newsletter/sign-up {"list":"weekly"} /-->'


@dataclass
class Newsletter:
    """A served newsletter. `key` has the scope `website`."""

    organisation: Organisation
    address: str
    key: str
    process: Process

    def people(self) -> list[tuple[Any, ...]]:
        """Return address, name and source of the people who signed up on a website, in their order."""
        return self.organisation.install.query(
            "SELECT email, name, source FROM subscribers_subscriber WHERE source LIKE 'API:%' ORDER BY id"
        )

    def held(self) -> int:
        """Return the number of sign-ups that wait for staff."""
        return int(self.organisation.install.query("SELECT COUNT(*) FROM subscribers_heldsignup")[0][0])

    def forget_limits(self) -> None:
        """An hour passes for the limits of sign-ups."""
        self.organisation.install.query("DELETE FROM subscribers_ratecounter")


@contextmanager
def serve_newsletter(organisation: Organisation) -> Iterator[Newsletter]:
    """Serve the organisation's newsletter with all its jobs, and make a key for its website."""
    printed = organisation.run("api-key", "add", "Web site", "--scope", "website", "--calls-per-minute", "1000")
    found = re.search(r"nl_[\w-]{43}", printed)
    assert found, printed
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    process = organisation.install.start("serve", "--port", str(port), NEWSLETTER_SITE_URL=address)
    wait_for_start(process, lambda: _answers(address), what="the newsletter")
    yield Newsletter(organisation=organisation, address=address, key=found[0], process=process)
    process.terminate()


def copy_plugin(site: WordPress) -> None:
    plugins = next(site.root.rglob("wp-content")) / "plugins"
    shutil.copytree(FOLDER, plugins / FOLDER.name, dirs_exist_ok=True)


def configure(site: WordPress, newsletter: Newsletter, **settings: Any) -> None:
    current = site.do("option", name=OPTION) or {}
    values = {
        "address": newsletter.address,
        "key": newsletter.key,
        "list": "weekly",
        "source": 0,
        "tell": False,
        "proxies": 0,
        **settings,
        "version": int(current.get("version", 0)) + 1,
    }
    site.do("set_option", name=OPTION, value=values)


class Visitor:
    """A visitor without script: reads a page, fills in its form and posts it as a browser does."""

    def __init__(self, page: str) -> None:
        self.page, self.html = page, ""
        self._session = requests.Session()

    def open(self) -> "Visitor":
        self.html = self._session.get(self.page, timeout=60).text
        return self

    def fields(self) -> dict[str, str]:
        """Return the names and values of the form's inputs, those that are hidden too."""
        inputs = re.findall(r"<input[^>]*>", self.form())
        found = {_attribute(one, "name"): _attribute(one, "value") for one in inputs if 'type="checkbox"' not in one}
        return {name: value for name, value in found.items() if name}

    def form(self) -> str:
        found = re.search(r"<form method=\"post\".*?</form>", self.html, re.DOTALL)
        return found[0] if found else ""

    def post(self, *, headers: dict[str, str] | None = None, nonce: str | None = None, **values: str) -> "Visitor":
        """Post the form with these values, named as the newsletter names them."""
        data = {**self.fields(), **{f"newsletter_signup[{name}]": value for name, value in values.items()}}
        if nonce is not None:
            data["newsletter_signup_nonce"] = nonce
        answer = self._session.post(self.page, data=data, headers=headers, timeout=60)
        assert answer.status_code == 200, answer.text[:500]
        self.html = answer.text
        return self

    def said(self) -> str:
        """Return the text of the form's part of the page."""
        found = re.search(r'<div class="newsletter-signup".*', self.html, re.DOTALL)
        return unescape(" ".join(re.sub(r"<[^>]+>", " ", found[0] if found else "").split()))

    @property
    def cookies(self) -> list[str]:
        return list(self._session.cookies.keys())


def sign_in(site: WordPress, name: str = "editor") -> requests.Session:
    """Return a session that is signed in to WordPress' own pages."""
    session = requests.Session()
    session.get(f"{site.url}/wp-login.php", timeout=60)
    values = {"log": name, "pwd": PASSWORD, "wp-submit": "Log In", "testcookie": "1"}
    answer = session.post(f"{site.url}/wp-login.php", data=values, timeout=60)
    assert "wordpress_logged_in" in " ".join(session.cookies.keys()), answer.text[:500]
    return session


def find_attribute(html: str, tag: str, name: str) -> str:
    """Return an attribute of the first tag that this pattern describes."""
    found = re.search(rf"<{tag}[^>]*>", html)
    return _attribute(found[0], name) if found else ""


def read_faults(site: WordPress) -> list[str]:
    """Return PHP's errors, warnings and notices that name the plugin."""
    logs = [site.root / "php.log", *site.root.rglob("debug.log")]
    lines = [line for log in logs if log.exists() for line in log.read_text(errors="replace").splitlines()]
    return [line for line in lines if "newsletter-signup" in line and "PHP " in line]


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', tag)
    return unescape(found[1]) if found else ""


def _answers(address: str) -> bool:
    try:
        return requests.get(f"{address}/join/weekly", timeout=5).status_code == 200
    except requests.RequestException:
        return False
