"""DMARC reports are read from XML, gzip and zip; bombs, wrong values and other files end with a code, and nothing else."""

import gzip
import zipfile
from io import BytesIO

import pytest

from newsletter.content.parsing.aggregate_reports import parse_report as parser
from newsletter.content.parsing.aggregate_reports.parse_report import parse_report
from newsletter.content.parsing.aggregate_reports.report import AggregateReport, AggregateRow, ReportFile, ReportProblem
from newsletter.content.parsing.aggregate_reports.sandboxed import (
    LIMITS,
    MAX_FILE_BYTES,
    parse_report_in_sandbox,
)
from newsletter.content.parsing.aggregate_reports.unpack import MAX_UNPACKED_BYTES, MAX_ZIP_ENTRIES
from newsletter.content.parsing.mails.parse_mail import parse_mail
from newsletter.content.parsing.mails.parsed_mail import MailKind, RawMail
from newsletter.content.parsing.sandbox.process import ResourceLimits, SandboxProcess
from tests.support.aggregate_reports import OTHER, OWN, make_record, make_report, make_report_mail, pack
from tests.support.inbound_mails import make_reply

RFC_9990 = b'<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">'


def read(body: bytes) -> AggregateReport | ReportProblem:
    return parse_report(ReportFile(body))


def read_rows(*records: str) -> tuple[AggregateRow, ...]:
    report = read(make_report(*records))
    assert isinstance(report, AggregateReport)
    return report.rows


@pytest.mark.parametrize(
    "body",
    [
        make_report(),
        gzip.compress(make_report()),
        pack(make_report()),
        make_report().replace(b"<feedback>", RFC_9990),
        b"\xef\xbb\xbf" + make_report(),
        make_report().decode().replace("UTF-8", "UTF-16").encode("utf-16"),
    ],
    ids=["xml", "gzip", "zip", "RFC 9990", "byte order mark", "UTF-16"],
)
def test_a_report_is_read_in_every_form(body: bytes) -> None:
    report = read(body)
    assert isinstance(report, AggregateReport)
    assert (report.reporter, report.report_id, report.domain) == ("google.com", "1", "news.example.org")
    assert report.ends - report.begins == 86_400
    assert report.rows == (
        AggregateRow(OWN, "news.example.org", "none", True, False, "news.example.org", "", False, "", 1),
    )


def test_equal_records_are_added_up() -> None:
    rows = read_rows(
        make_record(mails=3), make_record(mails=4), make_record(source=OTHER, mails=5), make_record(mails=0)
    )
    assert [(row.source, row.mails) for row in rows] == [(OWN, 7), (OTHER, 5)]


def test_records_before_the_policy_are_read_too() -> None:
    policy = make_report().split(b"<policy_published>")[1].split(b"</policy_published>")[0]
    part = b"<policy_published>" + policy + b"</policy_published>"
    report = read(make_report().replace(part, b"").replace(b"</feedback>", part + b"</feedback>"))
    assert isinstance(report, AggregateReport)
    assert report.domain == "news.example.org"


def test_a_row_says_who_vouches_and_what_broke() -> None:
    broken = make_record(
        source=OTHER, mails=2, dkim="fail", signature="fail", return_path="lists.example.net", reason="mailing_list"
    )
    other = make_record(source=OTHER, mails=3, dkim="fail", signed_by="esp.example", reason="strange")
    first, second = read_rows(broken, other)
    assert (first.signed_by, first.return_path, first.broken_signature, first.reason) == (
        "",
        "lists.example.net",
        True,
        "mailing_list",
    )
    assert (second.signed_by, second.broken_signature, second.reason) == ("esp.example", False, "other")


def test_names_are_read_in_lower_case_and_without_a_dot() -> None:
    (row,) = read_rows(make_record(header_from="News.Example.ORG.", source="::ffff:192.0.2.10", disposition="Pass"))
    assert (row.header_from, row.source, row.disposition) == ("news.example.org", OWN, "none")


