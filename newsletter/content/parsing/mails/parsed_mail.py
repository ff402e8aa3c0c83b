"""The input and the result of reading a mail. Both are plain data that cross to the child process and back."""

from dataclasses import dataclass
from enum import StrEnum


class MailKind(StrEnum):
    """The kind of a mail by its header fields. Its text is never used to decide."""

    REPLY = "reply"
    AUTOMATIC = "automatic"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    AGGREGATE_REPORT = "dmarc"


@dataclass(frozen=True)
class RawMail:
    """The first bytes of a mail. ``cut``: the mail was longer."""

    body: bytes
    cut: bool = False


@dataclass(frozen=True)
class RecipientReport:
    """The report of a bounce about one recipient (RFC 3464): the action, the enhanced code and the server's answer."""

    action: str
    status: str
    diagnostic: str


@dataclass(frozen=True)
class ParsedMail:
    """A mail as far as it is used. Every text comes from outside.

    ``recipients`` are the addresses that it was sent to, in lower case. ``returned`` are the List-Unsubscribe fields of the
    mail that a bounce or complaint sends back. ``attachments`` are names of files. ``cut``: text or attachments are missing.
    ``report_files`` are the contents of the files of a DMARC report.
    """

    kind: MailKind
    recipients: tuple[str, ...] = ()
    sender: str = ""
    sender_name: str = ""
    subject: str = ""
    message_id: str = ""
    date: str = ""
    text: str = ""
    attachments: tuple[str, ...] = ()
    cut: bool = False
    returned: tuple[str, ...] = ()
    reports: tuple[RecipientReport, ...] = ()
    report_files: tuple[bytes, ...] = ()
