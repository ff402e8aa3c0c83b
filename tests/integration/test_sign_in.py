"""Staff sign in with a certified OpenID provider, `oidc-provider` from npm, through a running product."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.integration.servers import run_server
from tests.integration.tools import find_node_modules, skip_without
from tests.support.ports import free_port
from tests.support.web_server import RunningWebServer, serve

CLIENT = {"CLIENT_ID": "newsletter", "CLIENT_SECRET": "a secret: of the test/&"}
APPROVER = "approver@example.org"


@dataclass
class Stage:
    """A product, the provider that it trusts, and the environment of both."""

    issuer: str
    web: RunningWebServer
    env: dict[str, str]

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.web.port}{path}"

    def be(self, sub: str, *, amr: list[str] | None = None, cancel: bool = False, **claims: Any) -> None:
        """Say who is at the keyboard of the provider."""
        whole = {"sub": sub, "claims": {"email_verified": True, **claims}, "amr": amr, "cancel": cancel}
        requests.post(f"{self.issuer}/person", json=whole, timeout=10).raise_for_status()

    def sign_in(self, browser: requests.Session, path: str = "/accounts/oidc/") -> requests.Response:
        return browser.get(self.url(path), timeout=30)

    def log_out_there(self, browser: requests.Session) -> None:
        """Sign out on the provider's own page, as somebody does who never opens the desk."""
        page = browser.get(f"{self.issuer}/session/end", timeout=30)
        fields = dict(re.findall(r'name="(xsrf)" value="([^"]+)"', page.text))
        browser.post(f"{self.issuer}/session/end/confirm", {**fields, "logout": "yes"}, timeout=30).raise_for_status()

    def command(self, *words: str, **changed: str) -> str:
        command = [sys.executable, "-m", "newsletter.project.cli", *words]
        env = {**self.env, **changed}
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
        return done.stdout + done.stderr

    def opens(self, browser: requests.Session) -> bool:
        return browser.get(self.url("/admin/issues/"), timeout=30).url == self.url("/admin/issues/")


def run_stage(stack: ExitStack, folder: Path, migrated: Path, *, method: str, **settings: str) -> Stage:
    skip_without("oidc-provider")
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    given = {
        "NEWSLETTER_OIDC_ISSUER": issuer,
        "NEWSLETTER_OIDC_CLIENT_ID": CLIENT["CLIENT_ID"],
        "NEWSLETTER_OIDC_CLIENT_SECRET": CLIENT["CLIENT_SECRET"],
        "NEWSLETTER_OIDC_NAME": "Example ID",
        **settings,
    }
    web = stack.enter_context(serve(folder, migrated=migrated, **given))
    env = {
        **os.environ,
        **given,
        "DATABASE_URL": f"sqlite:///{folder / 'newsletter.sqlite3'}",
        "NEWSLETTER_DATA_DIR": str(folder),
        "NEWSLETTER_SITE_URL": f"http://127.0.0.1:{web.port}",
    }
    provider = {
        **CLIENT,
        "PORT": str(port),
        "AUTH_METHOD": method,
        "REDIRECT_URI": f"http://127.0.0.1:{web.port}/accounts/oidc/callback/",
        "LOGOUT_URI": f"http://127.0.0.1:{web.port}/accounts/oidc/logout/",
        "OIDC_PROVIDER": str(find_node_modules() / "oidc-provider" / "lib" / "index.js"),
    }
    script = str(Path(__file__).with_name("oidc_provider.mjs"))
    stack.enter_context(run_server(["node", script], port=port, log=folder / "provider.log", env=provider))
    return Stage(issuer, web, env)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Stage]:
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("stage")
        yield run_stage(stack, folder, migrated_sqlite, method="client_secret_basic")


def test_staff_sign_in_with_a_certified_provider(stage: Stage) -> None:
    stage.be("approver-1", amr=["pwd", "mfa"], email=APPROVER)
    browser = requests.Session()
    page = stage.sign_in(browser, "/accounts/oidc/?next=/admin/issues/")
    assert (page.status_code, page.url) == (200, stage.url("/admin/issues/"))
    assert stage.opens(browser)
    assert "Example ID answers." in " ".join(stage.command("doctor").split())


