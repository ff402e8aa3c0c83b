"""Keep a report that was read, once, or count why it is refused. Nothing is decided by a report: anybody can write one."""

from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Sum

from newsletter.content.parsing.aggregate_reports.report import AggregateReport, ReportFile, ReportProblem
from newsletter.content.parsing.aggregate_reports.sandboxed import parse_report_in_sandbox
from newsletter.models import DmarcRefusal, DmarcReport, DmarcReportRow, Publication, SenderDomain
from newsletter.sending.deliverability.domains import domain_of

BY_HAND = "hand"
"""The origin of a report whose file staff gave."""
MAX_SPAN = timedelta(days=31)
CLOCK_TOLERANCE = timedelta(days=1)
"""A report may end this far in the future: receivers close their days in zones of their own."""
MAX_REPORTS_A_DAY, MAX_ROWS_A_DAY = 500, 20_000
"""Limits for reports by mail in 24 hours. Anybody can send some to the address in the DMARC record."""
_Code = DmarcRefusal.Code
RETENTION = timedelta(days=100)
"""A report is kept this long after the last moment that it is about. The desk shows at most 90 days."""


def is_flooded(*, now: datetime) -> bool:
    """Return True if no more reports by mail are read now. Ask it before reading one, which can take seconds.

    Refused ones of the day (UTC) count too, because they took as long to read.
    """
    recent = DmarcReport.objects.filter(received_at__gt=now - timedelta(days=1)).exclude(origin=BY_HAND)
    refused = DmarcRefusal.objects.filter(day=now.astimezone(UTC).date()).exclude(code=_Code.TOO_MANY)
    read = recent.count() + (refused.aggregate(read=Sum("reports"))["read"] or 0)
    return read >= MAX_REPORTS_A_DAY or DmarcReportRow.objects.filter(report__in=recent).count() >= MAX_ROWS_A_DAY


def store_report(
    answer: AggregateReport | ReportProblem | DmarcRefusal.Code, *, origin: str, now: datetime
) -> DmarcRefusal.Code | None:
    """Keep a report. Return None, or why it was refused, which is counted."""
    if isinstance(answer, AggregateReport):
        code = _find_refusal(answer, origin=origin, now=now)
        if code is None and not _keep(answer, origin=origin, now=now):
            code = _Code.KNOWN
    else:
        code = _Code(answer.value)
    if code is not None:
        _count_refusal(code, now=now)
    return code


def store_report_file(content: bytes, *, now: datetime) -> DmarcRefusal.Code | None:
    """Read and keep the file of a report that staff gave. Return None, or why it was refused, which is counted."""
    return store_report(parse_report_in_sandbox(ReportFile(content)), origin=BY_HAND, now=now)


def _find_refusal(report: AggregateReport, *, origin: str, now: datetime) -> DmarcRefusal.Code | None:
    begins, ends = _moment(report.begins), _moment(report.ends)
    if report.domain not in list_own_domains():
        return _Code.OTHER_DOMAIN
    if begins > ends or ends - begins > MAX_SPAN or ends > now + CLOCK_TOLERANCE:
        return _Code.BAD_RANGE
    if ends < now - RETENTION:
        return _Code.TOO_OLD
    if origin != BY_HAND and is_flooded(now=now):
        return _Code.TOO_MANY
    return None


def _keep(answer: AggregateReport, *, origin: str, now: datetime) -> bool:
    """Return False if this report is kept already; the first one stays as it is."""
    try:
        with transaction.atomic():
            report = DmarcReport.objects.create(
                reporter=answer.reporter,
                report_id=answer.report_id,
                domain=answer.domain,
                begins_at=_moment(answer.begins),
                ends_at=_moment(answer.ends),
                received_at=now,
                origin=origin,
            )
            DmarcReportRow.objects.bulk_create(
                (DmarcReportRow(report=report, **vars(row)) for row in answer.rows), batch_size=500
            )
    except IntegrityError:
        same_report = DmarcReport.objects.filter(
            reporter=answer.reporter, report_id=answer.report_id, domain=answer.domain
        ).exists()
        if not same_report:
            raise
        return False
    return True


def _count_refusal(code: DmarcRefusal.Code, *, now: datetime) -> None:
    row, _ = DmarcRefusal.objects.get_or_create(day=now.astimezone(UTC).date(), code=code)
    DmarcRefusal.objects.filter(pk=row.pk).update(reports=F("reports") + 1)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def list_own_domains() -> set[str]:
    """Return the domains of all publications' senders and of their DMARC records, in ASCII and lower case."""
    addresses = Publication.objects.values_list("from_email", flat=True)
    senders = {domain.lower() for address in addresses if (domain := domain_of(address))}
    above = SenderDomain.objects.filter(domain__in=senders).exclude(policy_domain="")
    return senders | {domain.lower() for domain in above.values_list("policy_domain", flat=True)}


def delete_old_reports(*, now: datetime) -> int:
    """Delete old reports, and the counts of refused ones. Return how many reports."""
    DmarcRefusal.objects.filter(day__lt=(now - RETENTION).astimezone(UTC).date()).delete()
    _, deleted = DmarcReport.objects.filter(ends_at__lt=now - RETENTION).delete()
    return deleted.get(DmarcReport._meta.label, 0)
