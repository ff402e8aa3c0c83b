"""`serve` says that links lead elsewhere, before anybody opens one."""

import pytest

from newsletter.management.commands.serve import describe_other_port, lead_to_served_port


@pytest.mark.parametrize(
    ("site_url", "port", "warned"),
    [
        ("http://127.0.0.1:8000", 8000, False),
        ("http://127.0.0.1:8000", 8931, True),
        ("http://localhost", 8000, True),
        ("http://127.9.9.9:8000", 8931, True),
        ("https://letter.example.org", 8931, False),
    ],
)
def test_links_to_another_port_of_this_machine_are_named(site_url: str, port: int, warned: bool) -> None:
    assert (f":{port} and start again" in describe_other_port(site_url, port=port)) is warned


def test_an_ipv6_address_is_proposed_in_brackets() -> None:
    assert "NEWSLETTER_SITE_URL=http://[::1]:8931 " in describe_other_port("http://[::1]:8000", port=8931)


@pytest.mark.parametrize(
    ("site_url", "link"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8931/accounts/first/abc/"),
        ("https://letter.example.org", "https://letter.example.org/accounts/first/abc/"),
    ],
)
def test_the_first_link_opens_on_the_served_port(site_url: str, link: str) -> None:
    text = f"Open this link:\n{site_url}/accounts/first/abc/"
    assert lead_to_served_port(text, site_url, port=8931) == f"Open this link:\n{link}"
