"""DMARC aggregate reports as receivers send them, after the examples of RFC 7489 and RFC 9990."""

import gzip
import zipfile
from datetime import datetime, timedelta
from email.message import EmailMessage
from io import BytesIO

from newsletter.content.parsing.aggregate_reports.parse_report import parse_report
from newsletter.content.parsing.aggregate_reports.report import ReportFile, ReportProblem
from newsletter.models import Publication, SenderDomain
from newsletter.sending.deliverability.dmarc_reports.store import store_report
from newsletter.sending.deliverability.domains import domain_of
from tests.support.fixtures import NOW
from tests.support.inbound_mails import INBOUND_ADDRESS

OWN = "192.0.2.10"
"""The address from which our own provider sends."""
OTHER = "203.0.113.9"


def make_record(
    *,
    source: str = OWN,
    mails: int | str = 1,
    header_from: str = "news.example.org",
    disposition: str = "none",
    dkim: str = "pass",
    spf: str = "fail",
    signed_by: str = "news.example.org",
    signature: str = "pass",
    return_path: str = "",
    reason: str = "",
) -> str:
    """Return a record: mails that passed by our own signature, unless changed."""
    why = f"<reason><type>{reason}</type><comment>x</comment></reason>" if reason else ""
    signatures = f"<dkim><domain>{signed_by}</domain><selector>s1</selector><result>{signature}</result></dkim>"
    paths = f"<spf><domain>{return_path}</domain><scope>mfrom</scope><result>pass</result></spf>" if return_path else ""
    return f"""<record><row><source_ip>{source}</source_ip><count>{mails}</count>
<policy_evaluated><disposition>{disposition}</disposition><dkim>{dkim}</dkim><spf>{spf}</spf>{why}</policy_evaluated></row>
<identifiers><envelope_to>example.net</envelope_to><header_from>{header_from}</header_from></identifiers>
<auth_results>{signatures if signed_by else ""}{paths}</auth_results></record>"""


def make_report(
    *records: str,
    reporter: str = "google.com",
    report_id: str = "1",
    domain: str = "news.example.org",
    ends: datetime = NOW,
    days: float = 1,
    head: str = "",
) -> bytes:
    """Return the XML of a report. Without records it has one, of one mail that passed."""
    begin, end = int((ends - timedelta(days=days)).timestamp()), int(ends.timestamp())
    return f"""<?xml version="1.0" encoding="UTF-8"?>{head}
<feedback><version>1.0</version>
<report_metadata><org_name>{reporter}</org_name><email>dmarc@{reporter}</email><report_id>{report_id}</report_id>
<date_range><begin>{begin}</begin><end>{end}</end></date_range></report_metadata>
<policy_published><domain>{domain}</domain><adkim>r</adkim><aspf>r</aspf><p>none</p><sp>none</sp></policy_published>
{"".join(records or [make_record(header_from=domain)])}</feedback>""".encode()


def pack(xml: bytes, *, name: str = "report.xml") -> bytes:
    """Return the file as a zip archive."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, xml)
    return packed.getvalue()


def make_report_mail(
    content: bytes | None = None,
    *,
    domain: str = "news.example.org",
    subject: str = "",
    file_name: str = "",
    content_type: str = "application/gzip",
    sender: str = "noreply-dmarc-support@google.com",
) -> EmailMessage:
    """Return the mail with a report, by default one of Google's."""
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, INBOUND_ADDRESS
    mail["Subject"] = subject or f"Report domain: {domain} Submitter: google.com Report-ID: 1"
    mail["Message-ID"] = "<report-1@google.com>"
    main, _, sub = content_type.partition("/")
    mail.add_attachment(
        gzip.compress(make_report(domain=domain)) if content is None else content,
        maintype=main,
        subtype=sub,
        filename=file_name or f"google.com!{domain}!1772668800!1772755199.xml.gz",
    )
    return mail


def keep_sample_reports(*, now: datetime) -> str:
    """Keep reports with every kind of source about the first publication's domain, whose policy is known. Return the domain."""
    domain = domain_of(Publication.objects.earliest("pk").from_email)
    SenderDomain.objects.update_or_create(
        domain=domain, defaults={"policy_domain": domain, "policy": "none", "policy_tag": "p"}
    )
    ours = {"header_from": domain, "signed_by": domain}
    failed = ours | {"dkim": "fail"}
    good = (
        make_record(mails=1700, **ours),
        make_record(source="192.0.2.11", mails=600, spf="pass", return_path=domain, **ours),
    )
    bad = (
        make_record(source=OTHER, mails=12, **failed | {"signed_by": "", "disposition": "reject"}),
        make_record(
            source="198.51.100.7", mails=31, **failed | {"signed_by": "esp.example", "disposition": "quarantine"}
        ),
        make_record(source="2001:db8:0:25:5054:ff:fe12:3456", mails=9, signature="fail", **failed),
        make_record(mails=2, **failed | {"signed_by": ""}),
        make_record(source="198.51.100.40", mails=4, signature="fail", reason="mailing_list", **failed),
    )
    reports = [
        (reporter, age, (*good, *bad[number:]))
        for number, reporter in enumerate(("google.com", "Yahoo", "Enterprise Outlook"))
        for age in (1, 27)
    ]
    reports += [("google.com", age, (make_record(**ours),)) for age in range(3, 27, 2)]
    for reporter, age, records in reports:
        xml = make_report(
            *records, reporter=reporter, report_id=str(age), domain=domain, ends=now - timedelta(days=age)
        )
        assert store_report(parse_report(ReportFile(xml)), origin="imap", now=now) is None
    store_report(ReportProblem.TOO_LARGE, origin="imap", now=now)
    return domain
