"""Check BIMI: the record, its logo and its certificate. It is advice, never an error."""

from collections.abc import Iterator
from datetime import UTC, datetime

from cryptography import x509

from newsletter.common.messages import Message
from newsletter.content.fetching.errors import FetchError
from newsletter.content.fetching.fetcher import Fetcher, Limits
from newsletter.sending.deliverability.domain_checks.bimi_logo import find_logo_problems
from newsletter.sending.deliverability.domain_checks.codes import DomainCode
from newsletter.sending.deliverability.domain_checks.dmarc_records import TreeWalk, walk_tree
from newsletter.sending.deliverability.domain_checks.lookup import Dns
from newsletter.sending.deliverability.domain_checks.sender import Sender
from newsletter.sending.deliverability.domain_checks.tags import find_version, read_tags
from newsletter.sending.deliverability.findings import Finding, RecordToAdd

FILE_LIMITS = Limits(max_bytes=262_144, connect=3.0, first_byte=5.0, total=8.0)
_NOT_SHOWN = Message("Mailboxes do not show your logo beside your mail.")
PURPOSE = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.31")
MAX_CERTIFICATES = 8


def check_bimi(sender: Sender, dns: Dns, fetcher: Fetcher) -> Iterator[Finding]:
    """Yield the findings. Raise NoAnswer."""
    name, walk = Message("BIMI of %(domain)s", domain=sender.domain), walk_tree(sender.domain, dns)
    if not _is_enforced(walk):
        yield Finding(
            name,
            "advice",
            Message("The DMARC policy is not enforced, which BIMI needs."),
            Message(
                "Set p=quarantine or p=reject, without t=y, once the DMARC reports look right. Then add a BIMI record."
            ),
            means=_NOT_SHOWN,
            code=DomainCode.BIMI_NEEDS_DMARC,
        )
        return
    domain, records = _find_records(sender.domain, walk, dns)
    tags = read_tags(records[0]) if records else {}
    logo, certificate = tags.get("l", ""), tags.get("a", "")
    if not records:
        yield _describe_missing(name, sender.domain)
    elif len(records) == 1 and "l" in tags and not logo and not certificate:
        says = Message("The record says that the domain has no logo.")
        yield Finding(name, "ok", says, code=DomainCode.BIMI_DECLINED)
    elif (
        len(records) > 1 or not logo.startswith("https://") or (certificate and not certificate.startswith("https://"))
    ):
        yield Finding(
            name,
            "advice",
            Message(
                "There are several records at default._bimi.%(domain)s, or its addresses are not https.", domain=domain
            ),
            Message("Keep one record, with https addresses in l= and a=."),
            means=_NOT_SHOWN,
            code=DomainCode.BIMI_INVALID,
        )
    else:
        domains = {sender.domain, walk.organisational_domain}
        allowed = frozenset(domains | {f"default._bimi.{signed}" for signed in domains})
        problems = [*_check_logo(name, logo, fetcher), *_check_certificate(name, certificate, fetcher, domains=allowed)]
        yield from problems
        if not problems:
            yield Finding(name, "ok", Message("The logo and its certificate can be used."), code=DomainCode.BIMI_GOOD)


def _is_enforced(walk: TreeWalk) -> bool:
    """Return True if failing mail of the domain, and of its organisation, is at least quarantined."""
    record = walk.policy_record
    return record is not None and "none" not in (
        walk.applied_policy,
        record.find_applied_policy(record.domain),
    )


def _find_records(domain: str, walk: TreeWalk, dns: Dns) -> tuple[str, list[str]]:
    """Return the records of the domain, or else those of its organisation, and where they are."""
    for name in dict.fromkeys((domain, walk.organisational_domain)):
        records = [text for text in dns.find_txt(f"default._bimi.{name}") if find_version(text) == "BIMI1"]
        if records:
            return name, records
    return domain, []


