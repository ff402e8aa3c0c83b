"""The DMARC record that applies to a domain is found as RFC 9989 says, and becomes findings."""

import pytest

from newsletter.providers.registry import ADAPTERS
from newsletter.sending.deliverability.domain_checks.dmarc import check_dmarc
from newsletter.sending.deliverability.domain_checks.dmarc_records import walk_tree
from newsletter.sending.deliverability.domain_checks.sender import Sender
from tests.support.dns_server import DnsServer
from tests.support.sender_checks import DOMAIN, by_code, look, values

NAME = f"_dmarc.{DOMAIN}"


def test_a_missing_policy_is_given_ready_to_copy(server: DnsServer) -> None:
    finding = look(server)["dmarc.missing"]
    assert finding.level == "error"
    assert values(finding) == [(NAME, "TXT", "v=DMARC1; p=none")]


@pytest.mark.parametrize("provider", sorted(ADAPTERS))
def test_every_provider_needs_a_policy(provider: str, server: DnsServer) -> None:
    sender = Sender("example.org", wanted=ADAPTERS[provider].dns)
    assert look(server, sender=sender)["dmarc.missing"].level == "error"


@pytest.mark.parametrize(
    ("texts", "applied", "at"),
    [
        ({DOMAIN: "v=DMARC1; p=reject", "example.org": "v=DMARC1; p=none"}, "reject", DOMAIN),
        ({"example.org": "v=DMARC1; p=reject"}, "reject", "example.org"),
        ({"example.org": "v=DMARC1;p=reject;sp=quarantine"}, "quarantine", "example.org"),
        ({"example.org": "v = DMARC1 ; p = reject ; t = y"}, "quarantine", "example.org"),
        ({"org": "v=DMARC1; p=reject; psd=y"}, "reject", "org"),
        ({DOMAIN: "v=DMARC1; p=quarantine; t=y; psd=n; np=reject"}, "none", DOMAIN),
    ],
)
def test_the_nearest_record_applies(texts: dict[str, str], applied: str, at: str, server: DnsServer) -> None:
    server.texts.update({f"_dmarc.{name}": [text] for name, text in texts.items()})
    record = walk_tree(DOMAIN, server.make_dns()).policy_record
    assert record is not None
    assert (record.find_applied_policy(DOMAIN), record.domain) == (applied, at)
    assert look(server)["dmarc.good"].says.endswith(f"at {at}: {applied}.")


@pytest.mark.parametrize(
    ("text", "exists", "applied"),
    [
        ("p=none; sp=quarantine; np=reject", False, "reject"),
        ("p=none; sp=quarantine; np=reject", True, "quarantine"),
        ("p=none; np=reject", True, "none"),
        ("p=none; sp=quarantine; np=x", False, "quarantine"),
        ("p=reject; np=none", False, "none"),
        ("p=none; np=reject; t=y", False, "quarantine"),
    ],
)
def test_a_name_that_is_not_in_dns_has_a_policy_of_its_own(
    text: str, exists: bool, applied: str, server: DnsServer
) -> None:
    server.texts["_dmarc.example.org"] = [f"v=DMARC1; {text}"]
    server.records.update({f"{DOMAIN} MX": ["10 mail.example.org."]} if exists else {})
    assert walk_tree(DOMAIN, server.make_dns()).applied_policy == applied


def test_the_own_record_of_a_domain_has_no_policy_for_missing_names(server: DnsServer) -> None:
    server.texts[NAME] = ["v=DMARC1; p=none; np=reject"]
    assert walk_tree(DOMAIN, server.make_dns()).applied_policy == "none"
    assert f"{DOMAIN} TXT" not in server.asked


def test_a_name_about_which_dns_is_silent_counts_as_one_that_exists(server: DnsServer) -> None:
    server.texts["_dmarc.example.org"] = ["v=DMARC1; p=none; np=reject"]
    server.broken.add(DOMAIN)
    assert walk_tree(DOMAIN, server.make_dns()).applied_policy == "none"


def test_a_domain_without_any_record_has_no_policy(server: DnsServer) -> None:
    assert walk_tree(DOMAIN, server.make_dns()).applied_policy == "none"


@pytest.mark.parametrize(
    ("texts", "organisation"),
    [
        ({}, "a.b.example.org"),
        ({"example.org": "v=DMARC1; p=none"}, "example.org"),
        ({"b.example.org": "v=DMARC1; p=none", "example.org": "v=DMARC1; p=none"}, "example.org"),
        ({"b.example.org": "v=DMARC1; p=none; psd=n", "example.org": "v=DMARC1; p=none"}, "b.example.org"),
        ({"example.org": "v=DMARC1; p=none; psd=y"}, "b.example.org"),
        ({"org": "v=DMARC1; p=none; psd=y"}, "example.org"),
        ({"a.b.example.org": "v=DMARC1; p=none; psd=y", "example.org": "v=DMARC1; p=none"}, "example.org"),
    ],
)
def test_the_organisation_is_found_without_a_list(texts: dict[str, str], organisation: str, server: DnsServer) -> None:
    server.texts.update({f"_dmarc.{name}": [text] for name, text in texts.items()})
    assert walk_tree("a.b.example.org", server.make_dns()).organisational_domain == organisation


