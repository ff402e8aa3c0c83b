"""MTA-STS and TLS-RPT of a sender's domain are advice, with what to put where."""

import pytest

from newsletter.sending.deliverability.domain_checks import mta_sts
from newsletter.sending.deliverability.domain_checks.mta_sts import Policy, check_mta_sts
from newsletter.sending.deliverability.findings import Finding
from tests.support.dns_server import DnsServer
from tests.support.misbehaving_server import Answer, drip, misbehaving_server, respond
from tests.support.sender_checks import DOMAIN, LoopbackFetcher, by_code, look, sender_of, values

PATH = f"/mta-sts.{DOMAIN}/.well-known/mta-sts.txt"
GOOD = b"version: STSv1\r\nmode: enforce\r\nmx: mail.example.org\r\nmx: *.mx.example.org\r\nmax_age: 604800\r\n"


@pytest.fixture
def receiving(server: DnsServer) -> DnsServer:
    """A domain that receives mail and has an MTA-STS record."""
    server.records[f"{DOMAIN} MX"] = ["10 mail.example.org.", "20 b.mx.example.org."]
    server.texts[f"_mta-sts.{DOMAIN}"] = ["v=STSv1; id=20260101"]
    return server


def check(server: DnsServer, answer: Answer) -> dict[str, Finding]:
    with misbehaving_server() as web:
        web.routes[PATH] = answer
        web.routes["/moved"] = respond(GOOD)
        return by_code(check_mta_sts(sender_of(), server.make_dns(), LoopbackFetcher(web.url)))


@pytest.mark.parametrize(
    ("body", "code", "level"),
    [
        (GOOD, "good", "ok"),
        (GOOD.replace(b"\r\n", b"\n"), "good", "ok"),
        (GOOD.replace(b"enforce", b"testing"), "not-enforced", "advice"),
        (b"version: STSv1\nmode: none\nmax_age: 60\n", "not-enforced", "advice"),
        (GOOD.replace(b"mx: mail.example.org\r\n", b""), "other-hosts", "advice"),
        (GOOD.replace(b"STSv1", b"STSv2"), "invalid-policy", "advice"),
        (GOOD.replace(b"enforce", b"always"), "invalid-policy", "advice"),
        (GOOD.replace(b"604800", b"1" * 5000), "invalid-policy", "advice"),
        (GOOD.replace(b"604800", "²".encode()), "invalid-policy", "advice"),
        (b"\xff\xfe<html>", "invalid-policy", "advice"),
        (b"x" * 70_000, "no-policy", "advice"),
    ],
)
def test_each_policy_has_its_code(body: bytes, code: str, level: str, receiving: DnsServer) -> None:
    found = check(receiving, respond(body, Content_Type="text/plain"))
    assert {name: finding.level for name, finding in found.items()} == {f"mta-sts.{code}": level}


def test_a_policy_that_is_not_there_is_advice(receiving: DnsServer) -> None:
    assert list(check(receiving, respond(status="404 Not Found"))) == ["mta-sts.no-policy"]


def test_a_policy_that_redirects_does_not_count(receiving: DnsServer) -> None:
    found = check(receiving, respond(status="302 Found", Location="/moved"))
    assert "redirects" in found["mta-sts.invalid-policy"].says


def test_a_slow_policy_ends_in_time(receiving: DnsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = mta_sts.Limits(max_bytes=65_536, total=0.5)
    monkeypatch.setattr(mta_sts, "POLICY_LIMITS", limits)
    with misbehaving_server() as web:
        web.routes[PATH] = drip(web)
        found = by_code(check_mta_sts(sender_of(), receiving.make_dns(), LoopbackFetcher(web.url)))
    assert list(found) == ["mta-sts.no-policy"]


def test_the_finding_of_a_missing_record_has_its_name_and_value(receiving: DnsServer) -> None:
    del receiving.texts[f"_mta-sts.{DOMAIN}"]
    finding = look(receiving)["mta-sts.missing"]
    assert finding.level == "advice"
    assert f"https://mta-sts.{DOMAIN}/.well-known/mta-sts.txt" in finding.do
    assert "“mx: mail.example.org”" in finding.do
    assert values(finding) == [(f"_mta-sts.{DOMAIN}", "TXT", "v=STSv1; id=1")]


@pytest.mark.parametrize("texts", [["v=STSv1; id=1", "v=STSv1; id=2"], ["v=STSv1"], ["v=STSv1; id=a-b"]])
def test_a_record_that_does_not_count_is_advice(texts: list[str], receiving: DnsServer) -> None:
    receiving.texts[f"_mta-sts.{DOMAIN}"] = texts
    assert look(receiving)["mta-sts.invalid"].level == "advice"


def test_a_domain_without_mail_needs_neither(server: DnsServer) -> None:
    assert list(look(server, check="mta-sts.")) == ["mta-sts.no-mail"]
    assert look(server, check="tls-reports.") == {}


def test_a_wildcard_matches_one_label() -> None:
    policy = Policy(hosts=["*.example.org"])
    assert policy.allows("mx.example.org")
    assert not policy.allows("a.mx.example.org")
    assert not policy.allows("example.org")


@pytest.mark.parametrize(
    ("texts", "code", "level"),
    [
        (["v=TLSRPTv1; rua=mailto:a@example.org,https://r.example/x"], "good", "ok"),
        (["v=TLSRPTv1; rua=a@example.org"], "invalid", "advice"),
        (["v=TLSRPTv1;"], "invalid", "advice"),
        (["v=TLSRPTv1; rua=mailto:a@example.org", "v=TLSRPTv1; rua=mailto:b@example.org"], "invalid", "advice"),
        ([], "missing", "advice"),
    ],
)
def test_each_record_for_reports_has_its_code(texts: list[str], code: str, level: str, receiving: DnsServer) -> None:
    receiving.texts[f"_smtp._tls.{DOMAIN}"] = texts
    found = look(receiving, check="tls-reports.")
    assert {name: finding.level for name, finding in found.items()} == {f"tls-reports.{code}": level}
    if level == "advice":
        record = (f"_smtp._tls.{DOMAIN}", "TXT", f"v=TLSRPTv1; rua=mailto:postmaster@{DOMAIN}")
        assert values(found[f"tls-reports.{code}"]) == [record]


def test_advice_that_cannot_be_looked_up_stays_advice(server: DnsServer) -> None:
    server.broken.add(f"{DOMAIN}")
    found = look(server)
    assert found["dns.not-looked-up"].level == "advice"
    assert "TLS-RPT could not be looked up" in found["dns.not-looked-up"].says
