"""The page names where to register for complaint reports, with the sender's own settings."""

from typing import Any

from tests.support.dns_server import DnsServer
from tests.support.sender_checks import DOMAIN, URLS, look, sender_of


def test_yahoo_wants_the_domain_and_selectors_that_sign(server: DnsServer) -> None:
    server.texts["_dmarc.example.org"] = ["v=DMARC1; p=none"]
    found = look(server, sender=sender_of(domain="example.org"), check="complaints.")
    assert list(found) == ["complaints.yahoo"]
    finding = found["complaints.yahoo"]
    assert finding.level == "advice"
    assert f"add the domain {DOMAIN}" in finding.do
    assert "into the DNS of example.org" in finding.do
    assert "Selector: pic, mta, " in finding.do


def test_an_unknown_selector_is_named_by_its_tag(server: DnsServer) -> None:
    assert "(s=)" in look(server, sender=sender_of(URLS["ses"]))["complaints.yahoo"].do


def test_microsoft_wants_the_addresses_of_the_mail_server(server: DnsServer) -> None:
    server.records["mail.example.org A"] = ["8.8.8.8"]
    found = look(server, sender=sender_of(URLS["smtp"]))["complaints.microsoft"]
    assert "mail.example.org sends: 8.8.8.8." in found.do
    by_address = look(server, sender=sender_of("smtp://8.8.4.4"))["complaints.microsoft"]
    assert "8.8.4.4 sends: 8.8.4.4." in by_address.do


def test_a_mail_server_without_an_address_leaves_it_open(server: DnsServer) -> None:
    assert "sends: …." in look(server, sender=sender_of(URLS["smtp"]))["complaints.microsoft"].do


def test_reports_go_to_the_address_that_this_installation_reads(server: DnsServer, settings: Any) -> None:
    assert "reports: one that somebody reads." in look(server)["complaints.yahoo"].do
    settings.NEWSLETTER_INBOUND_ADDRESS = "in@letter.example.org"
    found = look(server, sender=sender_of(URLS["smtp"]))
    assert "reports: in@letter.example.org." in found["complaints.yahoo"].do
    assert "reports: in@letter.example.org." in found["complaints.microsoft"].do
