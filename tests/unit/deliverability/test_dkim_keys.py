"""DKIM keys under the provider's usual names become findings."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.dns_server import DnsServer
from tests.support.sender_checks import DOMAIN, GOOD, KEY, URLS, look, make_key, sender_of

PLACE = f"pic._domainkey.{DOMAIN}"
CURVE = base64.b64encode(
    ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
).decode()


@pytest.mark.parametrize(
    ("record", "code", "level"),
    [
        (f"v=DKIM1; k=rsa; p={KEY[:80]} {KEY[80:]}", "dkim.good", "ok"),
        (f"k=ed25519; p={base64.b64encode(b'k' * 32).decode()}", "dkim.good", "ok"),
        ("k=ed25519; p=AAAA", "dkim.unreadable", "warning"),
        ("v=DKIM1; p=", "dkim.revoked", "warning"),
        ("v=DKIM1; p=MIGf", "dkim.unreadable", "warning"),
        ("v=DKIM1; p=§", "dkim.unreadable", "warning"),
        (f"p={CURVE}", "dkim.unreadable", "warning"),
        (f"p={make_key(bits=1024)}", "dkim.short", "advice"),
        (f"t=s:y; p={KEY}", "dkim.testing", "advice"),
        ("v=DKIM1; k=rsa", "dkim.missing", "warning"),
    ],
)
def test_each_state_of_a_key_has_its_code(record: str, code: str, level: str, server: DnsServer) -> None:
    server.texts[PLACE] = [record]
    found = look(server, check="dkim.")
    assert {name: finding.level for name, finding in found.items()} == {code: level}


def test_a_key_under_1024_bits_is_a_warning(server: DnsServer) -> None:
    short = (
        "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAL0sDjIqLHTDTE6hQJm4p1HY1y0W7eFDyZ2VJ2w0xXoX"
        "7o0nlbJ7VHkyBz7vmIbFqI5cE2kDUoBz2QhZHkqQ2n8CAwEAAQ=="
    )
    server.texts[PLACE] = [f"p={short}"]
    assert list(look(server, check="dkim.")) == ["dkim.too-short"]


def test_two_keys_under_one_name_are_a_warning(server: DnsServer) -> None:
    server.texts[PLACE] = [f"p={KEY}", "p="]
    assert list(look(server, check="dkim.")) == ["dkim.several"]


def test_one_good_key_is_enough(server: DnsServer) -> None:
    server.texts[f"k1._domainkey.{DOMAIN}"] = [f"p={KEY}"]
    server.texts[PLACE] = ["p="]
    server.broken.add(f"mg._domainkey.{DOMAIN}")
    assert list(look(server, check="dkim.")) == ["dkim.good"]


def test_a_key_that_cannot_be_looked_up_is_not_called_missing(server: DnsServer) -> None:
    server.broken.add(f"mg._domainkey.{DOMAIN}")
    found = look(server)
    assert not any(code.startswith("dkim.") for code in found)
    assert "DKIM could not be looked up" in found["dns.not-looked-up"].says


def test_keys_with_unknown_names_are_not_searched_for(server: DnsServer) -> None:
    assert look(server, sender=sender_of(URLS["ses"]), check="dkim.") == {}


def test_keys_are_searched_at_the_domain_that_signs(server: DnsServer) -> None:
    server.texts.update(GOOD)
    assert look(server, sender=sender_of(domain="example.org"))["dkim.good"].check == f"DKIM of {DOMAIN}"
