"""Detect the format of a file of people before its rows are read: its size, its encoding, and if it is a workbook."""

import codecs
import hashlib
import io
import re
import tempfile
from typing import BinaryIO

from newsletter.common.messages import Message
from subscribers.importing.reading.errors import BadFile

MAX_FILE_BYTES = 200 * 1024 * 1024
BLOCK_BYTES = 1 << 20
_MAX_LINE_BLOCKS = 4
UTF8_WITH_CP1252 = "utf-8+cp1252"
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": Message("UTF-8 with a byte order mark"),
    UTF8_WITH_CP1252: Message("UTF-8 with some lines in Windows-1252"),
    "utf-16": "UTF-16",
    "utf-16-le": Message("UTF-16 (little-endian)"),
    "utf-16-be": Message("UTF-16 (big-endian)"),
    "cp1252": Message("Windows-1252 (Western Europe)"),
    "cp1250": Message("Windows-1250 (Central Europe)"),
    "cp1251": Message("Windows-1251 (Cyrillic)"),
    "cp1254": Message("Windows-1254 (Turkish)"),
    "cp1256": Message("Windows-1256 (Arabic)"),
    "mac_roman": "Mac Roman",
}
"""Labels of the encodings that staff can choose."""
UTF8_ENCODINGS = ("utf-8", "utf-8-sig")
_ZIP_SIGNATURE = b"PK\x03\x04"
_XLS_SIGNATURE = b"\xd0\xcf\x11\xe0"
# The name of the part with an encrypted workbook, in the old Excel format's list of parts.
_ENCRYPTED_PART = "EncryptedPackage".encode("utf-16-le")
# No list has these: they are in images, damaged workbooks and programs. Some old systems end a file with \x1a.
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1f]")
_NOT_A_LIST_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF", b"{\\rtf")
_WEB_PAGE_STARTS = (b"<!doctype html", b"<html")


def make_seekable(file: BinaryIO) -> BinaryIO:
    """Return the file, or a copy if it cannot be rewound. Raises `BadFile` if it is too large."""
    if not file.seekable():
        copy = tempfile.SpooledTemporaryFile(max_size=8 * BLOCK_BYTES)  # noqa: SIM115  lives as long as its rows are read
        size = 0
        while block := file.read(BLOCK_BYTES):
            size += len(block)
            _check_size(size)
            copy.write(block)
        copy.seek(0)
        return copy  # type: ignore[return-value]
    start = file.tell()
    _check_size(file.seek(0, io.SEEK_END) - start)
    file.seek(start)
    return file


def measure_file(file: BinaryIO) -> tuple[str, int, int]:
    """Return SHA-256 in hexadecimal, bytes, and roughly the lines of a file. The file is rewound."""
    start = file.tell()
    digest = hashlib.sha256()
    size = lines = 0
    while block := file.read(BLOCK_BYTES):
        digest.update(block)
        size += len(block)
        lines += block.count(b"\n") or block.count(b"\r")
    file.seek(start)
    return digest.hexdigest(), size, lines


def is_workbook(file: BinaryIO) -> bool:
    """Return True if the file is a zip archive, as every .xlsx is. The file is rewound."""
    start = file.tell()
    head = file.read(4)
    file.seek(start)
    return head == _ZIP_SIGNATURE


def detect_encoding(file: BinaryIO) -> str:
    """Return one of `ENCODINGS`. The file is read through and rewound. Raises `BadFile` if it is not text."""
    start = file.tell()
    head = file.read(4096)
    file.seek(start)
    if head.startswith(_XLS_SIGNATURE):
        if _contains(file, _ENCRYPTED_PART):
            raise BadFile(
                "This workbook is protected by a password, so nobody can be read from it. Save a copy without the password"
                " and choose that file."
            )
        raise BadFile(
            "This is a workbook in the old Excel format (.xls). Save it as .xlsx or CSV, then choose that file."
        )
    if head.startswith(_NOT_A_LIST_SIGNATURES):
        raise BadFile(
            "This file is an image or a document, not a list of people. Choose a CSV file or an Excel workbook (.xlsx)."
        )
    if head.removeprefix(codecs.BOM_UTF8).lstrip().lower().startswith(_WEB_PAGE_STARTS):
        raise BadFile(
            "This file is a web page, not a list of people. A site saves one if you had to sign in before the download. "
            "Download the list again and choose a CSV file or an Excel workbook (.xlsx)."
        )
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig" if not _count_undecodable(file)[0] else UTF8_WITH_CP1252
    if head and head.count(0) > len(head) // 4:
        return "utf-16-le" if head[1:2] == b"\0" else "utf-16-be"
    if len(_BINARY.findall(head)) > len(head) // 100:
        raise BadFile(
            "This file is damaged, or it is not a list of people. Save it again in the program that made it, as a CSV file or"
            " an Excel workbook (.xlsx), and choose that file."
        )
    strays, letters = _count_undecodable(file)
    if not strays:
        return "utf-8"
    return UTF8_WITH_CP1252 if letters > strays else "cp1252"


def _contains(file: BinaryIO, part: bytes) -> bool:
    """Return True if the file has these bytes. It is rewound."""
    start, tail, is_found = file.tell(), b"", False
    while not is_found and (block := file.read(BLOCK_BYTES)):
        is_found = part in tail + block
        tail = block[-len(part) :]
    file.seek(start)
    return is_found


def _count_undecodable(file: BinaryIO) -> tuple[int, int]:
    """Count the bytes that are not UTF-8, and the characters beyond ASCII."""
    start = file.tell()
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    strays = letters = unbroken = 0
    try:
        while block := file.read(BLOCK_BYTES):
            unbroken = 0 if b"\n" in block or b"\r" in block else unbroken + 1
            if unbroken == _MAX_LINE_BLOCKS:
                raise BadFile(
                    "The file has a line of more than four million characters. It is probably not a CSV file. Choose"
                    " another file."
                )
            text = decoder.decode(block)
            if not text.isascii():
                bad = _count_strays(text)
                strays += bad
                letters += len(text) - len(text.encode("ascii", "ignore")) - bad
        strays += _count_strays(decoder.decode(b"", final=True))
    finally:
        file.seek(start)
    return strays, letters


def _count_strays(text: str) -> int:
    """Return the number of lone surrogates. A pattern that finds them takes longer."""
    return len(text) - len(text.encode("utf-8", "ignore").decode("utf-8"))


def _check_size(size: int) -> None:
    if size > MAX_FILE_BYTES:
        raise BadFile(
            "The file is larger than %(max_bytes)s MiB. Split it and import the parts.",
            max_bytes=MAX_FILE_BYTES // 1024 // 1024,
        )
