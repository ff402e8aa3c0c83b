"""The addresses of a mail server need names that lead back to them."""

import pytest

from tests.support.dns_server import DnsServer
from tests.support.sender_checks import look, sender_of, values

SMTP = sender_of("smtp://mail.example.org")
REVERSE = "8.8.8.8.in-addr.arpa"


@pytest.mark.parametrize(
    ("records", "code", "level"),
    [
        ({"mail.example.org A": ["8.8.8.8"], f"{REVERSE} PTR": ["Mail.example.org."]}, "good", "ok"),
        ({"mail.example.org A": ["8.8.8.8"]}, "missing", "warning"),
        ({"mail.example.org A": ["8.8.8.8"], f"{REVERSE} PTR": ["x.example.net."]}, "different", "warning"),
        ({}, "no-address", "warning"),
        ({"mail.example.org A": ["10.0.0.1"]}, "no-address", "warning"),
    ],
)
def test_each_state_has_its_code(records: dict[str, list[str]], code: str, level: str, server: DnsServer) -> None:
    server.records.update(records)
    found = look(server, sender=SMTP, check="reverse-name.")
    assert {name: finding.level for name, finding in found.items()} == {f"reverse-name.{code}": level}


def test_a_missing_reverse_name_is_given_ready_to_copy(server: DnsServer) -> None:
    server.records["mail.example.org A"] = ["8.8.8.8"]
    finding = look(server, sender=SMTP)["reverse-name.missing"]
    assert values(finding) == [(REVERSE, "PTR", "mail.example.org")]


def test_a_server_without_a_name_gets_no_record_to_copy(server: DnsServer) -> None:
    assert values(look(server, sender=sender_of("smtps://8.8.8.8"))["reverse-name.missing"]) == []
    assert values(look(server, sender=sender_of("smtps://[2001:4860:4860::8888]"))["reverse-name.missing"]) == []


@pytest.mark.parametrize("url", ["smtp://127.0.0.1:25", "smtp://localhost", "mailgun://key@news.example.org"])
def test_only_a_mail_server_elsewhere_is_checked(url: str, server: DnsServer) -> None:
    assert look(server, sender=sender_of(url), check="reverse-name.") == {}


def test_a_reverse_name_that_does_not_answer_is_not_missing(server: DnsServer) -> None:
    server.records["mail.example.org A"] = ["8.8.8.8"]
    server.broken.add(REVERSE)
    found = look(server, sender=SMTP)
    assert "PTR could not be looked up" in found["dns.not-looked-up"].says
    assert not any(code.startswith("reverse-name.") for code in found)
