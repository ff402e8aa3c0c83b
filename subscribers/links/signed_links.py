"""Signed links to a person's own pages. Each has one purpose, contains no personal data and survives key rotation.

This module only makes, finds, hides and reads tokens. A token of version 1 is 48 bytes in base64url, 64 characters: version 1,
purpose 1, key id 2, subscriber uuid 16, list public id 8, issued 4 (Unix seconds), HMAC-SHA256 cut to 16. Version 2 is
51 bytes, 68 characters: the 3-byte number of the mailing comes before the HMAC. A link without a mailing has version 1.
"""

import hashlib
import hmac
import re
import struct
import uuid
from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from django.conf import settings

from newsletter.common.errors import BadLink
from newsletter.common.messages import Message

_HEAD = struct.Struct(">BB")
_TAIL = struct.Struct(">16s8sI")
_MAC_BYTES = 16
_MAILING_BYTES = 3
_WITHOUT_MAILING, _WITH_MAILING = 48, 51
_VERSIONS = {_WITHOUT_MAILING: 1, _WITH_MAILING: 2}
_SIZES = {size * 4 // 3: size for size in _VERSIONS}
TOKEN_LENGTHS = tuple(_SIZES)
MAX_MAILING = 256**_MAILING_BYTES - 1
LINK_PATTERN = "[A-Za-z0-9_-]{64}(?:[A-Za-z0-9_-]{4})?"
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
# HMAC (RFC 2104) by hand: copying its two hash states takes half the time of `hmac.digest` or of copying an `hmac` object
# (2 and 5 µs a link), and a send makes two links for each recipient.
_HASH_BLOCK_BYTES = 64
_INNER_PAD = bytes(value ^ 0x36 for value in range(256))
_OUTER_PAD = bytes(value ^ 0x5C for value in range(256))
_TOKEN = re.compile(rf"(?<![A-Za-z0-9_-]){LINK_PATTERN}(?![A-Za-z0-9_-])")
_RUN = re.compile(rf"[A-Za-z0-9_-]{{{min(TOKEN_LENGTHS)},}}")
_MAX_ADDED_BEFORE = 2
"""Characters of a token's alphabet that may come before it, such as the `3D` that quoted-printable makes of `=`."""


class Purpose(StrEnum):
    """The page that a link opens. The values are part of the signing keys: never change them."""

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    CONFIRM = "confirm"
    DOWNLOAD = "download"
    ERASE = "erase"
    CHANGE_ADDRESS = "move"
    CONFIRM_ADDRESS = "arrive"
    STAY = "stay"


_CODES = {purpose: code for code, purpose in enumerate(Purpose, start=1)}
PATHS = {
    Purpose.UNSUBSCRIBE: "u",
    Purpose.PREFERENCES: "p",
    Purpose.CONFIRM: "c",
    Purpose.DOWNLOAD: "my-data",
    Purpose.ERASE: "erase-me",
    Purpose.CHANGE_ADDRESS: "new-address",
    Purpose.CONFIRM_ADDRESS: "this-address",
    Purpose.STAY: "stay",
}
_HOUR = timedelta(hours=1)
LIFETIMES: dict[Purpose, timedelta | None] = {
    Purpose.UNSUBSCRIBE: None,
    Purpose.PREFERENCES: timedelta(days=90),
    Purpose.CONFIRM: timedelta(days=7),
    Purpose.DOWNLOAD: _HOUR,
    Purpose.ERASE: _HOUR,
    Purpose.CHANGE_ADDRESS: _HOUR,
    Purpose.CONFIRM_ADDRESS: timedelta(days=7),
    Purpose.STAY: None,
}
"""How long each link is valid. Texts for readers name these periods: ``subscribers/web/links.py``,
``subscribers/people/link_mail_texts.py`` and ``confirm_text`` in ``newsletter/rendering/languages/``."""


class ExpiredLink(BadLink):
    """A valid link of ours that is too old. `target` has the person, list and mailing that it names."""

    def __init__(self, message: Message, *, target: "LinkTarget") -> None:
        super().__init__(message)
        self.target = target


@dataclass(frozen=True)
class LinkTarget:
    """The person and the list that a valid link names. In a link that works once, the second id is that of its `MailedLink`.

    `mailing` is the number of the mailing that carried the link, or 0.
    """

    subscriber_uuid: uuid.UUID
    public_id: str
    issued: datetime
    mailing: int = 0


class Signer:
    """Make links in bulk. The hash states of the newest key are computed once, so each link costs only its two hashes.

    `keys` are secrets, newest first. `issued` and `mailing` are the same for all links, so that a send's links are
    reproducible. Identifiers are raw bytes: 16 of the subscriber's uuid, 8 of the list's public id. A `mailing` of 0 or
    above `MAX_MAILING` is left out, and an unsubscribe with such a link is counted for no mailing.
    """

    def __init__(self, keys: Sequence[str], *, site_url: str, issued: datetime, mailing: int = 0) -> None:
        self._issued = struct.pack(">I", int(issued.timestamp()))
        self._mailing = mailing.to_bytes(_MAILING_BYTES, "big") if 0 < mailing <= MAX_MAILING else b""
        self._key, self._site_url = keys[0], site_url.rstrip("/")

    def url(self, purpose: Purpose, subscriber: bytes, mailing_list: bytes) -> str:
        return self.maker(purpose, mailing_list)([subscriber])[0]

    def maker(self, purpose: Purpose, mailing_list: bytes) -> Callable[[Sequence[bytes]], list[str]]:
        """Return a function from subscribers to their links, in the same order. A send calls it for each batch."""
        size = _WITH_MAILING if self._mailing else _WITHOUT_MAILING
        head, inner_start, outer_start = _prepare_token(self._key, purpose, _VERSIONS[size])
        prefix = f"{self._site_url}/{PATHS[purpose]}/"
        tail = mailing_list + self._issued + self._mailing
        length = size * 4 // 3

        def urls(subscribers: Sequence[bytes]) -> list[str]:
            tokens = []
            for subscriber in subscribers:
                body = subscriber + tail
                inner = inner_start.copy()
                inner.update(body)
                outer = outer_start.copy()
                outer.update(inner.digest())
                tokens.append(head + body + outer.digest()[:_MAC_BYTES])
            # Each token is a multiple of three bytes, so they can be encoded together and then cut apart.
            encoded = b2a_base64(b"".join(tokens), newline=False).translate(_URL_SAFE).decode("ascii")
            return [prefix + encoded[start : start + length] for start in range(0, len(encoded), length)]

        return urls


def make_link(*, purpose: Purpose, subscriber_uuid: uuid.UUID, public_id: str, now: datetime, mailing: int = 0) -> str:
    """Return the URL of one link, signed with the newest key."""
    signer = Signer(link_keys(), site_url=settings.SUBSCRIBERS_SITE_URL, issued=now, mailing=mailing)
    return signer.url(purpose, subscriber_uuid.bytes, bytes.fromhex(public_id))


def read_link(token: str, *, purpose: Purpose, now: datetime, keys: Sequence[str] | None = None) -> LinkTarget:
    """Return the target of a token.

    Raises:
        ExpiredLink: The link is ours but too old.
        BadLink: The link is not ours, was altered, or has another purpose.
    """
    target = _verify(token, purpose=purpose, keys=link_keys() if keys is None else keys)
    lifetime = LIFETIMES[purpose]
    if lifetime is not None and now - target.issued > lifetime:
        span = Message("%(days)s days", days=lifetime.days) if lifetime.days else Message("an hour")
        raise ExpiredLink(
            Message("This link was valid for %(span)s and is older. Use a newer one from us.", span=span), target=target
        )
    return target


def is_signed(token: str, *, purpose: Purpose) -> bool:
    """Return True if we made this token for this purpose, even if it is too old."""
    try:
        _verify(token, purpose=purpose, keys=link_keys())
    except BadLink:
        return False
    return True


def link_keys() -> list[str]:
    """Return the secrets that sign links, newest first. Keep an old one while links signed with it may be used."""
    return list(settings.SUBSCRIBERS_LINK_KEYS)


def _verify(token: str, *, purpose: Purpose, keys: Sequence[str]) -> LinkTarget:
    raw = _decode(token)
    head, body, mac = raw[:4], raw[4:-_MAC_BYTES], raw[-_MAC_BYTES:]
    valid = False
    for secret in keys:
        key = _derive(secret, purpose)
        expected = _HEAD.pack(_VERSIONS[len(raw)], _CODES[purpose]) + _key_id(key)
        signed = hmac.digest(key, raw[:-_MAC_BYTES], hashlib.sha256)[:_MAC_BYTES]
        valid |= hmac.compare_digest(expected + signed, head + mac)
    if not valid:
        raise BadLink("This link is not one of ours, or it was cut off. Use the link exactly as it is in the mail.")
    subscriber, mailing_list, issued = _TAIL.unpack_from(body)
    mailing = int.from_bytes(body[_TAIL.size :], "big")
    return LinkTarget(uuid.UUID(bytes=subscriber), mailing_list.hex(), datetime.fromtimestamp(issued, UTC), mailing)


def _decode(token: str) -> bytes:
    """Return the bytes of a token, padded to a valid length, so that malformed and forged tokens take equally long to refuse."""
    size = _SIZES.get(len(token), 0)
    if size and token.isascii():
        try:
            raw = urlsafe_b64decode(token)
        except Base64Error:
            return bytes(_WITHOUT_MAILING)
        if len(raw) == size:
            return raw
    return bytes(_WITHOUT_MAILING)


@lru_cache(maxsize=256)
def _derive(secret: str, purpose: Purpose) -> bytes:
    return hmac.digest(secret.encode(), f"subscribers.links.{purpose}".encode(), hashlib.sha256)


@lru_cache(maxsize=256)
def _prepare_token(secret: str, purpose: Purpose, version: int) -> tuple[bytes, "hashlib._Hash", "hashlib._Hash"]:
    """Return the head of a token and its two HMAC states after key and head. Copy the states; never update them."""
    key = _derive(secret, purpose)
    head = _HEAD.pack(version, _CODES[purpose]) + _key_id(key)
    padded = key.ljust(_HASH_BLOCK_BYTES, b"\0")
    return head, hashlib.sha256(padded.translate(_INNER_PAD) + head), hashlib.sha256(padded.translate(_OUTER_PAD))


@lru_cache(maxsize=256)
def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"id" + key).digest()[:2]


def mask_tokens(text: str) -> str:
    """Return the text without tokens, since anyone with a token can act as that subscriber."""
    return _TOKEN.sub("…", text)


def find_token(text: str, *, purpose: Purpose) -> tuple[str, str]:
    """Return the token that we signed for this purpose, and the text after it; two empty strings without one.

    Something may have been added to the text. Only the signature decides.
    """
    run = _RUN.search(text)
    if run is None:
        return "", ""
    for start in range(run.start(), run.start() + _MAX_ADDED_BEFORE + 1):
        for length in TOKEN_LENGTHS:
            token = text[start : start + length]
            if is_signed(token, purpose=purpose):
                return token, text[start + length :]
    return "", ""
