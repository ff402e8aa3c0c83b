"""`newsletter doctor` tries the identity provider and says what is wrong."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User

from newsletter.identity_provider.settings import WELL_KNOWN
from newsletter.organisation.accounts.staff import add_staff
from newsletter.organisation.health.identity_provider import check_identity_provider, check_way_back
from newsletter.sending.deliverability.findings import Finding
from tests.support.desk import PASSWORD
from tests.support.identity_provider import Issuer, run_issuer

pytestmark = pytest.mark.django_db


@pytest.fixture
def issuer(settings: Any) -> Iterator[Issuer]:
    with run_issuer() as running:
        settings.NEWSLETTER_OIDC = running.settings()
        yield running


def find() -> Finding:
    [found] = check_identity_provider()
    return found


def test_without_a_provider_nothing_is_reported() -> None:
    assert [*check_identity_provider(), *check_way_back()] == []


def test_a_provider_in_order_is_named_with_the_redirect_address(issuer: Issuer) -> None:
    found = find()
    assert found.level == "ok"
    assert "http://127.0.0.1:8000/accounts/oidc/callback/" in found.says


def test_a_wrong_secret_is_an_error_that_names_the_setting(issuer: Issuer, settings: Any) -> None:
    settings.NEWSLETTER_OIDC = issuer.settings(client_secret="wrong")
    found = find()
    assert (found.level, "invalid_client" in found.says) == ("error", True)
    assert "NEWSLETTER_OIDC_CLIENT_SECRET" in found.do
    assert "wrong" not in found.says + found.do


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((404, b""), "has nothing at this address"),
        ((200, b"<html>"), "no JSON"),
        ((200, b'{"issuer": "https://other.example"}'), "the issuer there calls itself https://other.example"),
    ],
)
def test_a_wrong_issuer_is_an_error_that_says_why(issuer: Issuer, answer: tuple[int, bytes], says: str) -> None:
    issuer.answers[WELL_KNOWN] = answer
    found = find()
    assert (found.level, says in found.says) == ("error", True), found.says
    assert f"{issuer.url}{WELL_KNOWN}" in found.do


def test_a_provider_without_keys_is_an_error(issuer: Issuer) -> None:
    issuer.answers["/keys"] = (200, b"{}")
    assert "publishes no keys" in find().says


def test_passwords_for_administrators_need_one_with_a_password(issuer: Issuer, settings: Any) -> None:
    add_staff(email="chief@example.org", role="admin", password=PASSWORD)
    settings.NEWSLETTER_OIDC = issuer.settings(passwords="administrators")
    assert list(check_way_back()) == []
    person = User.objects.get()
    person.set_unusable_password()
    person.save()
    [found] = check_way_back()
    assert (found.level, found.do) == ("warning", "Run: newsletter staff add EMAIL --role admin")
    settings.NEWSLETTER_OIDC = issuer.settings()
    assert list(check_way_back()) == []
