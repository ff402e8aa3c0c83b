"""Extract the XML of a report from its zip or gzip file, within a limit. Its content decides its type, not its name."""

import gzip
import zipfile
import zlib
from io import BytesIO

from newsletter.content.parsing.aggregate_reports.report import ReportProblem

MAX_UNPACKED_BYTES = 20 * 1024 * 1024
MAX_ZIP_ENTRIES = 20
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1


class CannotRead(Exception):
    """The file is not read, for the reason of its code."""

    def __init__(self, problem: ReportProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


def unpack_xml(body: bytes) -> bytes:
    """Return the XML of a file. Raise CannotRead."""
    try:
        if body.startswith(_GZIP):
            with gzip.GzipFile(fileobj=BytesIO(body)) as packed:
                xml = packed.read(MAX_UNPACKED_BYTES + 1)
        elif body.startswith(_ZIP):
            xml = _unzip(body)
        else:
            xml = body
    except (OSError, EOFError, ValueError, NotImplementedError, RuntimeError, zlib.error, zipfile.BadZipFile) as error:
        # zipfile raises NotImplementedError for an unknown compression and RuntimeError for an encrypted part.
        raise CannotRead(ReportProblem.NOT_A_REPORT) from error
    if len(xml) > MAX_UNPACKED_BYTES:
        raise CannotRead(ReportProblem.TOO_LARGE)
    return xml


def _unzip(body: bytes) -> bytes:
    """Return the one XML file of an archive. What its directory says about sizes is not believed."""
    with zipfile.ZipFile(BytesIO(body)) as archive:
        entries = archive.infolist()
        reports = [
            entry for entry in entries if entry.filename.lower().endswith(".xml") and "__MACOSX" not in entry.filename
        ]
        if len(entries) > MAX_ZIP_ENTRIES or len(reports) != 1:
            raise CannotRead(ReportProblem.NOT_A_REPORT)
        if reports[0].flag_bits & _ENCRYPTED or reports[0].compress_type not in _METHODS:
            raise CannotRead(ReportProblem.NOT_A_REPORT)
        with archive.open(reports[0]) as packed:
            return packed.read(MAX_UNPACKED_BYTES + 1)
