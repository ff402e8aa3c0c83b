"""An SPF record becomes findings, with the record to put into DNS."""

import pytest

from tests.support.dns_server import DnsServer
from tests.support.sender_checks import DOMAIN, GOOD, URLS, look, sender_of, values


def spf(server: DnsServer, record: str, *, url: str = URLS["mailgun"]) -> list[str]:
    server.texts.update(GOOD)
    server.texts[DOMAIN] = [record]
    return list(look(server, sender=sender_of(url), check="spf."))


def test_a_good_record_says_what_it_costs(server: DnsServer) -> None:
    server.texts.update(GOOD)
    finding = look(server)["spf.good"]
    assert (finding.level, finding.says) == (
        "ok",
        "The SPF record names the provider. It costs 1 of 10 lookups.",
    )


def test_a_missing_record_is_given_ready_to_copy(server: DnsServer) -> None:
    finding = look(server)["spf.missing"]
    assert finding.level == "error"
    assert values(finding) == [(DOMAIN, "TXT", "v=spf1 include:mailgun.org ~all")]


def test_a_provider_with_its_own_bounce_domain_only_warns(server: DnsServer) -> None:
    assert look(server, sender=sender_of(URLS["postmark"]))["spf.missing"].level == "warning"


@pytest.mark.parametrize(
    ("provider", "level", "record"),
    [
        ("scaleway", "error", "v=spf1 include:_spf.tem.scaleway.com ~all"),
        ("mailersend", "warning", "v=spf1 include:_spf.mailersend.net ~all"),
    ],
)
def test_the_record_of_each_european_provider_is_asked_for(
    server: DnsServer, provider: str, level: str, record: str
) -> None:
    finding = look(server, sender=sender_of(URLS[provider]))["spf.missing"]
    assert (finding.level, values(finding)) == (level, [(DOMAIN, "TXT", record)])


def test_a_provider_without_a_known_record_is_not_checked(server: DnsServer) -> None:
    assert look(server, sender=sender_of(URLS["sparkpost"]), check="spf.") == {}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example.org", "v=spf1 a:mail.example.org ~all"),
        ("smtp://192.0.2.4", "v=spf1 ip4:192.0.2.4 ~all"),
        ("smtp://[2001:db8::4]", "v=spf1 ip6:2001:db8::4 ~all"),
    ],
)
def test_a_mail_server_is_named_in_the_record(url: str, expected: str, server: DnsServer) -> None:
    finding = look(server, sender=sender_of(url))["spf.missing"]
    assert (finding.level, values(finding)) == ("warning", [(DOMAIN, "TXT", expected)])


def test_a_mail_server_on_this_machine_has_no_name_to_copy(server: DnsServer) -> None:
    assert values(look(server, sender=sender_of("smtp://127.0.0.1:25"))["spf.missing"]) == []


def test_the_record_of_the_return_path_counts(server: DnsServer) -> None:
    server.texts["bounces.example.org"] = ["v=spf1 ip4:192.0.2.4 -all"]
    sender = sender_of("smtp://mail.example.org?return_path=b@bounces.example.org")
    assert look(server, sender=sender)["spf.good"].check == "SPF of bounces.example.org"


def test_several_records_are_an_error_and_are_merged(server: DnsServer) -> None:
    server.texts[DOMAIN] = ["v=spf1 mx -all", "other", "V=SPF1 mx a ?all"]
    finding = look(server)["spf.several"]
    assert finding.level == "error"
    assert values(finding) == [(DOMAIN, "TXT", "v=spf1 mx a include:mailgun.org ~all")]


def test_a_redirect_stays_allowed_when_records_are_merged(server: DnsServer) -> None:
    server.texts[DOMAIN] = ["v=spf1 redirect=_spf.example.com", "v=spf1 mx -all"]
    (record,) = values(look(server)["spf.several"])
    assert record == (DOMAIN, "TXT", "v=spf1 mx include:_spf.example.com include:mailgun.org ~all")


@pytest.mark.parametrize(
    ("record", "fixed"),
    [
        ("v=spf1 mx ~all", "v=spf1 mx include:mailgun.org ~all"),
        ("v=spf1 include:mailgun.org.example ip4:192.0.2.1", None),
        ("v=spf1 redirect=other.example", "v=spf1 include:mailgun.org redirect=other.example"),
    ],
)
def test_the_provider_is_added_before_the_end(record: str, fixed: str | None, server: DnsServer) -> None:
    server.texts.update({DOMAIN: [record], "mailgun.org.example": ["v=spf1 -all"], "other.example": ["v=spf1 -all"]})
    server.records[f"{DOMAIN} MX"] = ["10 mail.example.org."]
    finding = look(server)["spf.provider-missing"]
    assert finding.level == "warning"
    if fixed:
        assert values(finding) == [(DOMAIN, "TXT", fixed)]