@pytest.mark.parametrize(
    "element", ["org_name", "report_id", "begin", "end", "source_ip", "count", "dkim", "header_from", "domain"]
)
def test_a_report_without_a_needed_field_is_not_read(element: str) -> None:
    lines = make_report().decode().replace(f"<{element}>", "<left_out>", 1).replace(f"</{element}>", "</left_out>", 1)
    assert read(lines.encode()) is ReportProblem.MISSING_FIELD


@pytest.mark.parametrize("part", ["report_metadata", "policy_published"])
def test_a_report_without_a_needed_part_is_not_read(part: str) -> None:
    assert read(make_report().replace(part.encode(), b"left_out")) is ReportProblem.MISSING_FIELD


def test_an_empty_field_counts_as_missing() -> None:
    assert read(make_report(report_id=" ")) is ReportProblem.MISSING_FIELD


@pytest.mark.parametrize(
    "record",
    [
        make_record(mails="-1"),
        make_record(mails="1000000001"),
        make_record(mails="9" * 5_000),
        make_record(mails="1.5"),
        make_record(mails="²"),
        make_record(source="here"),
        make_record(source="fe80::1%eth0"),
        make_record(dkim="maybe"),
        make_record(disposition="delete"),
        make_record(header_from="example.com"),
        make_record(header_from="a b"),
        make_record(mails=600_000_000) + make_record(mails=600_000_000),
    ],
)  # fmt: skip
def test_one_impossible_value_refuses_the_report(record: str) -> None:
    assert read(make_report(make_record(), record)) is ReportProblem.BAD_VALUE


def test_an_impossible_day_or_identifier_refuses_the_report() -> None:
    assert read(make_report().replace(b"<end>", b"<end>99")) is ReportProblem.BAD_VALUE
    assert read(make_report(report_id="x" * 256)) is ReportProblem.BAD_VALUE


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"Dear friends",
        b"\x89PNG\r\n\x1a\n",
        b"<html><body>Hello</body></html>",
        make_report()[:-20],
        gzip.compress(make_report())[:-30],
        gzip.compress(b"Hello"),
        pack(make_report())[:100],
        pack(make_report(), name="report.exe"),
        b"<?xml version='1.0' encoding='nonsense'?><feedback/>",
    ],
    ids=[
        *("nothing", "text", "picture", "web page", "cut off", "packed and cut off", "packed text", "archive cut off"),
        *("a program by its name", "an unknown encoding"),
    ],
)
def test_another_or_a_damaged_file_is_not_a_report(body: bytes) -> None:
    assert read(body) is ReportProblem.NOT_A_REPORT


