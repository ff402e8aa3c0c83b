"""Read the reports that mail servers send: bounces (RFC 3464) and complaints (RFC 5965)."""

from collections.abc import Iterable, Iterator
from email import message_from_string
from email.message import EmailMessage, Message
from email.policy import default
from itertools import islice

from newsletter.content.parsing.mails.mail_headers import MAX_SHORT_LENGTH, first, read_fields, unfold
from newsletter.content.parsing.mails.parsed_mail import MailKind, RecipientReport

MAX_REPORTED = 100
MAX_RETURNED_LENGTH = 65_536
_ABUSE = "abuse"


def find_report_kind(parts: Iterable[EmailMessage]) -> MailKind | None:
    """Return BOUNCE or COMPLAINT if the mail has such a report, else None."""
    for part in parts:
        if part.get_content_type() == "message/delivery-status":
            return MailKind.BOUNCE
        if part.get_content_type() == "message/feedback-report":
            is_abuse = any(_read(block, "feedback-type").lower() == _ABUSE for block in _list_blocks(part))
            return MailKind.COMPLAINT if is_abuse else MailKind.AUTOMATIC
    return None


def read_recipient_reports(parts: Iterable[EmailMessage]) -> tuple[RecipientReport, ...]:
    """Return the results of each recipient in the delivery reports."""
    blocks = (
        block
        for part in parts
        if part.get_content_type() == "message/delivery-status"
        for block in _list_blocks(part)
        if _read(block, "action")
    )
    return tuple(
        RecipientReport(
            action=_read(block, "action").lower()[:40],
            status=_read(block, "status").partition(" ")[0][:12],
            diagnostic=_read(block, "diagnostic-code").partition(";")[2].strip(),
        )
        for block in islice(blocks, MAX_REPORTED)
    )


def list_returned(parts: Iterable[EmailMessage]) -> tuple[str, ...]:
    """Return the List-Unsubscribe fields of the mails that a report sends back, without white space."""
    return tuple(
        "".join(value.split())
        for part in parts
        for returned in _list_returned_mails(part)
        if (value := first(read_fields(returned), "list-unsubscribe"))
    )


def _list_returned_mails(part: EmailMessage) -> Iterator[EmailMessage]:
    kind, payload = part.get_content_type(), part.get_payload()
    if kind == "message/rfc822" and isinstance(payload, list):
        yield from (mail for mail in payload[:1] if isinstance(mail, EmailMessage))
    elif kind in ("text/rfc822-headers", "message/rfc822-headers"):
        raw = part.get_payload(decode=True) if isinstance(payload, str) else b""
        text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else ""
        returned = message_from_string(text[:MAX_RETURNED_LENGTH], policy=default)
        if isinstance(returned, EmailMessage):
            yield returned
    elif kind == "message/rfc822-headers" and isinstance(payload, list):
        yield from (mail for mail in payload[:1] if isinstance(mail, EmailMessage))


def _list_blocks(part: EmailMessage) -> list[Message]:
    """Return the groups of fields of a report. The library parses those of a bounce itself."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return [block for block in payload if isinstance(block, Message)]
    return [message_from_string(str(payload)[:MAX_RETURNED_LENGTH], policy=default)]


def _read(block: Message, name: str) -> str:
    for key, value in block.raw_items():
        if key.lower() == name:
            return unfold(str(value))[:MAX_SHORT_LENGTH].strip()
    return ""