def _describe_missing(name: Message, domain: str) -> Finding:
    logo = f"https://{domain}/bimi.svg"
    return Finding(
        name,
        "advice",
        Message("No record names a logo."),
        Message(
            "Put your logo as SVG Tiny PS at %(logo)s, then add this record. For Gmail and Apple Mail, buy a certificate "
            "too (VMC; Gmail also takes a CMC, which needs no trademark) and add its address as a=.",
            logo=logo,
        ),
        means=_NOT_SHOWN,
        code=DomainCode.BIMI_MISSING,
        records=(RecordToAdd(f"default._bimi.{domain}", "TXT", f"v=BIMI1; l={logo};"),),
    )


def _check_logo(name: Message, url: str, fetcher: Fetcher) -> Iterator[Finding]:
    try:
        raw = fetcher.fetch(url, limits=FILE_LIMITS, accept="image/svg+xml").body
    except FetchError as problem:
        yield Finding(
            name,
            "advice",
            Message("The logo at %(url)s cannot be read. %(problem)s", url=url[:300], problem=problem.message),
            Message("Put the logo there, or correct l= in the record."),
            means=_NOT_SHOWN,
            code=DomainCode.BIMI_NO_LOGO,
        )
        return
    if problems := find_logo_problems(raw):
        yield Finding(
            name,
            "advice",
            Message("The logo is not SVG Tiny PS: %(problems)s.", problems=Message.joined(problems)),
            Message("Ask whoever drew the logo to export it as SVG Tiny PS (BIMI)."),
            means=_NOT_SHOWN,
            code=DomainCode.BIMI_INVALID_LOGO,
        )


def _check_certificate(name: Message, url: str, fetcher: Fetcher, *, domains: frozenset[str]) -> Iterator[Finding]:
    if not url:
        yield Finding(
            name,
            "advice",
            Message("The record names no certificate."),
            Message("Buy a certificate (VMC, or CMC for Gmail alone), and add its address to the record as a=."),
            means=Message("Gmail and Apple Mail do not show the logo; some other mailboxes do."),
            code=DomainCode.BIMI_NO_CERTIFICATE,
        )
        return
    problem: Message | None
    try:
        raw = fetcher.fetch(url, limits=FILE_LIMITS).body
    except FetchError as error:
        problem = error.message
    else:
        problem = find_certificate_problem(raw, domains=domains, now=datetime.now(UTC))
    if problem:
        yield Finding(
            name,
            "advice",
            Message("The certificate at %(url)s cannot be used: %(problem)s", url=url[:300], problem=problem),
            Message("Ask the company that issued it for a new one."),
            means=Message("Gmail and Apple Mail do not show the logo; some other mailboxes do."),
            code=DomainCode.BIMI_INVALID_CERTIFICATE,
        )


def find_certificate_problem(raw: bytes, *, domains: frozenset[str], now: datetime) -> Message | None:
    """Return why receivers refuse the certificate, None if nothing is wrong. ``domains`` are those it may name."""
    if raw.count(b"-----BEGIN") > MAX_CERTIFICATES:
        return Message("the file has more than %(limit)s certificates", limit=MAX_CERTIFICATES)
    try:
        certificate = x509.load_pem_x509_certificates(raw)[0]
        purposes = list(_find_purposes(certificate))
        names = {name.lower() for name in _find_names(certificate)}
    except (ValueError, x509.InvalidVersion, x509.UnsupportedGeneralNameType, x509.DuplicateExtension):
        return Message("the file is no certificate in PEM form")
    if certificate.not_valid_after_utc < now:
        return Message("it expired on %(day)s", day=certificate.not_valid_after_utc.date())
    if certificate.not_valid_before_utc > now:
        return Message("it is not valid before %(day)s", day=certificate.not_valid_before_utc.date())
    if PURPOSE not in purposes:
        return Message("it is not for BIMI")
    if not names & domains:
        return Message("it is not for your domain")
    return None


def _find_purposes(certificate: x509.Certificate) -> x509.ExtendedKeyUsage | tuple[()]:
    try:
        return certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return ()


def _find_names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.DNSName)
