"""Read one mail from its bytes. Nothing is fetched or stored, and nothing is decided by the text of a mail.

It finds the files of a DMARC report; `newsletter.content.parsing.aggregate_reports` reads them.
"""

import re
from collections.abc import Iterable, Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from itertools import islice

from newsletter.content.parsing.mails.mail_headers import (
    decode,
    first,
    is_automatic,
    list_recipients,
    read_fields,
    read_sender,
)
from newsletter.content.parsing.mails.mail_reports import find_report_kind, list_returned, read_recipient_reports
from newsletter.content.parsing.mails.parsed_mail import MailKind, ParsedMail, RawMail
from newsletter.content.parsing.markup import plain_text

MAX_PARTS = 200
MAX_TEXT_LENGTH = 20_000
MAX_NAME_LENGTH = 120
MAX_ATTACHMENTS = 20
_READ_BYTES = 256 * 1024
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


def parse_mail(raw: RawMail) -> ParsedMail | None:
    """Return the mail, or None if it cannot be taken apart, such as one whose parts are nested too deep."""
    try:
        mail = message_from_bytes(raw.body, policy=default)
        parts = list(islice(_list_parts(mail), MAX_PARTS + 1))
    except (RecursionError, ValueError, TypeError, LookupError, AttributeError, AssertionError):
        return None
    fields = read_fields(mail)
    if not fields:
        return None
    kind, subject = find_report_kind(parts), _clean(decode(first(fields, "subject")), 200)
    report_files = find_report_files(parts, subject=subject) if kind is None else ()
    if report_files:
        kind = MailKind.AGGREGATE_REPORT
    if kind is None:
        kind = MailKind.AUTOMATIC if is_automatic(fields) else MailKind.REPLY
    name, address = read_sender(fields)
    text, is_cut = _read_text(parts) if kind is MailKind.REPLY else ("", False)
    return ParsedMail(
        kind=kind,
        recipients=list_recipients(fields),
        sender=_clean(address, 254),
        sender_name=_clean(name, MAX_NAME_LENGTH),
        subject=subject,
        message_id=_clean(first(fields, "message-id"), 300),
        date=_clean(first(fields, "date"), 100),
        text=text,
        attachments=_list_attachments(parts) if kind is MailKind.REPLY else (),
        cut=raw.cut or is_cut or len(parts) > MAX_PARTS,
        returned=tuple(_clean(value, 2_000) for value in list_returned(parts)),
        reports=read_recipient_reports(parts),
        report_files=report_files,
    )


def _list_parts(mail: EmailMessage) -> Iterator[EmailMessage]:
    """Yield the parts that hold something, without the parts of a mail that is attached."""
    waiting = [mail]
    while waiting:
        part = waiting.pop(0)
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            waiting = [nested for nested in payload if isinstance(nested, EmailMessage)][: MAX_PARTS + 1] + waiting
        else:
            yield part


def _read_text(parts: list[EmailMessage]) -> tuple[str, bool]:
    """Return the text of the mail, with True if it was cut: its plain text, else the text of its HTML."""
    for kind in ("text/plain", "text/html"):
        texts = [_decode_part(part) for part in parts if part.get_content_type() == kind and not _is_attachment(part)]
        text = "\n".join(plain_text(decoded) if kind == "text/html" else decoded for decoded in texts)
        text = _keep_lines(text)
        if text:
            return text[:MAX_TEXT_LENGTH], len(text) > MAX_TEXT_LENGTH
    return "", False


def _decode_part(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    raw = payload[:_READ_BYTES] if isinstance(payload, bytes) else b""
    try:
        return raw.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        return raw.decode("utf-8", "replace")


def _is_attachment(part: EmailMessage) -> bool:
    return part.get_content_disposition() == "attachment" or bool(part.get_filename())


def _list_attachments(parts: list[EmailMessage]) -> tuple[str, ...]:
    """Return the names of the parts that are not forwarded: files, and other parts that are no text."""
    names = []
    for part in parts:
        kind = part.get_content_type()
        if _is_attachment(part) or kind not in ("text/plain", "text/html"):
            names.append(_clean(part.get_filename() or kind, MAX_NAME_LENGTH))
    return tuple(names[:MAX_ATTACHMENTS])


def _clean(text: str, length: int) -> str:
    """Return one line without characters that cannot be stored or shown."""
    return " ".join(_keep_lines(text).split())[:length]


def _keep_lines(text: str) -> str:
    """Return the text without control characters and halves of characters; its lines stay."""
    cleaned = text.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    lines = (
        "".join(character for character in line if character.isprintable() or character == "\t").rstrip()
        for line in cleaned.split("\n")
    )
    return "\n".join(lines).strip()


def find_report_files(parts: Iterable[EmailMessage], *, subject: str) -> tuple[bytes, ...]:
    """Return the contents of the files that may be a report, () if the mail does not look like one."""
    is_named = bool(_SUBJECT.search(subject))
    files = [
        part
        for part in parts
        if _is_packed_or_xml(part) and (is_named or _FILE_NAME.fullmatch(part.get_filename() or ""))
    ]
    contents = (part.get_payload(decode=True) for part in files[:MAX_REPORT_FILES])
    return tuple(content for content in contents if isinstance(content, bytes))


def _is_packed_or_xml(part: EmailMessage) -> bool:
    return part.get_content_type() in _TYPES or (part.get_filename() or "").lower().endswith(_SUFFIXES)