def test_signing_in_again_asks_at_the_provider_and_comes_back(stage: Stage) -> None:
    stage.be("approver-1", amr=["pwd", "mfa"], email=APPROVER)
    browser = requests.Session()
    stage.sign_in(browser)
    again = stage.sign_in(browser, "/accounts/oidc/again/?next=/admin/issues/")
    assert again.url == stage.url("/admin/issues/")
    assert any("/interaction/" in step.url for step in again.history)


def test_signing_out_at_the_provider_ends_the_session_at_the_desk(stage: Stage) -> None:
    stage.be("approver-1", amr=["pwd", "mfa"], email=APPROVER)
    browser, another = requests.Session(), requests.Session()
    for one in (browser, another):
        stage.sign_in(one)
        assert stage.opens(one)
    stage.log_out_there(browser)
    assert browser.cookies["sessionid"]
    assert not stage.opens(browser)
    assert not stage.opens(another)
    stage.sign_in(browser)
    assert stage.opens(browser)


def test_without_a_second_factor_there_the_desk_asks_for_its_own(stage: Stage) -> None:
    stage.be("approver-1", amr=["pwd"], email=APPROVER)
    browser = requests.Session()
    assert stage.sign_in(browser).url == stage.url("/accounts/2fa/totp/activate/")
    assert not stage.opens(browser)


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"email": APPROVER, "email_verified": False}, "email_unverified"),
        ({"email": "stranger@example.org"}, "not_invited"),
        ({}, "email_missing"),
    ],
)
def test_a_refused_person_reads_why(stage: Stage, claims: dict[str, Any], code: str) -> None:
    stage.be("somebody", amr=["mfa"], **claims)
    browser = requests.Session()
    assert _refused(stage.sign_in(browser)) == code
    assert not stage.opens(browser)


def test_a_cancelled_sign_in_is_explained_and_works_the_next_time(stage: Stage) -> None:
    browser = requests.Session()
    stage.be("approver-1", cancel=True, email=APPROVER)
    assert _refused(stage.sign_in(browser)) == "cancelled"
    stage.be("approver-1", amr=["mfa"], email=APPROVER)
    stage.sign_in(browser)
    assert stage.opens(browser)


def test_groups_of_the_provider_give_roles(tmp_path: Path, migrated_sqlite: Path) -> None:
    roles = {"NEWSLETTER_OIDC_ROLE_CLAIM": "groups", "NEWSLETTER_OIDC_ROLES": "it=admin, news=writer"}
    with ExitStack() as stack:
        stage = run_stage(stack, tmp_path, migrated_sqlite, method="client_secret_post", **roles)
        stage.be("chief", amr=["mfa"], email="chief@example.org", groups=["it"])
        assert stage.sign_in(requests.Session()).url.startswith(stage.url("/admin/"))
        stage.be("ann", amr=["pwd"], email="ann@example.org", groups=["news", "all"])
        browser = requests.Session()
        stage.sign_in(browser)
        assert stage.opens(browser)
        listed = stage.command("staff", "list")
        assert re.search(r"chief@example\.org\s.*admin", listed)
        assert re.search(r"ann@example\.org\s.*writer", listed)
        stage.be("ann", amr=["pwd"], email="ann@example.org", groups=["all"])
        assert _refused(stage.sign_in(requests.Session())) == "no_role"


def test_doctor_says_that_the_secret_is_wrong(stage: Stage) -> None:
    said = " ".join(stage.command("doctor", NEWSLETTER_OIDC_CLIENT_SECRET="another").split())
    assert "Example ID does not accept this desk" in said
    assert "NEWSLETTER_OIDC_CLIENT_SECRET" in said


def _refused(page: requests.Response) -> str:
    return page.text.partition('data-refused="')[2].partition('"')[0]
