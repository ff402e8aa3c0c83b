"""Check that DMARC reports come to the address that reads them here, if there is one (RFC 9990)."""

from collections.abc import Iterator

from newsletter.common.messages import Message
from newsletter.sending.deliverability.domain_checks.codes import DomainCode
from newsletter.sending.deliverability.domain_checks.dmarc import write_changed
from newsletter.sending.deliverability.domain_checks.dmarc_records import DmarcRecord, walk_tree
from newsletter.sending.deliverability.domain_checks.lookup import Dns
from newsletter.sending.deliverability.domain_checks.sender import Sender
from newsletter.sending.deliverability.domain_checks.tags import find_version
from newsletter.sending.deliverability.findings import Finding, RecordToAdd

MISSED_AFTER_DAYS = 7


def check_dmarc_reports(sender: Sender, dns: Dns) -> Iterator[Finding]:
    """Yield where the reports go; nothing without an address of ours, or without a DMARC record. Raise NoAnswer."""
    if not sender.reports_to:
        return
    walk = walk_tree(sender.domain, dns)
    record = walk.policy_record
    if record is None:
        return
    permission = _find_missing_permission(sender, record, walk.organisational_domain, dns)
    if sender.reports_to.lower() not in record.report_addresses:
        yield _describe_elsewhere(sender, record, permission)
    elif permission:
        yield Finding(
            _name(sender),
            "advice",
            Message("%(address)s may not get the reports: it belongs to another domain.", address=sender.reports_to),
            Message("Add this record at the domain of the address."),
            means=Message("Receivers send reports to another domain only if its DNS allows that."),
            code=DomainCode.REPORTS_NOT_ALLOWED,
            records=permission,
        )
    elif sender.reports_missed:
        yield Finding(
            _name(sender),
            "advice",
            Message(
                "No report came in %(days)s days, though mail went out and reports are asked for at %(address)s.",
                days=MISSED_AFTER_DAYS,
                address=sender.reports_to,
            ),
            Message(
                "Check that mail to %(address)s arrives: Settings › Mail that comes in shows when it was last read.",
                address=sender.reports_to,
            ),
            means=Message("Nobody hears who sends in your name."),
            code=DomainCode.REPORTS_MISSED,
        )
    else:
        yield Finding(_name(sender), "ok", _describe_good(sender), code=DomainCode.REPORTS_GOOD)


def _describe_good(sender: Sender) -> Message:
    if sender.last_report_at is None:
        return Message("Reports are asked for at %(address)s; none has come yet.", address=sender.reports_to)
    return Message(
        "Reports come to %(address)s; the last one came on %(day)s.",
        address=sender.reports_to,
        day=sender.last_report_at.date(),
    )


def _describe_elsewhere(sender: Sender, record: DmarcRecord, permission: tuple[RecordToAdd, ...]) -> Finding:
    uri = f"mailto:{sender.reports_to}"
    return Finding(
        _name(sender),
        "advice",
        Message(
            "The record at %(name)s does not ask for reports at %(address)s.",
            name=record.name,
            address=sender.reports_to,
        ),
        Message("Add the address (rua=) to the record. Others that are there can stay."),
        means=Message("The desk cannot show who sends in your name."),
        code=DomainCode.REPORTS_ELSEWHERE,
        records=(
            *write_changed(record, {"rua": f"{record.reports_to},{uri}" if record.reports_to else uri}),
            *permission,
        ),
    )


def _find_missing_permission(
    sender: Sender, record: DmarcRecord, organisation: str, dns: Dns
) -> tuple[RecordToAdd, ...]:
    """Return the record that lets reports go to an address of another organisation, () if it is there or not needed."""
    domain = sender.reports_to.rpartition("@")[2].lower()
    if walk_tree(domain, dns).organisational_domain == organisation:
        return ()
    name = f"{record.domain}._report._dmarc.{domain}"
    if any(find_version(text) == "DMARC1" for text in dns.find_txt(name)):
        return ()
    return (RecordToAdd(name, "TXT", "v=DMARC1"),)


def _name(sender: Sender) -> Message:
    return Message("DMARC reports of %(domain)s", domain=sender.domain)
