"""Read one aggregate report from its XML. A report with one wrong value is not read at all, so that no count is half true."""

from collections.abc import Iterator
from io import BytesIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from newsletter.content.parsing.aggregate_reports.report import (
    AggregateReport,
    AggregateRow,
    ReportFile,
    ReportProblem,
)
from newsletter.content.parsing.aggregate_reports.rows import MAX_MAILS, read_row
from newsletter.content.parsing.aggregate_reports.unpack import CannotRead, unpack_xml
from newsletter.content.parsing.aggregate_reports.values import (
    is_below,
    read_domain,
    read_number,
    read_text,
    require,
    strip_namespaces,
)

MAX_RECORDS = 50_000
MAX_ROWS = 2_000
"""The rows that are left after equal ones are added up: a row for each server and each judgement."""
MAX_REPORTER_LENGTH, MAX_ID_LENGTH = 100, 255
_LAST_SECOND = 4_102_444_800
"""1 January 2100."""


def parse_report(file: ReportFile) -> AggregateReport | ReportProblem:
    """Return the report of a file, or why it is not read."""
    try:
        return _read(unpack_xml(file.body))
    except CannotRead as error:
        return error.problem
    except DefusedXmlException:
        return ReportProblem.UNSAFE_XML
    except (ParseError, LookupError, ValueError):
        return ReportProblem.NOT_A_REPORT


def _read(xml: bytes) -> AggregateReport:
    metadata = policy = None
    domain = ""
    counted: dict[AggregateRow, int] = {}
    for records, part in enumerate(_list_parts(xml)):
        if records > MAX_RECORDS:
            raise CannotRead(ReportProblem.TOO_LARGE)
        if part.tag == "report_metadata":
            metadata = part
        elif part.tag == "policy_published":
            policy, domain = part, read_domain(require(part, "domain"))
        elif part.tag == "record":
            row, mails = read_row(part, domain=domain)
            counted[row] = counted.get(row, 0) + mails
            if len(counted) > MAX_ROWS:
                raise CannotRead(ReportProblem.TOO_LARGE)
            if counted[row] > MAX_MAILS:
                raise CannotRead(ReportProblem.BAD_VALUE)
    if metadata is None or policy is None:
        raise CannotRead(ReportProblem.MISSING_FIELD)
    if not all(is_below(row.header_from, domain) for row in counted):
        raise CannotRead(ReportProblem.BAD_VALUE)
    days = require(metadata, "date_range")
    report_id = read_text(require(metadata, "report_id"))
    if len(report_id) > MAX_ID_LENGTH:
        raise CannotRead(ReportProblem.BAD_VALUE)
    return AggregateReport(
        reporter=read_text(require(metadata, "org_name"))[:MAX_REPORTER_LENGTH],
        report_id=report_id,
        domain=domain,
        begins=read_number(require(days, "begin"), limit=_LAST_SECOND),
        ends=read_number(require(days, "end"), limit=_LAST_SECOND),
        rows=tuple(_with_mails(row, mails) for row, mails in counted.items() if mails),
    )


def _list_parts(xml: bytes) -> Iterator[Element]:
    """Yield each child of the report once it is complete, and forget it afterwards. Raise CannotRead for another document."""
    depth, root = 0, None
    for event, element in iterparse(BytesIO(xml), events=("start", "end"), forbid_dtd=True):
        if event == "start":
            depth += 1
            if root is None:
                root = element
                if element.tag.rpartition("}")[2] != "feedback":
                    raise CannotRead(ReportProblem.NOT_A_REPORT)
            continue
        depth -= 1
        if depth == 1 and root is not None:
            yield strip_namespaces(element)
            root.clear()


def _with_mails(row: AggregateRow, mails: int) -> AggregateRow:
    return AggregateRow(**{**vars(row), "mails": mails})
