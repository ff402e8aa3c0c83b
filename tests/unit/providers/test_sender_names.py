"""A sender's name may hold its own domain, and neither an address nor anybody else's domain."""

import pytest

from newsletter.providers.sender_names import find_impersonated_domain, has_address

OWN = ["mail.amnesty.org.uk", "example.org"]


@pytest.mark.parametrize(
    "name",
    [
        "Amnesty.org.uk team",
        "amnesty.org.uk",
        "Example.org",
        "News of Example.org",
        "letters.example.org",
        "Caritas e.V.",
        "St. Mary's",
        "U.K. Office",
        "J.R.R. Hall",
        "Open Door",
        "24/7 help: 1.5 million people",
        "Mr.",
        "",
    ],
)
def test_a_plain_name_and_the_senders_own_domain_are_fine(name: str) -> None:
    assert not has_address(name)
    assert find_impersonated_domain(name, own=OWN) == ""


@pytest.mark.parametrize("name", ["boss@bank.example", "Open Door <a@b.example>", "Open Door \uff20 bank", "a\u200b@b"])
def test_an_address_in_a_name_is_found(name: str) -> None:
    assert has_address(name)


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("paypal.com", "paypal.com"),
        ("Service of PayPal.com", "PayPal.com"),
        ("example.org.evil.example", "example.org.evil.example"),
        ("notexample.org", "notexample.org"),
        ("bank\u3002example", "bank.example"),
        ("ba\u200bnk.example", "bank.example"),
        ("b\u00fccher.example", "b\u00fccher.example"),
        ("(bank.example)", "bank.example"),
    ],
)
def test_the_domain_of_somebody_else_in_a_name_is_found(name: str, domain: str) -> None:
    assert find_impersonated_domain(name, own=OWN) == domain
