"""Check the DNS records that authenticate a sender's domain: SPF, DKIM and DMARC."""

from collections.abc import Callable, Iterator

import dns.exception
import dns.resolver

from newsletter.common.errors import DomainError
from newsletter.common.messages import Message
from newsletter.providers.base.contract import DnsRecords
from newsletter.sending.deliverability.findings import Finding, error, ok, warning

TIMEOUT_SECONDS = 3.0
FindTxtRecords = Callable[[str], list[str]]


class NoAnswer(DomainError):
    """DNS did not answer, which says nothing about the name."""


def find_txt_records(name: str) -> list[str]:
    """Return the TXT records of a name, [] if there are none. Raise NoAnswer."""
    resolver = dns.resolver.Resolver()
    try:
        answer = resolver.resolve(name, "TXT", lifetime=TIMEOUT_SECONDS, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException as error:
        raise NoAnswer(
            "DNS did not answer about %(name)s (%(error)s).", name=name, error=type(error).__name__
        ) from error
    return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]


def check_sender_domain(domain: str, *, wanted: DnsRecords, find: FindTxtRecords) -> Iterator[Finding]:
    """Yield a finding for SPF, DKIM and DMARC of a domain in ASCII. If DNS does not answer, that is a warning.

    SPF and DKIM are left out if the provider's records have no known names.
    """
    checks = [_check_spf] * bool(wanted.spf) + [_check_dkim] * bool(wanted.selectors) + [_check_dmarc]
    for check in checks:
        try:
            yield check(domain, wanted, find)
        except NoAnswer as problem:
            yield warning(
                Message("DNS of %(domain)s", domain=domain),
                problem.message,
                Message("Check that this machine can reach DNS, then run this again."),
            )


def _check_spf(domain: str, wanted: DnsRecords, find: FindTxtRecords) -> Finding:
    name = Message("SPF of %(domain)s", domain=domain)
    records = [text for text in find(domain) if text.lower().split(" ")[0] == "v=spf1"]
    add = Message(
        "Add the TXT record “v=spf1 %(spf)s ~all” to %(domain)s, as your provider's pages say.",
        spf=wanted.spf,
        domain=domain,
    )
    if len(records) > 1:
        return error(
            name,
            Message("There are %(records)s SPF records, so receivers use none.", records=len(records)),
            Message("Merge them into one record."),
        )
    if not records:
        level = error if wanted.needs_spf else warning
        return level(name, Message("No SPF record says who may send for the domain."), add)
    if wanted.spf not in records[0].lower():
        do = Message(
            "Add %(spf)s to the record, unless your provider sends bounces to a domain of its own.", spf=wanted.spf
        )
        return warning(name, Message("The SPF record does not name the provider."), do)
    return ok(name, Message("The SPF record names the provider."))


def _check_dkim(domain: str, wanted: DnsRecords, find: FindTxtRecords) -> Finding:
    name = Message("DKIM of %(domain)s", domain=domain)
    for selector in wanted.selectors:
        texts = find(f"{selector}._domainkey.{domain}")
        if any("p=" in text.replace(" ", "").lower() for text in texts):
            return ok(name, Message("A signing key is published (%(selector)s).", selector=selector))
    do = Message(
        "Check on your provider's pages that the domain is verified. Its keys may have names that are unknown here."
    )
    return warning(name, Message("No signing key was found under the provider's usual names."), do)


def _check_dmarc(domain: str, wanted: DnsRecords, find: FindTxtRecords) -> Finding:
    name = Message("DMARC of %(domain)s", domain=domain)
    labels = domain.split(".")
    for start in range(max(len(labels) - 1, 1)):
        parent = ".".join(labels[start:])
        if any(text.lower().replace(" ", "").startswith("v=dmarc1") for text in find(f"_dmarc.{parent}")):
            return ok(name, Message("A policy is published at %(parent)s.", parent=parent))
    do = Message(
        "Add the TXT record “v=DMARC1; p=none” to _dmarc.%(domain)s. Make it stricter once the reports look right.",
        domain=domain,
    )
    return error(
        name, Message("No DMARC policy is published. Large mailbox providers refuse bulk mail without one."), do
    )
