"""Read the mails that Brevo posts in parts, and put each together again.

Source: developers.brevo.com/docs/inbound-parse-webhooks. Brevo posts header fields and texts, and files by name only. So a
reply and a mail that unsubscribes are whole, but reports, which are files, cannot be read.
"""

import base64
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from email.header import Header
from email.utils import formataddr
from urllib.parse import quote

from newsletter.inbound.webhook_formats.mails import PostedMail, check_count, make_mails
from newsletter.providers.base.json_values import Row, as_list, as_mapping, as_text, parse_address
from newsletter.providers.base.webhooks.bodies import parse_json_object
from newsletter.providers.base.webhooks.verification import WebhookRequest, check_password

MAX_FIELDS = 200
MAX_VALUE_LENGTH = 4_000
MAX_SAME_FIELDS = 20
MAX_FILES = 20
MAX_TEXT_BYTES = 256 * 1024
"""The bytes of a text that are kept: as many as are read of any mail."""
_FIELD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,75}")
_EDGE = "=_parts"


def read_brevo(call: WebhookRequest, key: str, now: datetime) -> Iterable[PostedMail]:
    """Return the mails of a call, made from their parts. The same parts make the same mail, so a repeat is known."""
    check_password(call, key, now)
    items = [as_mapping(item) for item in as_list(parse_json_object(call.body, provider="Brevo").get("items"))]
    check_count(items)
    mails = (
        (_rebuild(item), [parse_address(recipient) for recipient in as_list(item.get("Recipients"))]) for item in items
    )
    return make_mails(mails if items else [(None, [])], provider="brevo")


def _rebuild(item: Row) -> bytes | None:
    """Return the mail, or None if nothing of it is there."""
    headers = as_mapping(item.get("Headers"))
    own_fields = list(_list_own_fields(item))
    fields = own_fields + list(
        _list_fields(headers, without={"mime-version", *(name.lower() for name, _ in own_fields)})
    )
    if not fields:
        return None
    if _is_report(headers):
        fields.insert(0, ("Auto-Submitted", "auto-generated"))
    lines = [f"{name}: {value}" for name, value in fields]
    return "\r\n".join([*lines, "MIME-Version: 1.0", *_list_body(item)]).encode("ascii", "replace")


def _is_report(headers: Row) -> bool:
    """Return True for a bounce or complaint. Its files are missing, so it must not count as a reply."""
    kinds = [value for name, value in headers.items() if name.lower() == "content-type"]
    first = kinds[0] if kinds else ""
    kind = first[0] if isinstance(first, list) and first else first
    return as_text(kind).lower().startswith("multipart/report")


def _list_own_fields(item: Row) -> Iterator[tuple[str, str]]:
    """Yield the fields that Brevo gives decoded, and those that identify a mail."""
    sender = as_mapping(item.get("From"))
    address = parse_address(sender.get("Address"))
    if address and address.isascii() and " " not in address:
        yield "From", formataddr((as_text(sender.get("Name"), max_length=200), address))
    if subject := as_text(item.get("Subject")):
        yield "Subject", Header(subject, "utf-8").encode(linesep="\r\n") if not subject.isascii() else subject
    headers = {name.lower() for name in as_mapping(item.get("Headers"))}
    if "message-id" not in headers and (message_id := as_text(item.get("MessageId"))):
        yield "Message-ID", message_id
    if "date" not in headers and (date := as_text(item.get("SentAtDate"))):
        yield "Date", date
    for name in ("To", "Cc"):
        addresses = [
            parse_address(as_mapping(mailbox).get("Address")) for mailbox in as_list(item.get(name))[:MAX_FIELDS]
        ]
        if name.lower() not in headers and any(addresses):
            yield name, ", ".join(address for address in addresses if address)


def _list_fields(headers: Row, *, without: set[str]) -> Iterator[tuple[str, str]]:
    """Yield the fields unchanged, one line each, except those about the structure of the parts."""
    for name, value in list(headers.items())[:MAX_FIELDS]:
        if name.lower() in without or name.lower().startswith("content-") or not _FIELD.fullmatch(name):
            continue
        for field_value in (value if isinstance(value, list) else [value])[:MAX_SAME_FIELDS]:
            yield name, as_text(field_value, max_length=MAX_VALUE_LENGTH)


def _list_body(item: Row) -> list[str]:
    """Return the lines from the last field on: the text, or else the HTML, and the names of files."""
    plain, html = item.get("RawTextBody"), item.get("RawHtmlBody")
    kind, text = ("plain", plain) if isinstance(plain, str) and plain.strip() else ("html", html)
    content = (text if isinstance(text, str) else "").encode("utf-8", "replace")[:MAX_TEXT_BYTES]
    encoded = base64.encodebytes(content).decode()
    part = [f'Content-Type: text/{kind}; charset="utf-8"', "Content-Transfer-Encoding: base64", "", encoded]
    files = [
        as_text(as_mapping(attachment).get("Name"), max_length=200) for attachment in as_list(item.get("Attachments"))
    ]
    if not files:
        return part
    lines = [f'Content-Type: multipart/mixed; boundary="{_EDGE}"', "", f"--{_EDGE}", *part]
    for name in files[:MAX_FILES]:
        disposition = (
            f"Content-Disposition: attachment; filename*=utf-8''{quote(name or 'file', safe='', errors='replace')}"
        )
        lines += [f"--{_EDGE}", "Content-Type: application/octet-stream", disposition, "", ""]
    return [*lines, f"--{_EDGE}--", ""]
