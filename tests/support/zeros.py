"""Zeros as compressed data, for files and answers that become very large. Compressing hundreds of megabytes takes seconds."""

import struct
import zlib
from functools import cache

MEGABYTE = 1024 * 1024
_END = b"\x03\x00"
_ZLIB_START = b"\x78\xda"
_GZIP_START = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
_ADLER_MODULUS = 65_521


def compress_zeros(size: int, *, as_gzip: bool = False) -> bytes:
    """Return so many zeros, compressed about 1,000 to 1. A megabyte is compressed once and repeated."""
    whole, rest = divmod(size, MEGABYTE)
    packed = _pack(MEGABYTE) * whole + _pack(rest) + _END
    if as_gzip:
        return _GZIP_START + packed + struct.pack("<II", _compute_crc(whole, rest), size % 2**32)
    return _ZLIB_START + packed + struct.pack(">I", (size % _ADLER_MODULUS) << 16 | 1)


@cache
def _pack(size: int) -> bytes:
    """Return blocks of deflate that refer to nothing before them and end at the end of a byte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(bytes(size)) + packer.flush(zlib.Z_FULL_FLUSH)


@cache
def _compute_crc(megabytes: int, rest: int) -> int:
    zeros, crc = bytes(MEGABYTE), 0
    for _ in range(megabytes):
        crc = zlib.crc32(zeros, crc)
    return zlib.crc32(bytes(rest), crc)
