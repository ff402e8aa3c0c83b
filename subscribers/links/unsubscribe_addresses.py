"""Signed addresses that unsubscribe the recipient of the mail: the mailto of List-Unsubscribe.

The local part is the inbound address's own, “+”, and a token of 48 letters and digits in lower case, because mail servers
may change the case: subscriber uuid 16 bytes, number of the mailing 3, HMAC-SHA256 cut to 11, in base32. The signature
covers the list too, so the list is the one for which the signature is valid. Such an address does not expire.
"""

import hashlib
import hmac
import re
import uuid
from base64 import b32decode, b32encode
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from subscribers.links.signed_links import MAX_MAILING, LinkTarget

TOKEN_LENGTH = 48
MAX_OWN_LOCAL_PART = 64 - TOKEN_LENGTH - len("+")
"""The longest local part of an inbound address: with a token, a local part may have 64 characters (RFC 5321)."""
_TOKEN = re.compile(f"[a-z2-7]{{{TOKEN_LENGTH}}}")
_UUID_BYTES, _MAILING_BYTES, _MAC_BYTES = 16, 3, 11
_NEVER = datetime.fromtimestamp(0, UTC)


def make_addresses(
    key: str, *, inbound_address: str, mailing_list: bytes, mailing: int
) -> Callable[[Sequence[bytes]], list[str]]:
    """Return a function from subscribers (16 bytes each) to their addresses, in the same order. A send calls it for each batch.

    ``key`` is the newest secret. ``mailing_list`` are the 8 bytes of the list's public id. A mailing above `MAX_MAILING`
    is left out, as in `signed_links.Signer`.
    """
    number = (mailing if 0 < mailing <= MAX_MAILING else 0).to_bytes(_MAILING_BYTES, "big")
    local, _, domain = inbound_address.rpartition("@")
    derived = _derive(key)

    def addresses(subscribers: Sequence[bytes]) -> list[str]:
        raw = [subscriber + number + _sign(derived, subscriber, number, mailing_list) for subscriber in subscribers]
        # Each token is a multiple of five bytes, so they can be encoded together and then cut apart.
        encoded = b32encode(b"".join(raw)).decode("ascii").lower()
        return [
            f"{local}+{encoded[start : start + TOKEN_LENGTH]}@{domain}"
            for start in range(0, len(encoded), TOKEN_LENGTH)
        ]

    return addresses


def read_token(token: str, *, keys: Sequence[str], lists: Iterable[str]) -> LinkTarget | None:
    """Return the target of a token, or None if it is not ours. ``lists`` are the public ids of all lists."""
    token = token.lower()
    if not _TOKEN.fullmatch(token):
        return None
    raw = b32decode(token.upper())
    subscriber, number, mac = raw[:_UUID_BYTES], raw[_UUID_BYTES:-_MAC_BYTES], raw[-_MAC_BYTES:]
    target = None
    derived = [_derive(key) for key in keys]
    for public_id in lists:
        mailing_list = bytes.fromhex(public_id)
        if any(hmac.compare_digest(_sign(key, subscriber, number, mailing_list), mac) for key in derived):
            target = LinkTarget(uuid.UUID(bytes=subscriber), public_id, _NEVER, int.from_bytes(number, "big"))
    return target


def _sign(key: bytes, subscriber: bytes, number: bytes, mailing_list: bytes) -> bytes:
    return hmac.digest(key, subscriber + number + mailing_list, hashlib.sha256)[:_MAC_BYTES]


@lru_cache(maxsize=32)
def _derive(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"subscribers.links.unsubscribe-by-mail", hashlib.sha256)