@pytest.mark.parametrize("record", ["v=spf1 include:all.example.org ~all", "v=spf1 redirect=all.example.org"])
def test_a_provider_named_by_an_included_record_is_found(record: str, server: DnsServer) -> None:
    server.texts["all.example.org"] = ["v=spf1 include:MAILGUN.org -all"]
    assert spf(server, record) == ["spf.good"]


@pytest.mark.parametrize(
    ("end", "code", "level"),
    [
        ("+all", "spf.allows-all", "warning"),
        ("all", "spf.allows-all", "warning"),
        ("?all", "spf.open-end", "advice"),
        ("", "spf.open-end", "advice"),
    ],
)
def test_a_record_that_lets_others_send_is_reported(end: str, code: str, level: str, server: DnsServer) -> None:
    server.texts.update(GOOD)
    server.texts[DOMAIN] = [f"v=spf1 include:mailgun.org {end}".strip()]
    found = look(server, check="spf.")
    assert {name: finding.level for name, finding in found.items()} == {code: level}
    assert values(found[code]) == [(DOMAIN, "TXT", "v=spf1 include:mailgun.org ~all")]


@pytest.mark.parametrize(
    "part", ["ipv4:192.0.2.1", "ip4:192.0.2.300", "ip6:x", "include:", "exists", "a:", "all:x", "redirect=", "-"]
)
def test_a_part_that_spf_does_not_know_is_an_error(part: str, server: DnsServer) -> None:
    assert "spf.invalid" in spf(server, f"v=spf1 {part} include:mailgun.org ~all")


def test_unknown_modifiers_and_all_valid_parts_are_accepted(server: DnsServer) -> None:
    server.records.update({f"{DOMAIN} A": ["192.0.2.1"], f"{DOMAIN} MX": ["10 m.example.org."]})
    parts = "a mx a/24 mx//64 ip4:192.0.2.0/24 ip6:2001:db8::/32 exists:%{i}.x.example new=1 exp=e.example ptr"
    assert spf(server, f"v=spf1 {parts} include:mailgun.org -all redirect=") == ["spf.good"]


def test_lookups_of_included_records_count_too(server: DnsServer) -> None:
    for number in range(5):
        server.texts[f"s{number}.example.org"] = [f"v=spf1 a:h{number}.example.org -all"]
        server.records[f"h{number}.example.org A"] = ["192.0.2.1"]
    includes = " ".join(f"include:s{number}.example.org" for number in range(5))
    found = spf(server, f"v=spf1 {includes} include:mailgun.org ~all")
    assert found == ["spf.too-many-lookups"]
    assert "costs 11 lookups" in look(server)["spf.too-many-lookups"].says
    assert look(server)["spf.too-many-lookups"].level == "error"


def test_records_that_include_each_other_end_the_count(server: DnsServer) -> None:
    server.texts["loop.example.org"] = ["v=spf1 include:loop.example.org include:loop.example.org -all"]
    assert spf(server, "v=spf1 include:loop.example.org include:mailgun.org ~all")[0] == "spf.too-many-lookups"
    assert "at least 20" in look(server)["spf.too-many-lookups"].says
    assert server.asked.count("loop.example.org TXT") == 2


def test_more_than_two_lookups_of_nothing_are_a_warning(server: DnsServer) -> None:
    two = "a:x.example.org mx:y.example.org"
    assert spf(server, f"v=spf1 {two} include:mailgun.org ~all") == ["spf.good"]
    assert spf(server, f"v=spf1 {two} exists:z.example.org include:mailgun.org ~all") == ["spf.too-many-void-lookups"]
    assert look(server)["spf.too-many-void-lookups"].level == "warning"


def test_an_include_without_a_record_is_an_error(server: DnsServer) -> None:
    assert spf(server, "v=spf1 include:gone.example.org include:mailgun.org ~all") == ["spf.broken-include"]


def test_a_record_too_long_to_be_right_is_not_given_to_copy(server: DnsServer) -> None:
    server.texts[DOMAIN] = ["v=spf1 " + " ".join(f"ip4:192.0.{n}.1" for n in range(250)) + " ~all"]
    assert values(look(server)["spf.provider-missing"]) == []


def test_an_include_that_does_not_answer_hides_no_other_finding(server: DnsServer) -> None:
    server.broken.add("gone.example.org")
    server.texts[DOMAIN] = ["v=spf1 include:gone.example.org +all"]
    found = look(server)
    assert "spf.allows-all" in found
    assert "SPF could not be looked up" in found["dns.not-looked-up"].says
