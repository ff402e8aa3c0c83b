"""The claims of identity tokens are read as Google, Microsoft, Keycloak and others send them."""

from dataclasses import replace

import pytest

from newsletter.desk.sign_in.flow import GOOGLE, ask_again
from newsletter.identity_provider.identity import merge, needs_more, read_identity
from newsletter.identity_provider.settings import IdentityProvider

OTHER = IdentityProvider(issuer="https://login.example.org", client_id="x", name="Example ID")
MICROSOFT = replace(OTHER, issuer="https://login.microsoftonline.com/2f5c/v2.0")
ANN = {"sub": "1", "email": "ann@example.org"}


@pytest.mark.parametrize(
    ("provider", "said", "verified"),
    [
        (MICROSOFT, {"xms_edov": True}, True),
        (MICROSOFT, {"xms_edov": 1}, True),
        (MICROSOFT, {"xms_edov": "1"}, True),
        (MICROSOFT, {"xms_edov": False}, False),
        (MICROSOFT, {"xms_edov": "0"}, False),
        (MICROSOFT, {}, False),
        (MICROSOFT, {"email_verified": False, "xms_edov": True}, False),
        (OTHER, {"xms_edov": True}, False),
        (OTHER, {"email_verified": True}, True),
        (OTHER, {"email_verified": "true"}, True),
        (OTHER, {"email_verified": "True"}, True),
        (OTHER, {"email_verified": "no"}, False),
        (replace(OTHER, trusted_domains=("example.org",)), {}, True),
        (replace(OTHER, trusted_domains=("example.com",)), {}, False),
        (replace(OTHER, trusted_domains=("example.org",)), {"email_verified": False}, False),
    ],
)
def test_an_address_is_verified_only_if_the_issuer_says_so(
    provider: IdentityProvider, said: dict[str, object], verified: bool
) -> None:
    assert read_identity({**ANN, **said}, provider=provider).email_verified is verified


@pytest.mark.parametrize(
    ("claim", "claims", "groups"),
    [
        ("groups", {"groups": ["a", 1, "b"]}, {"a", "b"}),
        ("groups", {"groups": "a"}, {"a"}),
        ("realm_access.roles", {"realm_access": {"roles": ["a"]}}, {"a"}),
        ("https://example.org/roles", {"https://example.org/roles": ["a"]}, {"a"}),
        ("realm_access.roles", {"realm_access": ["a"]}, set()),
        ("", {"groups": ["a"]}, set()),
    ],
)
def test_groups_are_found_by_name_or_path(claim: str, claims: dict[str, object], groups: set[str]) -> None:
    assert read_identity({**ANN, **claims}, provider=replace(OTHER, role_claim=claim)).groups == groups


def test_signed_claims_win_over_the_user_info() -> None:
    signed = {"sub": "1", "email": "ann@example.org", "email_verified": False}
    assert merge(signed, {"email_verified": True, "groups": ["a"]}) == {**signed, "groups": ["a"]}
    assert merge({"sub": "1"}, {**ANN, "email_verified": True})["email_verified"] is True
    assert merge({"sub": "1", "email_verified": True}, ANN) == ANN, "it was said of no address"


def test_the_user_info_is_asked_only_for_what_is_missing() -> None:
    whole = {**ANN, "email_verified": True}
    assert not needs_more(whole, provider=OTHER)
    assert needs_more(ANN, provider=OTHER)
    assert needs_more(whole, provider=replace(OTHER, role_claim="groups"))
    assert not needs_more({**whole, "groups": []}, provider=replace(OTHER, role_claim="groups"))


def test_google_is_asked_again_in_the_only_way_that_it_knows() -> None:
    assert ask_again(replace(OTHER, issuer=GOOGLE)) == {"prompt": "select_account"}
    assert ask_again(OTHER) == {"prompt": "login", "max_age": "0"}
