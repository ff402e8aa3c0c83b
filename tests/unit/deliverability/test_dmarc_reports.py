"""`doctor` says whether DMARC reports come to the address that reads them here, and what to put into DNS."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from newsletter.sending.deliverability.domain_checks.dmarc_records import DmarcRecord
from newsletter.sending.deliverability.domain_checks.sender import Sender
from newsletter.sending.deliverability.domain_checks.tags import read_tags
from newsletter.sending.deliverability.findings import Finding
from tests.support.dns_server import DnsServer
from tests.support.sender_checks import DOMAIN, look, sender_of, values

ADDRESS = f"replies@{DOMAIN}"
NAME = "_dmarc.example.org"
ASKED = f"v=DMARC1; p=none; rua=mailto:{ADDRESS}"


def find(server: DnsServer, *texts: str, address: str = ADDRESS, **sender: Any) -> dict[str, Finding]:
    server.texts[NAME] = list(texts)
    own: Sender = replace(sender_of(), reports_to=address, **sender)
    return look(server, sender=own, check="dmarc-reports")


def test_without_an_address_of_ours_there_is_no_finding(server: DnsServer) -> None:
    assert find(server, "v=DMARC1; p=none", address="") == {}


def test_without_a_dmarc_record_the_first_record_asks_for_reports(server: DnsServer) -> None:
    assert find(server) == {}
    missing = look(server, sender=replace(sender_of(), reports_to=ADDRESS))["dmarc.missing"]
    assert values(missing) == [(f"_dmarc.{DOMAIN}", "TXT", ASKED)]


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("v=DMARC1; p=reject", f"v=DMARC1; p=reject; rua=mailto:{ADDRESS}"),
        (
            "v=DMARC1; p=none; rua=mailto:dmarc@example.net",
            f"v=DMARC1; p=none; rua=mailto:dmarc@example.net,mailto:{ADDRESS}",
        ),
    ],
)
def test_a_record_that_does_not_ask_is_given_with_the_address(text: str, changed: str, server: DnsServer) -> None:
    finding = find(server, text)["dmarc-reports.elsewhere"]
    assert finding.level == "advice"
    assert values(finding) == [(NAME, "TXT", changed)]


def test_a_record_that_asks_is_fine(server: DnsServer) -> None:
    assert find(server, ASKED)["dmarc-reports.good"].says.endswith("none has come yet.")
    last = datetime(2026, 3, 4, tzinfo=UTC)
    assert find(server, ASKED, last_report_at=last)["dmarc-reports.good"].says.endswith("came on 4 March 2026.")


@pytest.mark.parametrize(
    "rua",
    [f"mailto:{ADDRESS.upper()}!10m", f"mailto:a@b.example , mailto:{ADDRESS}", "mailto:replies%40news.example.org"],
)
def test_the_address_is_found_in_each_form(rua: str, server: DnsServer) -> None:
    assert "dmarc-reports.good" in find(server, f"v=DMARC1; p=none; rua={rua}")


def test_an_address_of_another_organisation_needs_its_permission(server: DnsServer) -> None:
    address = "replies@inbound.example.com"
    permission = ("example.org._report._dmarc.inbound.example.com", "TXT", "v=DMARC1")
    elsewhere = find(server, "v=DMARC1; p=none", address=address)["dmarc-reports.elsewhere"]
    assert values(elsewhere)[1] == permission
    text = f"v=DMARC1; p=none; rua=mailto:{address}"
    assert values(find(server, text, address=address)["dmarc-reports.not-allowed"]) == [permission]
    server.texts[permission[0]] = ["v=DMARC1"]
    assert "dmarc-reports.good" in find(server, text, address=address)


def test_missing_reports_are_reported(server: DnsServer) -> None:
    finding = find(server, ASKED, reports_missed=True)["dmarc-reports.missed"]
    assert finding.says == f"No report came in 7 days, though mail went out and reports are asked for at {ADDRESS}."
    assert finding.level == "advice"


def test_dns_without_an_answer_says_nothing_about_reports(server: DnsServer) -> None:
    server.broken.update({f"_dmarc.{DOMAIN}", NAME})
    assert find(server, ASKED) == {}


def test_other_ways_to_report_are_no_addresses() -> None:
    text = "v=DMARC1; p=none; rua=https://example.net/r, mailto:a@example.net"
    assert DmarcRecord(DOMAIN, text, read_tags(text)).report_addresses == ["a@example.net"]
