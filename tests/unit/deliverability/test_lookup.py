"""DNS is asked within limits, and a failure is never read as a missing record."""

import socket

import dns.resolver
import pytest

from newsletter.sending.deliverability.domain_checks import lookup
from newsletter.sending.deliverability.domain_checks.lookup import MAX_TEXT, NoAnswer, SystemDns, find_txt_records
from tests.support.dns_server import DnsServer


def test_long_records_are_joined_and_a_missing_name_has_none(server: DnsServer) -> None:
    server.texts["long.example.org"] = ["v=spf1 " + "ip4:192.0.2.1 " * 40 + "-all"]
    found = server.make_dns()
    assert found.find_txt("long.example.org") == server.texts["long.example.org"]
    assert found.find_txt("none.example.org") == []


def test_every_kind_of_record_is_read(server: DnsServer) -> None:
    server.records.update(
        {
            "mail.example.org A": ["192.0.2.4"],
            "mail.example.org AAAA": ["2001:db8::4"],
            "example.org MX": ["10 Mail.example.org."],
            "null.example.org MX": ["0 ."],
            "4.2.0.192.in-addr.arpa PTR": ["mail.example.org."],
        }
    )
    found = server.make_dns()
    assert found.find_addresses("mail.example.org") == ["192.0.2.4", "2001:db8::4"]
    assert found.find_mail_hosts("example.org") == ["mail.example.org"]
    assert found.find_mail_hosts("null.example.org") == []
    assert found.find_names("192.0.2.4") == ["mail.example.org"]


def test_a_failing_name_server_counts_as_no_answer(server: DnsServer) -> None:
    server.broken.add("broken.example.org")
    with pytest.raises(NoAnswer, match=r"about broken\.example\.org"):
        server.make_dns().find_txt("broken.example.org")


def test_a_loop_of_aliases_counts_as_no_answer(server: DnsServer) -> None:
    server.circular.add("loop.example.org")
    with pytest.raises(NoAnswer, match=r"about loop\.example\.org"):
        server.make_dns().find_txt("loop.example.org")


@pytest.mark.parametrize("name", ["a..example.org", "x" * 70 + ".example.org", "\ud800.example.org"])
def test_an_impossible_name_counts_as_no_answer(name: str, server: DnsServer) -> None:
    with pytest.raises(NoAnswer):
        server.make_dns().find_txt(name)


def test_a_flood_of_records_is_refused(server: DnsServer) -> None:
    server.texts["flood.example.org"] = [str(number) for number in range(3_500)]
    with pytest.raises(NoAnswer, match="3,500 TXT records"):
        server.make_dns().find_txt("flood.example.org")


def test_ten_thousand_records_fit_no_answer_and_are_refused(server: DnsServer) -> None:
    server.texts["flood.example.org"] = [str(number) for number in range(10_000)]
    with pytest.raises(NoAnswer, match=r"about flood\.example\.org"):
        server.make_dns(seconds=1).find_txt("flood.example.org")


def test_a_text_of_64_kilobytes_is_cut(server: DnsServer) -> None:
    server.texts["long.example.org"] = ["x" * 65_000]
    assert server.make_dns().find_txt("long.example.org") == ["x" * MAX_TEXT]


def test_a_silent_name_server_costs_one_time_limit(server: DnsServer) -> None:
    server.silent.add("*")
    found = server.make_dns(seconds=0.4)
    for number in range(50):
        with pytest.raises(NoAnswer):
            found.find_txt(f"silent{number}.example.org")
    assert len(set(server.asked)) <= 2  # the second may be asked in the last millisecond
    with pytest.raises(NoAnswer, match=r"more than 0\.4 seconds"):
        found.find_txt("another.example.org")


def test_a_question_is_asked_once(server: DnsServer) -> None:
    server.broken.add("broken.example.org")
    found = server.make_dns()
    for _ in range(3):
        assert found.find_txt("none.example.org") == []
        with pytest.raises(NoAnswer):
            found.find_txt("broken.example.org")
    assert server.asked.count("none.example.org TXT") == 1
    assert server.asked.count("broken.example.org TXT") == 1


def test_a_machine_without_a_resolver_counts_as_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> dns.resolver.Resolver:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(lookup.dns.resolver, "Resolver", fail)
    with pytest.raises(NoAnswer, match="NoResolverConfiguration"):
        find_txt_records("example.org")


def test_a_closed_port_counts_as_no_answer() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reserved:
        reserved.bind(("127.0.0.1", 0))
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], reserved.getsockname()[1]
        with pytest.raises(NoAnswer):
            SystemDns(seconds=0.3, resolver=resolver).find_txt("example.org")
