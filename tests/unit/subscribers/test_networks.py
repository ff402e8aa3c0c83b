"""A visitor's address behind our proxies, and the network it counts for. A client cannot forge it."""

import pytest

from newsletter.common.networks import client_address, is_loopback, single_client_network, wide_network

pytestmark = [pytest.mark.requirement("G12"), pytest.mark.requirement("A2")]

OURS = ["10.0.0.0/8", "fd00::/8"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "client"),
    [
        ("192.0.2.9", "", OURS, "192.0.2.9"),
        ("192.0.2.9", "198.51.100.7", OURS, "192.0.2.9"),
        ("10.1.2.3", "198.51.100.7", [], "10.1.2.3"),
        ("10.1.2.3", "198.51.100.7", OURS, "198.51.100.7"),
        ("10.1.2.3", "203.0.113.5, 198.51.100.7", OURS, "198.51.100.7"),
        ("10.1.2.3", "203.0.113.5, 198.51.100.7, 10.9.9.9", OURS, "198.51.100.7"),
        ("10.1.2.3", "10.5.5.5", OURS, "10.5.5.5"),
        ("10.1.2.3", "nonsense, 10.9.9.9", OURS, "10.9.9.9"),
        ("10.1.2.3", "", OURS, "10.1.2.3"),
        ("fd00::1", "[2001:db8::7]:443", OURS, "2001:db8::7"),
        ("10.1.2.3", "198.51.100.7:5555", OURS, "198.51.100.7"),
        ("::ffff:192.0.2.9", "", OURS, "192.0.2.9"),
        ("", "203.0.113.5, 198.51.100.7", OURS, "198.51.100.7"),
        ("", "", OURS, ""),
    ],
)
def test_the_client_is_the_nearest_address_that_is_not_our_proxy(
    peer: str, forwarded: str, proxies: list[str], client: str
) -> None:
    assert client_address(peer=peer, forwarded=forwarded, proxies=proxies) == client


def test_a_client_network_is_one_ipv4_address_or_one_ipv6_64() -> None:
    assert single_client_network("192.0.2.9") == "192.0.2.9/32"
    assert (
        single_client_network("2001:db8:1:2:3::4")
        == single_client_network("2001:db8:1:2:ffff::1")
        == "2001:db8:1:2::/64"
    )
    assert wide_network("192.0.2.9") == "192.0.2.0/24"
    assert wide_network("2001:db8:1:2::4") == "2001:db8:1::/48"
    assert single_client_network("unix:") == wide_network("") == "unknown"


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("mail.localhost", False),
        ("10.0.0.1", False),
        ("localhost.example.org", False),
        ("", False),
    ],
)
def test_a_loopback_host_is_known_without_looking_up_a_name(host: str, is_ours: bool) -> None:
    assert is_loopback(host) == is_ours
