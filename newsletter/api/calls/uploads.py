"""Read a file that a call sends as its body, piece by piece, so that no process holds it in memory."""

import hashlib
import tempfile
from typing import BinaryIO, cast

from django.http import HttpRequest

from newsletter.api.calls.problems import Problem
from subscribers.importing.reading.file_format import MAX_FILE_BYTES

_MEMORY, _PIECE = 16 << 20, 1 << 20


def get_upload(request: HttpRequest) -> tuple[BinaryIO, str]:
    """Return the body as a file at its start, and its SHA-256 in hexadecimal. It is read once a call.

    Raise Problem if it is larger than a file of the desk.
    """
    upload: tuple[BinaryIO, str] | None = getattr(request, "upload", None)
    if upload is None:
        upload = request.upload = _read(request)  # type: ignore[attr-defined]
    return upload


def close_upload(request: HttpRequest) -> None:
    """Close the file of the call, if it was read. That deletes it."""
    upload: tuple[BinaryIO, str] | None = getattr(request, "upload", None)
    if upload is not None:
        upload[0].close()


def _read(request: HttpRequest) -> tuple[BinaryIO, str]:
    announced = str(request.META.get("CONTENT_LENGTH") or "0")
    if announced.isdecimal() and int(announced) > MAX_FILE_BYTES:
        raise _too_large()
    file = cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=_MEMORY))  # noqa: SIM115  `close_upload`
    digest, size = hashlib.sha256(), 0
    while piece := request.read(_PIECE):
        size += len(piece)
        if size > MAX_FILE_BYTES:
            file.close()
            raise _too_large()
        digest.update(piece)
        file.write(piece)
    file.seek(0)
    return file, digest.hexdigest()


def _too_large() -> Problem:
    detail = (
        f"Send at most {MAX_FILE_BYTES >> 20} MB in one file. Split it and import the parts. Nobody is added twice."
    )
    return Problem(413, "The file is too large", detail, code="call_too_large")
