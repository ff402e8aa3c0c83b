"""The identity provider ends a person's sessions (back-channel logout), and nobody else can."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from newsletter.desk.sign_in import provider_logout
from newsletter.identity_provider.logout_tokens import EVENT
from newsletter.models import AuditEntry
from newsletter.organisation.accounts.staff import add_staff
from tests.support.desk import PASSWORD
from tests.support.identity_provider import CLIENT_ID, CLIENT_SECRET, Issuer, run_issuer, sign_in_with

pytestmark = pytest.mark.django_db
PATH = "/accounts/oidc/logout/"


@pytest.fixture
def issuer(settings: Any) -> Iterator[Issuer]:
    for name in ("ann", "bea"):
        add_staff(email=f"{name}@example.org", role="writer", password=PASSWORD)
    with run_issuer() as running:
        settings.NEWSLETTER_OIDC = running.settings()
        yield running


def make_token(issuer: Issuer, *, typ: str | None = "logout+jwt", key: Any = None, **changed: Any) -> str:
    """Return a logout token of Ann. ``None`` removes a claim."""
    now = int(time.time())
    claims = {
        "iss": issuer.url,
        "aud": CLIENT_ID,
        "iat": now,
        "exp": now + 120,
        "jti": f"logout-{len(issuer.requests)}",
        "sub": "ann-1",
        "events": {EVENT: {}},
        **changed,
    }
    given = {name: value for name, value in claims.items() if value is not None}
    algorithm = {"none": "none", "HS256": "HS256"}.get(issuer.algorithm, "RS256")
    key = {"none": None, "HS256": CLIENT_SECRET * 4}.get(algorithm, key or issuer.key)
    return jwt.encode(given, key, algorithm=algorithm, headers={"kid": "one", "typ": typ})


def send(token: str) -> Any:
    return Client().post(PATH, {"logout_token": token})


def opens(client: Client) -> bool:
    return client.get("/admin/issues/").status_code == 200


def sign_in(issuer: Issuer, **person: str) -> Client:
    issuer.person.update(person)
    client = Client()
    sign_in_with(issuer, client)
    assert opens(client)
    return client


@pytest.mark.requirement("G4")
def test_a_logout_at_the_provider_ends_all_sessions_of_the_person(issuer: Issuer) -> None:
    first, second = sign_in(issuer), sign_in(issuer)
    by_password = Client()
    by_password.post("/accounts/login/", {"login": "ann@example.org", "password": PASSWORD})
    assert opens(by_password)
    other = sign_in(issuer, sub="bea-1", email="bea@example.org")
    answer = send(make_token(issuer))
    assert (answer.status_code, answer.content, "no-store" in answer["Cache-Control"]) == (200, b"", True)
    assert [opens(one) for one in (first, second, by_password, other)] == [False, False, False, True]
    entry = AuditEntry.objects.get(action="newsletter.logged_out")
    assert (entry.object_id, entry.data["sessions"]) == (str(User.objects.get(username="ann@example.org").pk), 3)
    assert opens(sign_in(issuer, sub="ann-1", email="ann@example.org"))


def test_a_session_whose_key_changed_ends_too(issuer: Issuer) -> None:
    client = sign_in(issuer)
    session = client.session
    session.cycle_key()
    client.cookies["sessionid"] = session.session_key
    assert opens(client)
    assert send(make_token(issuer)).status_code == 200
    assert not opens(client)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"iss": "https://evil.example"}, "token"),
        ({"iss": None}, "token"),
        ({"aud": "another"}, "audience"),
        ({"aud": None}, "token"),
        ({"iat": None}, "token"),
        ({"iat": 1, "exp": 4_000_000_000}, "expired"),
        ({"iat": "now"}, "token"),
        ({"exp": None}, "token"),
        ({"exp": 1}, "expired"),
        ({"jti": None}, "token"),
        ({"jti": 7}, "token"),
        ({"jti": ""}, "token"),
        ({"events": None}, "token"),
        ({"events": {}}, "events"),
        ({"events": [EVENT]}, "events"),
        ({"events": {EVENT: True}}, "events"),
        ({"nonce": "n"}, "nonce"),
        ({"sub": None, "sid": "s-1"}, "subject"),
        ({"sub": 7}, "token"),
        ({"sub": "ann-1\n"}, "subject"),
        ({"typ": "at+jwt"}, "token"),
    ],
)
def test_a_token_that_proves_nothing_ends_nothing(issuer: Issuer, changed: dict[str, Any], code: str) -> None:
    client = sign_in(issuer)
    answer = send(make_token(issuer, **changed))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "No session was ended" in answer.json()["error_description"]
    assert "no-store" in answer["Cache-Control"]
    assert AuditEntry.objects.get(action="newsletter.logout_refused").data["reason"] == code
    assert opens(client)


@pytest.mark.parametrize("algorithm", ["none", "HS256", "forged"])
def test_a_token_that_the_provider_did_not_sign_ends_nothing(issuer: Issuer, algorithm: str) -> None:
    client = sign_in(issuer)
    issuer.algorithm = algorithm
    if algorithm == "forged":
        issuer.forge()
    assert send(make_token(issuer)).status_code == 400
    assert opens(client)


def test_an_identity_token_is_not_a_logout_token(issuer: Issuer) -> None:
    client = sign_in(issuer)
    identity = make_token(issuer, typ="JWT", events=None, nonce="n", jti="id-1")
    assert send(identity).status_code == 400
    assert opens(client)


@pytest.mark.parametrize("later", [0, 200, 359])
def test_a_logout_token_works_once(issuer: Issuer, later: int) -> None:
    token = make_token(issuer, exp=int(time.time()) + 3_000)
    sign_in(issuer)
    assert send(token).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(seconds=later), tick=False):
        assert send(token).status_code == 400
    assert AuditEntry.objects.get(action="newsletter.logout_refused").data["reason"] in ("replayed", "expired")


def test_a_replay_is_known_in_the_window_after_the_first_use(issuer: Issuer) -> None:
    length = int(provider_logout._REMEMBERED.total_seconds())
    before_the_next = timezone.now().timestamp() // length * length + length - 1
    with time_machine.travel(before_the_next, tick=False):
        token = make_token(issuer)
        assert send(token).status_code == 200
    with time_machine.travel(before_the_next + 2, tick=False):
        assert send(token).status_code == 400
    assert AuditEntry.objects.get(action="newsletter.logout_refused").data["reason"] == "replayed"


def test_somebody_unknown_is_logged_out_already(issuer: Issuer) -> None:
    client = sign_in(issuer)
    assert send(make_token(issuer, sub="nobody-here")).status_code == 200
    assert not AuditEntry.objects.filter(action="newsletter.logged_out").exists()
    assert opens(client)


def test_without_the_providers_keys_no_session_ends(issuer: Issuer) -> None:
    client, token = sign_in(issuer), make_token(issuer)
    issuer.answers["/keys"] = (500, b"")
    assert "Send it again later" in send(token).json()["error_description"]
    assert opens(client)
    issuer.answers.clear()
    assert send(token).status_code == 200
    assert not opens(client)


def test_a_body_without_a_token_and_a_get_are_refused(issuer: Issuer) -> None:
    assert Client().post(PATH, "{}", content_type="application/json").status_code == 400
    assert Client().get(PATH).status_code == 405
    assert Client(enforce_csrf_checks=True).post(PATH, {"logout_token": make_token(issuer)}).status_code == 200


def test_a_flood_of_bad_tokens_stops_asking_the_provider(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_logout, "MAX_REFUSED_PER_NETWORK", 2)
    with time_machine.travel(timezone.now(), tick=False):
        assert [send("x").status_code for _ in range(4)] == [400, 400, 429, 429]
    assert sum(path == "/keys" for path, *_ in issuer.requests) == 2


def test_without_an_identity_provider_there_is_no_such_address() -> None:
    assert Client().post(PATH, {"logout_token": "x"}).status_code == 404
