"""BIMI is advice: the record, its logo, its certificate, and the DMARC policy that it needs."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from newsletter.sending.deliverability.domain_checks.bimi import PURPOSE, check_bimi
from newsletter.sending.deliverability.domain_checks.bimi_logo import MAX_BYTES, find_logo_problems
from newsletter.sending.deliverability.findings import Finding
from tests.support.certificate import change_version
from tests.support.dns_server import DnsServer
from tests.support.misbehaving_server import MisbehavingServer, misbehaving_server, respond
from tests.support.sender_checks import DOMAIN, LoopbackFetcher, by_code, look, sender_of, values

LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" version="1.2" baseProfile="tiny-ps" viewBox="0 0 64 64">'
    '<title>Open Door</title><defs><linearGradient id="g"/></defs><rect width="64" height="64" fill="url(#g)"/></svg>'
)
RECORD = "v=BIMI1; l=https://logo.example.org/l.svg; a=https://logo.example.org/c.pem"


def make_certificate(*, name: str = DOMAIN, days: int = 30, begins: int = -60, purpose: bool = True) -> bytes:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Open Door")])
    builder = x509.CertificateBuilder().subject_name(issuer).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now + timedelta(days=begins))
    builder = builder.not_valid_after(now + timedelta(days=days))
    if name:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    if purpose:
        builder = builder.add_extension(x509.ExtendedKeyUsage([PURPOSE]), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


@pytest.fixture
def web() -> Iterator[MisbehavingServer]:
    with misbehaving_server() as running:
        running.routes["/logo.example.org/l.svg"] = respond(LOGO.encode())
        running.routes["/logo.example.org/c.pem"] = respond(make_certificate())
        yield running


@pytest.fixture
def enforced(server: DnsServer) -> DnsServer:
    """A domain whose organisation enforces DMARC and has a BIMI record."""
    server.texts["_dmarc.example.org"] = ["v=DMARC1; p=reject"]
    server.texts["default._bimi.example.org"] = [RECORD]
    return server


def check(server: DnsServer, web: MisbehavingServer) -> dict[str, Finding]:
    return by_code(check_bimi(sender_of(), server.make_dns(), LoopbackFetcher(web.url)))


def test_a_logo_with_a_certificate_is_good(enforced: DnsServer, web: MisbehavingServer) -> None:
    assert {code: finding.level for code, finding in check(enforced, web).items()} == {"bimi.good": "ok"}


@pytest.mark.parametrize(
    "policy", ["p=none", "p=reject; t=y; sp=quarantine", "p=reject; sp=none", "p=quarantine; t=y", ""]
)
def test_bimi_needs_an_enforced_policy(policy: str, enforced: DnsServer, web: MisbehavingServer) -> None:
    enforced.texts["_dmarc.example.org"] = [f"v=DMARC1; {policy}"]
    assert {code: finding.level for code, finding in check(enforced, web).items()} == {"bimi.needs-dmarc": "advice"}


def test_a_missing_record_is_given_ready_to_copy(enforced: DnsServer) -> None:
    del enforced.texts["default._bimi.example.org"]
    finding = look(enforced)["bimi.missing"]
    assert finding.level == "advice"
    assert values(finding) == [(f"default._bimi.{DOMAIN}", "TXT", f"v=BIMI1; l=https://{DOMAIN}/bimi.svg;")]


@pytest.mark.parametrize(
    ("texts", "codes"),
    [
        (["v=BIMI1; l=; a=;"], ["bimi.declined"]),
        (["v=BIMI1; l="], ["bimi.declined"]),
        (["v=BIMI1"], ["bimi.invalid"]),
        (["v=BIMI1; l=http://logo.example.org/l.svg"], ["bimi.invalid"]),
        (["v=BIMI1; l=https://logo.example.org/l.svg; a=x"], ["bimi.invalid"]),
        ([RECORD, RECORD + ";"], ["bimi.invalid"]),
        (["v=BIMI1; l=https://logo.example.org/l.svg"], ["bimi.no-certificate"]),
        (["v=BIMI1; l=https://logo.example.org/none.svg"], ["bimi.no-logo", "bimi.no-certificate"]),
        (["v=BIMI1; l=https://logo.example.org/l.svg; a=https://logo.example.org/n"], ["bimi.invalid-certificate"]),
    ],
)
def test_each_record_has_its_codes(
    texts: list[str], codes: list[str], enforced: DnsServer, web: MisbehavingServer
) -> None:
    enforced.texts["default._bimi.example.org"] = texts
    assert list(check(enforced, web)) == codes


def test_the_record_of_the_domain_itself_comes_first(enforced: DnsServer, web: MisbehavingServer) -> None:
    enforced.texts[f"default._bimi.{DOMAIN}"] = ["v=BIMI1; l="]
    assert list(check(enforced, web)) == ["bimi.declined"]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("tiny-ps", "tiny", "baseProfile"),
        ('version="1.2"', 'version="1.1"', "version"),
        ("<title>Open Door</title>", "<title> </title>", "no title"),
        ("<title>Open Door</title>", "", "no title"),
        ("0 0 64 64", "0 0 64 32", "not square"),
        ("0 0 64 64", "0 0 0 0", "not square"),
        ("0 0 64 64", "0 0 x y", "no viewBox"),
        ("0 0 64 64", "0 0 nan nan", "no viewBox"),
        ('viewBox="0 0 64 64"', "", "no viewBox"),
        ("viewBox", 'x="0" viewBox', "x or y"),
        ("<defs>", "<defs><script/>", "<script>"),
        ("<defs>", '<image href="#a"/><defs>', "<image>"),
        ("<rect", '<rect onclick="x()"', "script in an attribute"),
        ("url(#g)", "url('https://e.example/a')", "outside"),
        ("<defs>", '<defs><use href="https://e.example/a"/>', "outside"),
        ("<svg", '<!DOCTYPE svg [<!ENTITY a "b">]><svg', "not readable"),
        ("</svg>", "", "not readable"),
        ("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml", "not an SVG"),
        ("</svg>", " " * MAX_BYTES + "</svg>", "more than 32,768"),
    ],
)
def test_each_fault_of_a_logo_is_named(
    old: str, new: str, problem: str, enforced: DnsServer, web: MisbehavingServer
) -> None:
    web.routes["/logo.example.org/l.svg"] = respond(LOGO.replace(old, new).encode())
    finding = check(enforced, web)["bimi.invalid-logo"]
    assert finding.level == "advice"
    assert problem in finding.says


def test_a_good_logo_has_no_problems_and_noise_has() -> None:
    assert find_logo_problems(LOGO.encode()) == []
    for raw in (b"", b"\xff\xfe\x00", b"\x89PNG", b"<?xml version='1.0' encoding='nothing'?><svg/>"):
        assert find_logo_problems(raw)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (make_certificate(days=-1), "expired on"),
        (make_certificate(begins=10), "not valid before"),
        (make_certificate(purpose=False), "not for BIMI"),
        (make_certificate(name="other.example"), "not for your domain"),
        (make_certificate(name=""), "not for your domain"),
        (b"none", "no certificate"),
        (change_version(make_certificate()), "no certificate"),
        (make_certificate() * 9, "more than 8"),
    ],
)
def test_each_fault_of_a_certificate_is_named(
    raw: bytes, problem: str, enforced: DnsServer, web: MisbehavingServer
) -> None:
    web.routes["/logo.example.org/c.pem"] = respond(raw)
    finding = check(enforced, web)["bimi.invalid-certificate"]
    assert finding.level == "advice"
    assert problem in finding.says


@pytest.mark.parametrize("name", ["example.org", "default._bimi.example.org", "NEWS.example.org"])
def test_a_certificate_may_name_the_organisation(name: str, enforced: DnsServer, web: MisbehavingServer) -> None:
    web.routes["/logo.example.org/c.pem"] = respond(make_certificate(name=name))
    assert list(check(enforced, web)) == ["bimi.good"]
