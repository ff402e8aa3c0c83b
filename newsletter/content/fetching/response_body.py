"""Reads the body of an answer up to a limit that holds after decompression. It knows nothing of addresses."""

import time
import zlib
from typing import Protocol

from newsletter.content.fetching.errors import Refused, TooLarge, TooSlow, Unreachable

_CHUNK = 64 * 1024


class RawStream(Protocol):
    """A stream of the bytes as they came."""

    def read(self, amt: int, *, decode_content: bool) -> bytes:
        """At most ``amt`` bytes; b"" at the end."""


def read_body(raw: RawStream, *, encoding: str, max_bytes: int, deadline: float, site: str) -> bytes:
    """The decompressed body, read until ``deadline`` (``time.monotonic``).

    Raises TooLarge, TooSlow, Refused for an unknown packing, and Unreachable when it is damaged or breaks off.
    """
    decompressor = _make_decompressor(encoding, site)
    body = bytearray()
    while True:
        if time.monotonic() > deadline:
            raise TooSlow(
                "%(site)s sent its answer too slowly, so it was given up. It is tried again later.", site=site
            )
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
        raise Unreachable("The answer of %(site)s broke off before its end. It is tried again later.", site=site)
    return bytes(body)


def _format_size(size: int) -> str:
    return f"{size // (1024 * 1024)} MB" if size >= 1024 * 1024 else f"{size} bytes"


def _make_decompressor(encoding: str, site: str) -> "zlib._Decompress | None":
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return None
    if name in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(zlib.MAX_WBITS | 32)
    raise Refused(
        "%(site)s sent its answer packed as “%(encoding)s”, which was not asked for and is not read.",
        site=site,
        encoding=encoding[:40],
    )


def _decompress(decompressor: "zlib._Decompress", chunk: bytes, room: int, site: str) -> bytes:
    """Unpacks at most one byte more than there is room for: enough to know that it is too much."""
    try:
        return decompressor.decompress(chunk, max(1, room + 1))
    except zlib.error as error:
        raise Unreachable("The answer of %(site)s is damaged: it could not be unpacked.", site=site) from error
