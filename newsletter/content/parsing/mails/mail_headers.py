"""Read header fields within limits, and find out by them if a program wrote the mail (RFC 3834 and common fields)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr

MAX_VALUE_LENGTH = 16_384
"""The characters of a field that are read: about 500 recipients."""
MAX_SHORT_LENGTH = 1_000
MAX_SAME_FIELDS = 20
MAX_RECIPIENTS = 100
RECIPIENT_FIELDS = (
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "x-envelope-to",
    "x-forwarded-to",
    "to",
    "cc",
    "resent-to",
)
"""The fields that name recipients, those of the envelope first."""
_ONLY_PROGRAMS = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-mail-autoreply",
    "x-ms-exchange-generated-message-source",
    "list-id",
    "list-unsubscribe",
    "feedback-id",
)
"""Fields that only automatic replies and mass mail have."""
_PRECEDENCES = frozenset({"auto_reply", "bulk", "junk", "list"})

_ADDRESS = re.compile(r"[^\s<>,;:\"()\[\]@]{1,64}@[^\s<>,;:\"()\[\]@]{1,253}")

Fields = Mapping[str, Sequence[str]]


def read_fields(mail: EmailMessage) -> dict[str, list[str]]:
    """Return the values by name in lower case, unfolded and cut. Only the first of many fields of one name are kept."""
    fields: dict[str, list[str]] = {}
    for name, value in mail.raw_items():
        values = fields.setdefault(name.lower(), [])
        if len(values) < MAX_SAME_FIELDS:
            values.append(unfold(str(value)[:MAX_VALUE_LENGTH]))
    return fields


def unfold(value: str) -> str:
    """Return a field's value on one line."""
    return value.replace("\r", "").replace("\n", "")


def first(fields: Fields, name: str) -> str:
    """Return the first value of a field, or ""."""
    return next(iter(fields.get(name, ())), "").strip()


def list_recipients(fields: Fields) -> tuple[str, ...]:
    """Return the addresses that the mail was sent to, the envelope's first, in lower case."""
    values = [value for name in RECIPIENT_FIELDS for value in fields.get(name, ())]
    recipients = dict.fromkeys(address for value in values for address in find_addresses(value))
    return tuple(recipients)[:MAX_RECIPIENTS]


def find_addresses(text: str) -> list[str]:
    """Return the addresses in a text, in lower case."""
    return [address.lower() for address in _ADDRESS.findall(text)]


def read_sender(fields: Fields) -> tuple[str, str]:
    """Return name and address of the sender, each "" if it cannot be read."""
    value = first(fields, "from")[:MAX_SHORT_LENGTH]
    name, address = parseaddr(value)
    if "@" not in address:
        name, address = "", next(iter(_ADDRESS.findall(value)), "")
    return decode(name), address


def decode(value: str) -> str:
    """Return a field's value with its encoded words decoded (RFC 2047)."""
    return str(default.header_factory("subject", value[:MAX_SHORT_LENGTH]))


def is_automatic(fields: Fields) -> bool:
    """Return True if a program wrote the mail: an automatic reply, a report or mass mail."""
    submitted = first(fields, "auto-submitted").partition(";")[0].strip().lower()
    if submitted and submitted != "no":
        return True
    if any(name in fields for name in _ONLY_PROGRAMS):
        return True
    if first(fields, "precedence").lower() in _PRECEDENCES:
        return True
    return _has_empty_envelope_sender(fields.get("return-path", ()))


def _has_empty_envelope_sender(values: Iterable[str]) -> bool:
    return any(value.strip() == "<>" for value in values)
