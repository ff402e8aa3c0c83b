"""Check TLS-RPT (RFC 8460): others report mail to the domain that they could not encrypt. It is advice, never an error."""

from collections.abc import Iterator

from newsletter.common.messages import Message
from newsletter.sending.deliverability.domain_checks.codes import DomainCode
from newsletter.sending.deliverability.domain_checks.lookup import Dns
from newsletter.sending.deliverability.domain_checks.sender import Sender
from newsletter.sending.deliverability.domain_checks.tags import find_version, read_tags
from newsletter.sending.deliverability.findings import Finding, RecordToAdd


def check_tls_reports(sender: Sender, dns: Dns) -> Iterator[Finding]:
    """Yield one finding; none if the domain receives no mail. Raise NoAnswer."""
    domain = sender.domain
    if not dns.find_mail_hosts(domain):
        return
    name = Message("TLS-RPT of %(domain)s", domain=domain)
    records = [text for text in dns.find_txt(f"_smtp._tls.{domain}") if find_version(text) == "TLSRPTv1"]
    targets = [target.strip() for text in records for target in read_tags(text).get("rua", "").split(",")]
    if len(records) == 1 and all(target.startswith(("mailto:", "https://")) for target in targets):
        yield Finding(
            name, "ok", Message("Reports go to %(target)s.", target=targets[0]), code=DomainCode.TLS_REPORTS_GOOD
        )
        return
    to_copy = (RecordToAdd(f"_smtp._tls.{domain}", "TXT", f"v=TLSRPTv1; rua=mailto:postmaster@{domain}"),)
    yield Finding(
        name,
        "advice",
        Message("The record at _smtp._tls.%(domain)s is there more than once, or names no address.", domain=domain)
        if records
        else Message("No record asks for reports about mail that could not be encrypted."),
        Message("Use this record, with an address that somebody reads."),
        means=Message("You do not learn if others cannot deliver mail to you safely. Sending is not affected."),
        code=DomainCode.TLS_REPORTS_INVALID if records else DomainCode.TLS_REPORTS_MISSING,
        records=to_copy,
    )