def test_a_deep_name_costs_eight_queries(server: DnsServer) -> None:
    walk_tree("a.b.c.d.e.f.g.h.i.j.example.org", server.make_dns())
    assert server.asked[0] == "_dmarc.a.b.c.d.e.f.g.h.i.j.example.org TXT"
    assert server.asked[1] == "_dmarc.f.g.h.i.j.example.org TXT"
    assert server.asked[-1] == "_dmarc.org TXT"
    assert len(server.asked) == 8


def test_several_records_count_as_no_record(server: DnsServer) -> None:
    server.texts[NAME] = ["v=DMARC1; p=none", "v=DMARC1; p=reject"]
    assert look(server)["dmarc.several"].level == "error"
    server.texts["_dmarc.example.org"] = ["v=DMARC1; p=none"]
    assert look(server)["dmarc.good"].says == "A policy is published at example.org: none."


@pytest.mark.parametrize("text", ["v=dmarc1; p=none", "V=DMARC1; p=none"])
def test_a_record_that_receivers_ignore_is_an_error(text: str, server: DnsServer) -> None:
    server.texts[NAME] = [text]
    assert look(server)["dmarc.unreadable"].level == "error"


@pytest.mark.parametrize(
    ("text", "level"),
    [("v=DMARC1; rua=mailto:d@example.org", "warning"), ("v=DMARC1; p=all", "error"), ("v=DMARC1", "error")],
)
def test_a_record_without_a_policy_counts_only_with_reports(text: str, level: str, server: DnsServer) -> None:
    server.texts[NAME] = [text]
    finding = look(server)["dmarc.no-policy"]
    assert finding.level == level
    assert values(finding)[0][2].startswith("v=DMARC1; p=none")


@pytest.mark.parametrize("part", ["sp=all", "np=x", "psd=1", "t=yes", "adkim=strict", "aspf=t"])
def test_a_value_that_a_tag_cannot_have_is_a_warning(part: str, server: DnsServer) -> None:
    server.texts[NAME] = [f"v=DMARC1; p=none; {part}"]
    assert part in look(server)["dmarc.invalid-tag"].says
    assert "dmarc.good" not in look(server)


def test_obsolete_tags_are_advice_and_taken_out(server: DnsServer) -> None:
    server.texts[NAME] = ["v=DMARC1; pct=100; p=quarantine; rf=afrf; ri=86400; rua=mailto:d@example.org"]
    found = look(server, check="dmarc.")
    assert {code: finding.level for code, finding in found.items()} == {
        "dmarc.obsolete-tag": "advice",
        "dmarc.good": "ok",
    }
    assert "pct, rf, ri" in found["dmarc.obsolete-tag"].says
    assert values(found["dmarc.obsolete-tag"]) == [(NAME, "TXT", "v=DMARC1; p=quarantine; rua=mailto:d@example.org")]


def test_a_limited_policy_is_not_made_unlimited_by_a_copy(server: DnsServer) -> None:
    server.texts[NAME] = ["v=DMARC1; p=reject; pct=10"]
    finding = look(server)["dmarc.obsolete-tag"]
    assert values(finding) == []
    assert "weaker policy" in finding.do


def test_a_policy_on_trial_is_advice(server: DnsServer) -> None:
    server.texts[NAME] = ["v=DMARC1; p=reject; t=y"]
    finding = look(server)["dmarc.testing"]
    assert (finding.level, values(finding)) == ("advice", [(NAME, "TXT", "v=DMARC1; p=reject")])


def test_a_record_too_long_to_be_right_is_not_given_to_copy(server: DnsServer) -> None:
    server.texts[NAME] = ["v=DMARC1; p=none; ri=1; rua=" + "x" * 3_000]
    assert values(look(server)["dmarc.obsolete-tag"]) == []


def test_a_parent_that_does_not_answer_hides_no_record_below(server: DnsServer) -> None:
    server.texts[NAME] = ["v=DMARC1; p=none"]
    server.broken.add("_dmarc.example.org")
    found = by_code(check_dmarc(Sender(DOMAIN), server.make_dns()))
    assert list(found) == ["dmarc.good"]


def test_a_policy_that_cannot_be_looked_up_is_not_called_missing(server: DnsServer) -> None:
    server.broken.add("_dmarc.example.org")
    found = look(server)
    assert not any(code.startswith("dmarc.") for code in found)
    assert found["dns.not-looked-up"].means == "This does not say that a record is missing."
