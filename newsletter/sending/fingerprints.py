"""Fingerprints of the mails of a call: they prove later that a mail that is rebuilt equals the mail that was handed over.

A fingerprint is a keyed hash, so nobody can guess names or addresses from it without this installation's key.
"""

import hashlib
from collections.abc import Iterable

from newsletter.providers.base.contract import BatchCall
from subscribers.identity import address_key

FINGERPRINT_BYTES = 8


def make_fingerprints(call: BatchCall) -> bytes:
    """Return `FINGERPRINT_BYTES` for each person of the call, in their order. They cover the mail, address and values."""
    mail, key = call.mail, hashlib.sha256(address_key()).digest()
    headers = [part for header in mail.headers.items() for part in header]
    fixed = [mail.subject, mail.html, mail.text, mail.from_name, mail.from_email, mail.reply_to, *headers, ""]
    start = hashlib.blake2b(_encode(fixed), key=key, digest_size=FINGERPRINT_BYTES)
    digests = []
    for delivery, address, values in call.people:
        person = start.copy()
        person.update(_encode((str(delivery), address, *values.values())))
        digests.append(person.digest())
    return b"".join(digests)


def has_fingerprint(fingerprints: bytes, fingerprint: bytes) -> bool:
    """Return True if ``fingerprint`` is one of these fingerprints."""
    size = FINGERPRINT_BYTES
    return any(fingerprints[start : start + size] == fingerprint for start in range(0, len(fingerprints), size))


def _encode(parts: Iterable[str]) -> bytes:
    """Return the parts as bytes with a null character between them, which no part of a mail has."""
    return "\0".join(parts).encode("utf-8", "surrogatepass")
