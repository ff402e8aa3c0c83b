"""The settings of the identity provider: what is read, and what is refused at the start."""

from pathlib import Path

import pytest
from environs import EnvError

from newsletter.identity_provider.settings import SECOND_FACTORS, IdentityProvider
from newsletter.project import env
from newsletter.project.oidc_settings import read_oidc

LEAST = {"ISSUER": "https://accounts.google.com", "CLIENT_ID": "id-1"}


def read(monkeypatch: pytest.MonkeyPatch, **given: str) -> IdentityProvider:
    for name, value in {**LEAST, **given}.items():
        monkeypatch.setenv(f"NEWSLETTER_OIDC_{name}", value)
    return read_oidc()


def test_without_an_issuer_the_provider_is_off() -> None:
    assert read_oidc() == IdentityProvider()


def test_two_settings_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = read(monkeypatch)
    assert (provider.issuer, provider.client_id, provider.name) == ("https://accounts.google.com", "id-1", "Google")
    assert provider.scopes == ("openid", "email", "profile")
    assert provider.second_factors == SECOND_FACTORS
    assert provider.passwords == "everyone"
    assert provider.allows("anybody@anywhere.example")


def test_all_settings_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = read(
        monkeypatch,
        ISSUER="https://login.example.org/realms/staff/.well-known/openid-configuration",
        CLIENT_SECRET="s3cret",
        NAME="Our log-in",
        SCOPES="email, groups",
        DOMAINS="Example.org, @other.example",
        PEOPLE="Ann@Partner.org",
        TRUSTED_DOMAINS="example.org",
        ROLE_CLAIM="realm_access.roles",
        ROLES="cn=mail,ou=staff=editor, chiefs=admin".replace("mail,ou", "mail;ou"),
        SECOND_FACTORS="mfa",
        PASSWORDS="administrators",
    )
    assert provider.issuer == "https://login.example.org/realms/staff"
    assert (provider.client_secret, provider.name, provider.scopes) == (
        "s3cret",
        "Our log-in",
        ("openid", "email", "groups"),
    )
    assert (provider.domains, provider.people) == (("example.org", "other.example"), ("ann@partner.org",))
    assert provider.roles == (("cn=mail;ou=staff", "editor"), ("chiefs", "admin"))
    assert (provider.trusted_domains, provider.role_claim) == (("example.org",), "realm_access.roles")
    assert (provider.second_factors, provider.passwords) == (("mfa",), "administrators")
    assert provider.allows("x@example.org")
    assert provider.allows("ann@partner.org")
    assert not provider.allows("bea@partner.org")
    assert not provider.allows("x@mail.example.org")


def test_no_second_factor_of_the_provider_counts_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, SECOND_FACTORS="none").second_factors == ()


def test_a_role_for_newcomers_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, NEW_ROLE="writer", DOMAINS="example.org").new_role == "writer"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"ISSUER": "http://login.example.org"}, "NEWSLETTER_OIDC_ISSUER is “http://login.example.org”"),
        ({"ISSUER": "accounts.google.com"}, "Write the address of the issuer"),
        ({"ISSUER": "https://user:word@login.example.org"}, "Write the address of the issuer"),
        ({"ISSUER": "https://login.example.org/?tenant=1"}, "Write the address of the issuer"),
        ({"ISSUER": "https://[::1"}, "Write the address of the issuer"),
        ({"ISSUER": "https://example.org/" + "x" * 200}, "longer than 200 characters"),
        ({"ISSUER": ""}, "NEWSLETTER_OIDC_CLIENT_ID has no effect without NEWSLETTER_OIDC_ISSUER"),
        ({"CLIENT_ID": ""}, "NEWSLETTER_OIDC_CLIENT_ID is not set. Google names it"),
        ({"DOMAINS": "ann@example.org"}, "“ann@example.org” is an address"),
        ({"DOMAINS": "no domain"}, "neither an address nor a domain"),
        ({"PEOPLE": "example.org"}, "Domains belong in NEWSLETTER_OIDC_DOMAINS"),
        ({"NEW_ROLE": "writer"}, "would give an account to everybody"),
        ({"NEW_ROLE": "admin", "DOMAINS": "example.org"}, "Write one of: writer, editor, approver, data"),
        ({"ROLE_CLAIM": "groups"}, "need each other"),
        ({"ROLES": "staff=writer"}, "need each other"),
        ({"ROLE_CLAIM": "groups", "ROLES": "staff=chief"}, "The roles are writer, editor"),
        ({"ROLE_CLAIM": "groups", "ROLES": "staff"}, "Write VALUE=ROLE"),
        (
            {"ROLE_CLAIM": "groups", "ROLES": "a=writer", "NEW_ROLE": "writer", "DOMAINS": "example.org"},
            "no effect beside NEWSLETTER_OIDC_ROLE_CLAIM",
        ),
        ({"PASSWORDS": "nobody"}, "Write everyone or administrators"),
    ],
)
def test_settings_that_cannot_work_stop_the_start(
    given: dict[str, str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EnvError) as refused:
        read(monkeypatch, **given)
    assert says in str(refused.value)


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:9000", "http://localhost:9000", "http://[::1]:9000"])
def test_an_issuer_on_this_machine_needs_no_https(issuer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, ISSUER=issuer).issuer == issuer


def test_the_secret_is_described_without_its_value(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path))
    read(monkeypatch, CLIENT_SECRET="s3cret", ROLE_CLAIM="groups", ROLES="staff=writer, chiefs=admin")
    shown = {one.name: one.value for one in env.read().describe()}
    assert shown["NEWSLETTER_OIDC_CLIENT_SECRET"] == "(hidden)"
    assert shown["NEWSLETTER_OIDC_ROLES"] == "staff=writer, chiefs=admin"
    assert "s3cret" not in str(shown)


def test_no_second_factor_is_shown_as_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    read(monkeypatch, SECOND_FACTORS="none")
    shown = {one.name: one.value for one in env.read().describe()}
    assert shown["NEWSLETTER_OIDC_SECOND_FACTORS"] == "none"
