"""Read the answer of a site: its body up to a limit, and its errors as a ``FetchError``."""

import time
import zlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

import requests
from requests.exceptions import ConnectionError as BrokenConnection
from requests.exceptions import ConnectTimeout, InvalidURL, ReadTimeout, SSLError
from urllib3.exceptions import HTTPError, ReadTimeoutError

from newsletter.common.messages import Message
from newsletter.content.fetching.errors import (
    BadCertificate,
    BadStatus,
    FetchError,
    Refused,
    TooLarge,
    TooSlow,
    Unreachable,
)

MIB = 1024 * 1024
_CHUNK = 64 * 1024
_MAX_RETRY_AFTER = 7 * 24 * 3600
_MAX_ERROR_BYTES = 65_536


class RawStream(Protocol):
    """A stream of the received bytes."""

    def read(self, amt: int, *, decode_content: bool) -> bytes:
        """Return at most ``amt`` bytes; b"" at the end."""


def read_body(raw: RawStream, *, encoding: str, max_bytes: int, deadline: float, site: str) -> bytes:
    """Return the decompressed body, read until ``deadline`` (``time.monotonic``).

    Raises TooLarge, TooSlow, Refused for an unknown compression, and Unreachable if it is damaged or breaks off.
    """
    decompressor = _make_decompressor(encoding, site)
    body = bytearray()
    while True:
        if time.monotonic() > deadline:
            raise TooSlow("%(site)s sent its answer too slowly. We will try again later.", site=site)
        chunk = raw.read(_CHUNK, decode_content=False)
        if not chunk:
            break
        body += _decompress(decompressor, chunk, max_bytes - len(body), site) if decompressor else chunk
        if len(body) > max_bytes:
            raise TooLarge(
                "%(site)s sent more than %(max_bytes)s, the most that is read. Nothing was used.",
                site=site,
                max_bytes=_format_size(max_bytes),
            )
    if decompressor is not None and not decompressor.eof:
        raise Unreachable("The answer of %(site)s broke off before its end. We will try again later.", site=site)
    return bytes(body)


def make_bad_status(response: requests.Response, host: str, *, deadline: float) -> BadStatus:
    """Return the error for an answer whose status is neither a success nor a redirect."""
    status = response.status_code
    names = {"host": host, "status": status}
    message = {
        401: Message("%(host)s asks for a sign-in (status %(status)s). Use an address that anyone may read.", **names),
        403: Message(
            "%(host)s refuses to show this address to us (status %(status)s). Ask the people who run the site to allow it.",
            **names,
        ),
        404: Message(
            "%(host)s has nothing at this address (status %(status)s). It was moved or removed, or is misspelled. "
            "Check the address.",
            **names,
        ),
        410: Message("%(host)s has removed this address permanently (status %(status)s). Use another one.", **names),
        429: Message("%(host)s asks us to come less often (status %(status)s). We will try again later.", **names),
    }.get(
        status,
        Message("%(host)s reports an internal error (status %(status)s). We will try again later.", **names)
        if status >= 500
        else Message("%(host)s did not give the document (status %(status)s). Check the address.", **names),
    )
    return BadStatus(
        message,
        status=status,
        retry_after=parse_retry_after(response.headers.get("Retry-After", "")),
        body=_read_error_body(response, host, deadline=deadline),
        challenged=response.headers.get("cf-mitigated", "") == "challenge",
    )


def to_fetch_error(error: Exception, *, host: str, late: bool) -> FetchError:
    """Return the FetchError for an error of requests or urllib3. ``late`` means that the deadline has passed."""
    if late or isinstance(error, ConnectTimeout | ReadTimeout | ReadTimeoutError):
        return TooSlow("%(host)s took too long to answer. We will try again later.", host=host)
    if isinstance(error, SSLError):
        return BadCertificate("The certificate of %(host)s is not valid. Tell whoever runs the site.", host=host)
    if isinstance(error, InvalidURL):
        return Refused("“%(host)s” is not a web address. Copy the address from your browser.", host=host)
    if isinstance(error, BrokenConnection):
        return Unreachable("%(host)s cannot be reached, or the connection broke. We will try again later.", host=host)
    return Unreachable("The answer of %(host)s broke off or was not understood. We will try again later.", host=host)


def _format_size(size: int) -> str:
    return f"{size // MIB} MB" if size >= MIB else f"{size} bytes"


def _make_decompressor(encoding: str, site: str) -> "zlib._Decompress | None":
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return None
    if name in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(zlib.MAX_WBITS | 32)
    raise Refused(
        "%(site)s compressed its answer as “%(encoding)s”, which we did not ask for and cannot read.",
        site=site,
        encoding=encoding[:40],
    )


def _decompress(decompressor: "zlib._Decompress", chunk: bytes, remaining: int, site: str) -> bytes:
    """Decompress at most one byte more than may remain: enough to know that it is too much."""
    try:
        return decompressor.decompress(chunk, max(1, remaining + 1))
    except zlib.error as error:
        raise Unreachable("The answer of %(site)s is damaged and cannot be decompressed.", site=site) from error


def _read_error_body(response: requests.Response, host: str, *, deadline: float) -> bytes:
    """Return the body of an error if it is JSON and short, else b""."""
    if "json" not in response.headers.get("Content-Type", "").lower():
        return b""
    encoding = response.headers.get("Content-Encoding", "")
    try:
        return read_body(response.raw, encoding=encoding, max_bytes=_MAX_ERROR_BYTES, deadline=deadline, site=host)
    except (FetchError, HTTPError, OSError):
        return b""


def parse_retry_after(text: str) -> int | None:
    """Return a Retry-After header in seconds from now, at most a week."""
    if text.strip().isascii() and text.strip().isdigit():
        return min(int(text.strip()[:9]), _MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0, int((aware - datetime.now(UTC)).total_seconds())), _MAX_RETRY_AFTER)
