"""Recognise a mail that carries a DMARC aggregate report, by the form of its subject or file name and the kind of the file.

The report itself is read elsewhere: `newsletter.content.parsing.aggregate_reports`.
"""

import re
from collections.abc import Iterable
from email.message import EmailMessage

MAX_REPORT_FILES = 5
_SUBJECT = re.compile(r"\breport[ -]domain:\s*\S+.*\bsubmitter:\s*\S+", re.IGNORECASE)
"""RFC 9990 §3.5.2.1: Report Domain: example.org Submitter: mail.example.com Report-ID: <…>."""
_FILE_NAME = re.compile(r"[^!\s]+!([^!\s]+!)?\d{9,11}!\d{9,11}(?:![^!\s]+)?\.(?:xml|xml\.gz|gz|zip)", re.IGNORECASE)
"""RFC 9990 §3.5.2.2: receiver!domain!begin!end!id.xml.gz. Some leave a part out."""
_SUFFIXES = (".xml", ".gz", ".zip")
_TYPES = frozenset(
    {
        "application/gzip",
        "application/x-gzip",
        "application/zip",
        "application/x-zip-compressed",
        "application/xml",
        "text/xml",
    }
)


def find_report_files(parts: Iterable[EmailMessage], *, subject: str) -> tuple[bytes, ...]:
    """Return the contents of the files that may hold a report, () if the mail does not look like one."""
    is_named = bool(_SUBJECT.search(subject))
    found = [
        part
        for part in parts
        if _is_packed_or_xml(part) and (is_named or _FILE_NAME.fullmatch(part.get_filename() or ""))
    ]
    contents = (part.get_payload(decode=True) for part in found[:MAX_REPORT_FILES])
    return tuple(content for content in contents if isinstance(content, bytes))


def _is_packed_or_xml(part: EmailMessage) -> bool:
    return part.get_content_type() in _TYPES or (part.get_filename() or "").lower().endswith(_SUFFIXES)
