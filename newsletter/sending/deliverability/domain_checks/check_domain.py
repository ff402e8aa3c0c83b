"""Run every check of a sender's domain. A failure of DNS is a finding of its own, never a missing record."""

from collections.abc import Callable, Iterator

from newsletter.common.messages import Message
from newsletter.content.fetching.fetcher import Fetcher
from newsletter.sending.deliverability.domain_checks.alignment import check_alignment
from newsletter.sending.deliverability.domain_checks.bimi import check_bimi
from newsletter.sending.deliverability.domain_checks.codes import DomainCode
from newsletter.sending.deliverability.domain_checks.complaint_reports import explain_complaint_reports
from newsletter.sending.deliverability.domain_checks.dkim_keys import check_dkim
from newsletter.sending.deliverability.domain_checks.dmarc import check_dmarc
from newsletter.sending.deliverability.domain_checks.dmarc_reports import check_dmarc_reports
from newsletter.sending.deliverability.domain_checks.lookup import Dns, NoAnswer
from newsletter.sending.deliverability.domain_checks.mta_sts import check_mta_sts
from newsletter.sending.deliverability.domain_checks.reverse_names import check_reverse_names
from newsletter.sending.deliverability.domain_checks.sender import Sender
from newsletter.sending.deliverability.domain_checks.spf import check_spf
from newsletter.sending.deliverability.domain_checks.tags import find_version, read_tags
from newsletter.sending.deliverability.findings import Finding, Level, RecordToAdd

Check = Callable[[], Iterator[Finding]]


def check_sender_domain(sender: Sender, *, dns: Dns, fetcher: Fetcher) -> Iterator[Finding]:
    """Yield the findings of every check in order."""
    checks: tuple[tuple[str, Level, Check], ...] = (
        ("SPF", "warning", lambda: check_spf(sender, dns)),
        ("DKIM", "warning", lambda: check_dkim(sender, dns)),
        ("DMARC", "warning", lambda: check_dmarc(sender, dns)),
        (Message("DMARC reports"), "advice", lambda: check_dmarc_reports(sender, dns)),
        (Message("DMARC alignment"), "advice", lambda: check_alignment(sender, dns)),
        ("PTR", "warning", lambda: check_reverse_names(sender, dns)),
        ("MTA-STS", "advice", lambda: check_mta_sts(sender, dns, fetcher)),
        ("TLS-RPT", "advice", lambda: check_tls_reports(sender, dns)),
        ("BIMI", "advice", lambda: check_bimi(sender, dns, fetcher)),
        (Message("complaint reports"), "advice", lambda: explain_complaint_reports(sender, dns)),
    )
    for label, level, check in checks:
        try:
            yield from check()
        except NoAnswer as problem:
            yield Finding(
                Message("DNS of %(domain)s", domain=sender.domain),
                level,
                Message("%(check)s could not be looked up. %(problem)s", check=label, problem=problem.message),
                Message("Check that this machine can reach DNS, then run this again."),
                means=Message("This does not say that a record is missing."),
                code=DomainCode.NOT_LOOKED_UP,
            )


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
