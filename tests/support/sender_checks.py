"""For the tests of a sender's domain: a sender of each kind of provider, and the findings by their codes."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from newsletter.content.fetching.fetcher import Fetched, Fetcher
from newsletter.providers.registry import read_provider_url
from newsletter.sending.deliverability.domain_checks.check_domain import check_sender_domain
from newsletter.sending.deliverability.domain_checks.sender import Sender
from newsletter.sending.deliverability.domains import make_sender
from newsletter.sending.deliverability.findings import Finding
from tests.support.dns_server import DnsServer

DOMAIN = "news.example.org"
URLS = {
    "mailgun": f"mailgun://key@{DOMAIN}",
    "postmark": "postmark://token@",
    "ses": "ses://key:secret@eu-west-1",
    "sparkpost": "sparkpost://key@",
    "scaleway": "scaleway://key@8c8bfa06-9d5f-4a3e-a6a5-1a4a4f2f0b7e",
    "mailersend": f"mailersend://key@{DOMAIN}",
    "smtp": "smtp://mail.example.org",
}


def make_key(*, bits: int = 2048) -> str:
    """Return the p= of a new RSA key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key()
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


NO_WEB = Fetcher(resolve=lambda host, port: [])
KEY = make_key()
GOOD: Mapping[str, Sequence[str]] = {
    DOMAIN: ["v=spf1 include:mailgun.org ~all"],
    "mailgun.org": ["v=spf1 ip4:192.0.2.0/24 ~all"],
    f"pic._domainkey.{DOMAIN}": [f"k=rsa; p={KEY}"],
    "_dmarc.example.org": ["v=DMARC1; p=none"],
}


def sender_of(url: str = URLS["mailgun"], *, domain: str = DOMAIN) -> Sender:
    return make_sender(domain, read_provider_url(url))


def look(
    server: DnsServer, *, sender: Sender | None = None, check: str = "", fetcher: Fetcher | None = None
) -> dict[str, Finding]:
    """Return the findings of one check (the part of the code before the dot), or of all, by code."""
    return by_code(
        check_sender_domain(sender or sender_of(), dns=server.make_dns(), fetcher=fetcher or NO_WEB), check=check
    )


def by_code(findings: Iterable[Finding], *, check: str = "") -> dict[str, Finding]:
    return {one.code: one for one in findings if one.code.startswith(check)}


def values(finding: Finding) -> list[tuple[str, str, str]]:
    return [(record.name, record.type, record.value) for record in finding.records]


class LoopbackFetcher(Fetcher):
    """Fetch every https address from a server on loopback, at "/HOST/PATH", with all of the guard's other rules."""

    def __init__(self, url: str) -> None:
        super().__init__(allow=["127.0.0.1"])
        self._base = url

    def fetch(self, url: str, **options: Any) -> Fetched:
        local = url.replace("https://", f"{self._base}/", 1)
        fetched = super().fetch(local, **options)
        return replace(fetched, url=url) if fetched.url == local else fetched