def _zip(*names: str, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name in names:
            archive.writestr(name, make_report())
    return packed.getvalue()


@pytest.mark.parametrize(
    "body",
    [
        _zip("a.xml", "b.xml"),
        _zip("a.xml", *(f"{number}.txt" for number in range(MAX_ZIP_ENTRIES))),
        _zip("a.xml", method=zipfile.ZIP_BZIP2),
        _zip("a.xml").replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00"),
    ],
    ids=["two reports", "many files", "another method", "encrypted"],
)
def test_an_archive_must_contain_exactly_one_report(body: bytes) -> None:
    assert read(body) is ReportProblem.NOT_A_REPORT


def test_files_that_a_mac_adds_to_an_archive_are_ignored() -> None:
    assert isinstance(read(_zip("a.xml", "__MACOSX/._a.xml")), AggregateReport)


@pytest.mark.parametrize("packed", [gzip.compress, pack], ids=["gzip", "zip"])
def test_a_file_that_expands_beyond_the_limit_is_too_large(packed: object) -> None:
    assert callable(packed)
    bomb = packed(make_report() + b" " * MAX_UNPACKED_BYTES)
    assert len(bomb) < 100_000
    assert read(bomb) is ReportProblem.TOO_LARGE


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE f [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE f [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE f SYSTEM "http://127.0.0.1/f.dtd">',
    ],
)
def test_definitions_in_the_xml_are_refused(head: str) -> None:
    assert read(make_report(head=head)) is ReportProblem.UNSAFE_XML


def test_a_hundred_thousand_records_are_too_large() -> None:
    body = gzip.compress(make_report(make_record() * 100_000), compresslevel=1)
    assert read(body) is ReportProblem.TOO_LARGE


def test_too_many_records_or_rows_are_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    records = [make_record(source=f"192.0.2.{number}") for number in range(4)]
    monkeypatch.setattr(parser, "MAX_ROWS", 3)
    assert read(make_report(*records)) is ReportProblem.TOO_LARGE
    monkeypatch.setattr(parser, "MAX_ROWS", 4)
    monkeypatch.setattr(parser, "MAX_RECORDS", 4)
    assert read(make_report(*records)) is ReportProblem.TOO_LARGE
    monkeypatch.setattr(parser, "MAX_RECORDS", 6)
    assert isinstance(read(make_report(*records)), AggregateReport)


def test_the_child_process_gives_the_same_answer() -> None:
    with_child = parse_report_in_sandbox(ReportFile(pack(make_report())))
    assert with_child == read(make_report())
    assert parse_report_in_sandbox(ReportFile(b"Hello")) is ReportProblem.NOT_A_REPORT
    assert parse_report_in_sandbox(ReportFile(b" " * (MAX_FILE_BYTES + 1))) is ReportProblem.TOO_LARGE


def test_a_report_that_fills_the_memory_is_too_large_and_the_next_is_read() -> None:
    child = SandboxProcess(
        task="aggregate_reports",
        limits=ResourceLimits(LIMITS.cpu_seconds, LIMITS.wall_seconds, memory_bytes=64 * 1024 * 1024),
    )
    try:
        nested = gzip.compress(b"<feedback>" + b"<a>" * 4_000_000)
        assert parse_report_in_sandbox(ReportFile(nested), child=child) is ReportProblem.TOO_LARGE
        assert isinstance(parse_report_in_sandbox(ReportFile(make_report()), child=child), AggregateReport)
    finally:
        child.close()


@pytest.mark.parametrize(
    ("subject", "file_name", "content_type"),
    [
        ("Report domain: example.org Submitter: google.com Report-ID: 1", "a.zip", "application/zip"),
        ("Report Domain: example.org Submitter: Yahoo Report-ID: <1@y>", "a.gz", "application/octet-stream"),
        ("[Preview] Report Domain: example.org Submitter: protection.outlook.com Report-ID: 1", "a.xml", "text/xml"),
        ("Dmarc Aggregate Report Domain: {example.org}  Submitter: {Mail.Ru}  Report-ID: {2}", "a.gz", "application/gzip"),
        ("DMARC report", "example.com!example.org!1772668800!1772755199.xml.gz", "application/octet-stream"),
        ("DMARC report", "example.com!example.org!1772668800!1772755199!id.zip", "application/zip"),
    ],
)  # fmt: skip
def test_a_report_mail_is_known_by_subject_or_file_name(subject: str, file_name: str, content_type: str) -> None:
    mail = make_report_mail(make_report(), subject=subject, file_name=file_name, content_type=content_type)
    parsed = parse_mail(RawMail(mail.as_bytes()))
    assert parsed is not None
    assert (parsed.kind, parsed.report_files) == (MailKind.AGGREGATE_REPORT, (make_report(),))


@pytest.mark.parametrize(
    ("subject", "file_name", "content_type"),
    [
        ("Re: News", "photos.zip", "application/zip"),
        ("The report on our domain: see the submitter's file", "report.xml", "text/xml"),
        ("Report domain: example.org Submitter: google.com Report-ID: 1", "a.pdf", "application/pdf"),
    ],
)
def test_another_mail_with_a_file_stays_a_reply(subject: str, file_name: str, content_type: str) -> None:
    mail = make_report_mail(b"Hello", subject=subject, file_name=file_name, content_type=content_type)
    parsed = parse_mail(RawMail(mail.as_bytes()))
    assert parsed is not None
    assert (parsed.kind, parsed.report_files) == (MailKind.REPLY, ())


def test_a_mail_without_files_stays_a_reply_whatever_its_subject() -> None:
    subject = "Report Domain: example.org Submitter: google.com Report-ID: 1"
    parsed = parse_mail(RawMail(make_reply(subject=subject).as_bytes()))
    assert parsed is not None
    assert parsed.kind is MailKind.REPLY
