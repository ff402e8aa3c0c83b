# ruff: noqa: E501  (tables of examples read best one a line)
"""Addresses of the open internet are reachable, and the allow list makes exceptions."""

import ipaddress

import pytest

from newsletter.content.fetching.errors import Refused
from newsletter.content.fetching.url_guard import AllowList, check_addresses, check_url, is_public

PRIVATE = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.254 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1
172.31.255.254 192.0.0.8 192.0.0.170 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.254 198.51.100.7 203.0.113.9
224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:1::1 100::1 2001::1
2001:0:7f00:1::1 2001:db8::1 2001:10::1 2002:7f00:1:: 2002:a00:1:: 3fff::1 5f00::1 fc00::1 fd12:3456::1 fe80::1 fec0::1 ff02::1
4000::1
""".split()  # noqa: SIM905
PUBLIC = "8.8.8.8 93.184.215.14 172.15.0.1 172.32.0.1 100.63.0.1 2606:4700::1111 2a00:1450:4009::1 ::ffff:8.8.8.8 64:ff9b::808:808".split()  # noqa: SIM905


@pytest.mark.requirement("X3")
@pytest.mark.parametrize("text", PRIVATE)
def test_no_address_of_a_private_or_special_network_is_public(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.requirement("X3")
@pytest.mark.parametrize("text", PUBLIC)
def test_addresses_of_the_open_internet_are_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


def check(address: str, *, allow: list[str], host: str = "cms.internal", port: int = 80, scheme: str = "http") -> None:
    check_addresses(scheme=scheme, host=host, port=port, addresses=[address], allow=AllowList.parse(allow))


@pytest.mark.requirement("X2")
@pytest.mark.parametrize("entry", ["cms.internal", "CMS.Internal", "cms.internal:80", "10.0.0.0/8", "10.0.0.5"])
def test_an_allowed_entry_lifts_the_private_rule_for_itself(entry: str) -> None:
    check("10.0.0.5", allow=["", entry])


@pytest.mark.requirement("X2")
@pytest.mark.parametrize("entry", ["other.internal", "cms.internal:8080", "192.168.0.0/16", "::1", "internal"])
def test_an_allowed_entry_lifts_nothing_else(entry: str) -> None:
    with pytest.raises(Refused, match="private network"):
        check("10.0.0.5", allow=[entry])


@pytest.mark.parametrize("entry", ["cms.internal", "cms.internal:8001", "127.0.0.0/8", "127.0.0.1:8001"])
def test_an_allowed_entry_lifts_the_port_rule_for_itself(entry: str) -> None:
    host = "127.0.0.1" if entry.startswith("127.0.0.1:") else "cms.internal"
    check("127.0.0.1", allow=[entry], host=host, port=8001)


def test_a_port_of_an_ipv6_address_can_be_allowed() -> None:
    check("::1", allow=["[::1]:8001"], host="::1", port=8001)


def test_other_ports_are_refused_even_on_public_hosts() -> None:
    with pytest.raises(Refused, match="port 8080"):
        check("8.8.8.8", allow=[], port=8080)
    with pytest.raises(Refused, match="port 80"):
        check("8.8.8.8", allow=[], port=80, scheme="https")


@pytest.mark.parametrize("entry", ["http://cms.internal", "a/b", "user@host", "host:port", "[::1"])
def test_an_unreadable_allowed_entry_is_reported(entry: str) -> None:
    with pytest.raises(Refused, match="not understood"):
        AllowList.parse([entry])


def test_addresses_with_a_scope_are_checked_without_it() -> None:
    with pytest.raises(Refused):
        check("fe80::1%eth0", allow=[])


@pytest.mark.parametrize(
    "url",
    [
        "http://a\\@b/",
        "http://user@host/",
        "http://:pw@host/",
        "http://a\tb/",
        "http://" + "a" * 2001,
        "http://host:99999/",
        "data:text/html,x",
    ],
)
def test_urls_with_hidden_parts_are_refused(url: str) -> None:
    with pytest.raises(Refused):
        check_url(url)


def test_a_plain_url_is_accepted() -> None:
    assert check_url("https://news.example/feed?x=1").hostname == "news.example"
