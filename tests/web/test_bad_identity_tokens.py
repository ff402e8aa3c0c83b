"""Each wrong or forged answer of the identity provider is refused: nobody is signed in and nothing is lost."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation

from newsletter.desk.sign_in import pages
from newsletter.identity_provider import issuer_http
from newsletter.identity_provider.settings import WELL_KNOWN
from newsletter.models import AuditEntry
from newsletter.organisation.accounts.staff import add_staff
from tests.support.desk import PASSWORD
from tests.support.identity_provider import Issuer, run_issuer, sign_in_with

pytestmark = pytest.mark.django_db
Spoil = Callable[[Issuer], object]


@pytest.fixture
def issuer(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    add_staff(email="ann@example.org", role="writer", password=PASSWORD)
    monkeypatch.setattr(issuer_http, "LIMITS", replace(issuer_http.LIMITS, max_bytes=20_000))
    with run_issuer() as running:
        settings.NEWSLETTER_OIDC = running.settings()
        yield running


def claims(**changed: object) -> Spoil:
    return lambda issuer: issuer.token.update(changed)


def answer(path: str, status: int = 200, body: bytes = b"{}") -> Spoil:
    return lambda issuer: issuer.answers.update({path: (status, body)})


def discovery(**changed: object) -> Spoil:
    return lambda issuer: issuer.discovery.update(changed)


def change(**fields: object) -> Spoil:
    return lambda issuer: [setattr(issuer, name, value) for name, value in fields.items()]


def both(*several: Spoil) -> Spoil:
    return lambda issuer: [one(issuer) for one in several]


def ask_user_info(**said: object) -> Spoil:
    return change(only_user_info=True, user_info=said)


CASES: dict[str, tuple[Spoil, str, int]] = {
    "wrong audience": (claims(aud="another program"), "audience", 403),
    "audience of two without us as the party": (claims(aud=["newsletter-desk", "other"], azp="other"), "audience", 403),
    "no audience": (claims(aud=None), "token", 403),
    "wrong nonce": (claims(nonce="of another sign-in"), "nonce", 403),
    "no nonce": (claims(nonce=None), "nonce", 403),
    "wrong issuer": (claims(iss="https://evil.example"), "token", 403),
    "expired": (claims(exp=time.time() - 3600), "expired", 403),
    "no expiry": (claims(exp=None), "token", 403),
    "issued in the future": (claims(iat=time.time() + 3600), "token", 403),
    "signed with another key": (Issuer.forge, "token", 403),
    "not signed": (change(algorithm="none"), "token", 403),
    "signed with the secret": (change(algorithm="HS256"), "token", 403),
    "no token": (answer("/token"), "issuer_answer", 502),
    "a token that is none": (answer("/token", body=b'{"id_token": "a.b.c"}'), "token", 403),
    "a token that is a list": (answer("/token", body=b'{"id_token": ["a"]}'), "issuer_answer", 502),
    "no subject": (claims(sub=None), "token", 403),
    "an endless subject": (claims(sub="x" * 400), "issuer_answer", 502),
    "a subject with a NUL byte": (claims(sub="ann\0"), "issuer_answer", 502),
    "a subject with half a character": (claims(sub="ann\ud800"), "issuer_answer", 502),
    "an email with a NUL byte": (claims(email="bea\0@example.org"), "not_invited", 403),
    "an email with half a character": (claims(email="b\ud800@example.org"), "not_invited", 403),
    "an endless email": (claims(email="b" * 5000 + "@example.org"), "email_unusable", 403),
    "an error with a NUL byte": (answer("/token", 400, b'{"error": "a\\u0000\\ud800"}'), "client_refused", 400),
    "no email": (both(claims(email=None), ask_user_info(sub="ann-1")), "email_missing", 403),
    "an email that is none": (claims(email="ann at example"), "email_unusable", 403),
    "an unverified email": (claims(email_verified=False), "email_unverified", 403),
    "user info of another person": (ask_user_info(sub="bea", email="ann@example.org"), "subject", 403),
    "user info that is no object": (both(change(only_user_info=True), answer("/me", body=b"[]")), "issuer_answer", 502),
    "user info that fails": (both(change(only_user_info=True), answer("/me", 500)), "issuer_down", 502),
    "no keys": (answer("/keys"), "token", 403),
    "keys that are nonsense": (answer("/keys", body=b'{"keys": [1, {"kty": "x"}]}'), "token", 403),
    "keys that are no JSON": (answer("/keys", body=b"<html>"), "issuer_answer", 502),
    "the secret is refused": (answer("/token", 401, b'{"error": "invalid_client"}'), "client_refused", 400),
    "the code is refused": (answer("/token", 400, b'{"error": "invalid_grant"}'), "code_used", 400),
    "the token address fails": (answer("/token", 503, b"busy"), "issuer_down", 502),
    "the token address is slow": (lambda issuer: issuer.slow.add("/token"), "issuer_down", 502),
    "the token address says too much": (answer("/token", body=b" " * 30_000), "issuer_down", 502),
    "discovery fails": (answer(WELL_KNOWN, 500), "issuer_down", 502),
    "discovery is missing": (answer(WELL_KNOWN, 404), "issuer_down", 502),
    "discovery is slow": (lambda issuer: issuer.slow.add(WELL_KNOWN), "issuer_down", 502),
    "discovery is no JSON": (answer(WELL_KNOWN, body=b"<html>"), "issuer_answer", 502),
    "discovery is a list": (answer(WELL_KNOWN, body=b"[]"), "issuer_answer", 502),
    "discovery is nested without end": (answer(WELL_KNOWN, body=b"[" * 19_000), "issuer_answer", 502),
    "discovery names another issuer": (discovery(issuer="https://evil.example"), "issuer_answer", 502),
    "discovery has no token address": (discovery(token_endpoint=None), "issuer_answer", 502),
    "discovery has an address that is none": (discovery(jwks_uri="file:///etc/passwd"), "issuer_answer", 502),
}


@pytest.mark.parametrize("case", CASES)
def test_each_fault_has_one_answer_and_signs_nobody_in(
    issuer: Issuer, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil, code, status = CASES[case]
    spoil(issuer)
    before = list(User.objects.values())
    client = Client()
    with monkeypatch.context() as patched:
        if case.endswith("slow"):
            patched.setattr(issuer_http, "LIMITS", replace(issuer_http.LIMITS, first_byte=0.5, total=1.0))
        page = sign_in_with(issuer, client)
    text = page.content.decode()
    assert (page.status_code, text.partition('data-refused="')[2].partition('"')[0]) == (status, code)
    assert "You are not signed in" in text
    assert "Sign in with Example ID" in text
    assert client.get("/admin/").status_code == 302
    entry = AuditEntry.objects.get(action="newsletter.sign_in_refused")
    assert (entry.data["reason"], entry.data["with"]) == (code, "Example ID")
    assert list(User.objects.values()) == before
    assert not SocialAccount.objects.exists()
    assert sign_in_with(_well(issuer), client).headers["Location"] == "/admin/"


def _well(issuer: Issuer) -> Issuer:
    """The same issuer, in order again."""
    fresh = Issuer()
    for name in ("token", "user_info", "only_user_info", "discovery", "answers", "slow", "algorithm", "key"):
        setattr(issuer, name, getattr(fresh, name))
    return issuer


def test_an_issuer_that_is_down_is_named_and_passwords_still_work(settings: Any) -> None:
    add_staff(email="ann@example.org", role="writer", password=PASSWORD)
    with run_issuer() as gone:
        settings.NEWSLETTER_OIDC = gone.settings()
    client = Client()
    page = client.get("/accounts/oidc/")
    assert page.status_code == 502
    assert "Example ID did not answer, so you are not signed in." in page.content.decode()
    done = client.post("/accounts/login/", {"login": "ann@example.org", "password": PASSWORD})
    assert done.headers["Location"] == "/admin/"


@pytest.mark.parametrize(
    ("back", "code"),
    [
        ({"state": "unknown", "code": "x"}, "state"),
        ({"code": "x"}, "state"),
        ({}, "state"),
        ({"iss": "https://evil.example"}, "issuer"),
    ],
)
def test_an_answer_that_nobody_asked_for_is_refused(issuer: Issuer, back: dict[str, str], code: str) -> None:
    page = Client().get("/accounts/oidc/callback/", back)
    assert page.status_code == 400
    assert f'data-refused="{code}"' in page.content.decode()


def test_an_answer_works_once_and_in_its_own_browser(issuer: Issuer) -> None:
    first, other = Client(), Client()
    back = issuer.authorize(first.get("/accounts/oidc/").headers["Location"])
    assert 'data-refused="state"' in other.get("/accounts/oidc/callback/", back).content.decode()
    assert first.get("/accounts/oidc/callback/", back).status_code == 302
    assert 'data-refused="state"' in first.get("/accounts/oidc/callback/", back).content.decode()


def test_a_code_of_another_browser_is_refused_by_pkce(issuer: Issuer) -> None:
    victim, thief = Client(), Client()
    stolen = issuer.authorize(victim.get("/accounts/oidc/").headers["Location"])["code"]
    own = issuer.authorize(thief.get("/accounts/oidc/").headers["Location"])
    page = thief.get("/accounts/oidc/callback/", {**own, "code": stolen})
    assert 'data-refused="code_used"' in page.content.decode()


@pytest.mark.parametrize(
    ("error", "code", "detail"),
    [("access_denied", "cancelled", None), ("server_error", "ended", "server_error"), ("<b>", "ended", "no code")],
)
def test_an_error_of_the_provider_is_shown_and_logged(issuer: Issuer, error: str, code: str, detail: object) -> None:
    client = Client()
    state = issuer.authorize(client.get("/accounts/oidc/").headers["Location"])["state"]
    page = client.get("/accounts/oidc/callback/", {"state": state, "error": error}).content.decode()
    assert f'data-refused="{code}"' in page
    assert "<b>" not in page
    assert AuditEntry.objects.get(action="newsletter.sign_in_refused").data.get("detail") == detail


def test_a_refusal_leaves_whoever_is_signed_in_signed_in(issuer: Issuer) -> None:
    client = Client()
    sign_in_with(issuer, client)
    issuer.token["nonce"] = "of another sign-in"
    assert sign_in_with(issuer, client).status_code == 403
    assert client.get("/admin/issues/").status_code == 200


def test_the_secret_and_the_tokens_are_in_no_page_and_no_log(issuer: Issuer, caplog: pytest.LogCaptureFixture) -> None:
    issuer.answers["/token"] = (400, json.dumps({"error": "no", "access_token": "opaque-token"}).encode())
    page = sign_in_with(issuer, Client()).content.decode()
    told = page + caplog.text + str(AuditEntry.objects.latest("pk").data)
    assert "a secret" not in told
    assert "opaque-token" not in told
    assert "a secret" not in repr(issuer.settings())


@pytest.mark.usefixtures("still_clock")
def test_a_network_that_tries_without_end_is_stopped(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MAX_STEPS_PER_NETWORK", 3)
    codes = [Client().get("/accounts/oidc/callback/", {"state": "x"}).status_code for _ in range(5)]
    assert codes == [400, 400, 400, 429, 429]
    assert AuditEntry.objects.filter(action="newsletter.sign_in_refused").count() == 3
    assert Client().get("/accounts/oidc/").status_code == 429


def test_discovery_is_asked_once_in_five_minutes(issuer: Issuer) -> None:
    for _ in range(3):
        Client().get("/accounts/oidc/")
    assert [path for path, _, _ in issuer.requests].count(WELL_KNOWN) == 1


def test_a_refusal_is_shown_in_the_language_of_the_browser(issuer: Issuer) -> None:
    issuer.token["email_verified"] = False
    client = Client(headers={"Accept-Language": "es"})
    with translation.override("es"):
        page = sign_in_with(issuer, client).content.decode()
    assert "No has iniciado sesión" in page
    assert "Example ID no ha comprobado" in page


def test_names_of_the_provider_are_kept_as_one_clean_line(issuer: Issuer) -> None:
    issuer.person |= {"given_name": "Ann\0\n " + "x" * 300, "family_name": "L\ud800ee"}
    sign_in_with(issuer, Client())
    person = User.objects.get()
    assert (person.first_name[:6], len(person.first_name), person.last_name) == ("Ann xx", 150, "Lee")
