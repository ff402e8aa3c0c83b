"""The input and the result of reading an aggregate report. Both are plain data that cross to the child process and back."""

from dataclasses import dataclass
from enum import StrEnum


class ReportProblem(StrEnum):
    """The reason why a file is not read as a report. They are counted, so a code keeps its meaning."""

    NOT_A_REPORT = "not_a_report"
    TOO_LARGE = "too_large"
    UNSAFE_XML = "unsafe_xml"
    MISSING_FIELD = "missing_field"
    BAD_VALUE = "bad_value"


@dataclass(frozen=True)
class ReportFile:
    """The bytes of an attachment or of a file that staff gave: XML, or XML in a zip or gzip file."""

    body: bytes


@dataclass(frozen=True)
class AggregateRow:
    """Mails that one server sent and one receiver judged alike.

    ``signed_by`` and ``return_path`` are domains whose DKIM or SPF passed, aligned or not, "" without one.
    ``broken_signature``: a signature of the domain itself is there and failed. ``reason`` is the receiver's, "" without one.
    """

    source: str
    header_from: str
    disposition: str
    dkim_aligned: bool
    spf_aligned: bool
    signed_by: str
    return_path: str
    broken_signature: bool
    reason: str
    mails: int


@dataclass(frozen=True)
class AggregateReport:
    """A report as far as it is used. Every text comes from outside. ``begins`` and ``ends`` are seconds since 1970."""

    reporter: str
    report_id: str
    domain: str
    begins: int
    ends: int
    rows: tuple[AggregateRow, ...]
