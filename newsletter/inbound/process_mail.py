"""Process one inbound mail, once: unsubscribe, record a bounce, complaint or DMARC report, or keep a reply.

What programs write is ignored. A mail and its reports are read in sandboxes first. All effects are one transaction with the
row's new state. Nothing is ever answered.
"""

from datetime import datetime

from django.db import transaction

from newsletter.content.parsing.aggregate_reports.report import AggregateReport, ReportFile, ReportProblem
from newsletter.content.parsing.aggregate_reports.sandboxed import parse_report_in_sandbox
from newsletter.content.parsing.mails.parsed_mail import MailKind, ParsedMail, RawMail
from newsletter.content.parsing.mails.sandboxed import parse_mail_in_sandbox
from newsletter.inbound.addresses import find_unsubscribes, is_own_address
from newsletter.inbound.reading_order import list_waiting, list_waiting_unsubscribes
from newsletter.inbound.replies import take_reply
from newsletter.inbound.reports import take_report
from newsletter.models import DmarcRefusal, InboundMail, transition
from newsletter.sending.deliverability.dmarc_reports.store import is_flooded, store_report
from subscribers.identity import has_own_key
from subscribers.unsubscribing.one_click import unsubscribe_batch

MAILS_A_ROUND = 100
_State, _Kind = InboundMail.State, InboundMail.Kind
_Report = AggregateReport | ReportProblem | DmarcRefusal.Code
SOURCE = "mail"
"""The source that the log of consent names for an unsubscribe by mail."""


def handle_waiting_mails(*, now: datetime) -> int:
    """Act on the mails that are stored and not read: those that unsubscribe, then the oldest. Return how many.

    Under another address key than the database has, the others wait: no address would find a person.
    """
    keys = list_waiting(limit=MAILS_A_ROUND) if has_own_key() else list_waiting_unsubscribes(limit=MAILS_A_ROUND)
    for key in keys:
        for row in InboundMail.objects.filter(pk=key):
            handle_mail(row, now=now)
    return len(keys)


def handle_mail(row: InboundMail, *, now: datetime) -> InboundMail:
    """Act on a mail if nobody did before. Return its row as it is then.

    Under another address key than the database has, a reply stays as it is.
    """
    if row.state != _State.WAITING or row.raw is None:
        return row
    parsed = parse_mail_in_sandbox(RawMail(bytes(row.raw), cut=row.cut))
    reports = _read_aggregate_reports(parsed, cut=row.cut, now=now) if parsed else []
    with transaction.atomic():
        if parsed is None:
            transition(row, from_states=[_State.WAITING], to=_State.UNREADABLE, read_at=now)
        else:
            _act(row, parsed, reports, now=now)
    row.refresh_from_db()
    return row


def _read_aggregate_reports(parsed: ParsedMail, *, cut: bool, now: datetime) -> list[_Report]:
    """Return the content of the files of a DMARC report. The end of a mail that was cut is missing.

    In a flood, and in a mail that unsubscribes somebody, nothing is read: reports must not delay mails that unsubscribe.
    """
    if not parsed.report_files or find_unsubscribes(parsed.recipients):
        return []
    if is_flooded(now=now):
        return [DmarcRefusal.Code.TOO_MANY for _ in parsed.report_files]
    if cut:
        return [ReportProblem.TOO_LARGE for _ in parsed.report_files]
    return [parse_report_in_sandbox(ReportFile(content)) for content in parsed.report_files]


def _act(row: InboundMail, parsed: ParsedMail, reports: list[_Report], *, now: datetime) -> None:
    """Check for a signed address to unsubscribe first. It is sufficient; the rest of the mail does not matter.

    Under another address key than the database has, the sender of a reply would be a stranger, so it waits for the right one.
    """
    unsubscribes = find_unsubscribes(parsed.recipients)
    if unsubscribes:
        if _close(row, _Kind.UNSUBSCRIBE, now=now):
            unsubscribe_batch(unsubscribes, now=now, source=SOURCE)
    elif parsed.kind in (MailKind.BOUNCE, MailKind.COMPLAINT):
        if _close(row, _Kind(parsed.kind.value), now=now):
            take_report(parsed, key=row.key, now=now)
    elif parsed.kind is MailKind.AGGREGATE_REPORT:
        if _close(row, _Kind.DMARC, now=now):
            for report in reports:
                store_report(report, origin=row.origin, now=now)
    elif parsed.kind is MailKind.AUTOMATIC or is_own_address(parsed.sender):
        _close(row, _Kind.AUTOMATIC, now=now)
    elif has_own_key():
        take_reply(row, parsed, now=now)


def _close(row: InboundMail, kind: InboundMail.Kind, *, now: datetime) -> bool:
    """Close the row and forget the mail. Return False if another process was faster."""
    return transition(row, from_states=[_State.WAITING], to=_State.DONE, kind=kind, raw=None, read_at=now)
