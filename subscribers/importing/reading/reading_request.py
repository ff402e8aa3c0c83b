"""The messages to the process that reads a large file, and what it answers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from subscribers.importing.reading.parsed_rows import ImportTerms, Row
from subscribers.importing.reading.people_file import DetectedFile, read_people

ROWS_PER_MESSAGE = 5_000
"""As many as a chunk of an import has: the process is one chunk ahead of the import, whatever a pipe holds."""
MAX_MESSAGE_BYTES = 1 << 30
_OF_ROWS = "subscribers.importing.reading.parsed_rows"
ALLOWED = {
    ("datetime", "date"),
    ("datetime", "datetime"),
    ("datetime", "timedelta"),
    ("datetime", "timezone"),
    ("newsletter.common.messages", "Message"),
    ("newsletter.common.messages", "Quantity"),
    ("subscribers.importing.reading.export_formats", "Layout"),
    ("subscribers.importing.reading.people_file", "DetectedFile"),
    ("subscribers.importing.reading.reading_request", "ReadingRequest"),
    ("subscribers.importing.reading.reading_request", "SharedFile"),
    *((_OF_ROWS, name) for name in ("ImportTerms", "PersonRow", "RefusalKind", "RefusedRow", "RowKind")),
}
"""The classes that these messages may hold."""


@dataclass(frozen=True)
class ReadingRequest:
    """How an inspected file is read. `key` is the installation's key for hashes of addresses."""

    detected: DetectedFile
    mapping: Sequence[str]
    terms: ImportTerms
    key: bytes = field(repr=False)

    def read(self, file: BinaryIO) -> Iterator[Row]:
        """Yield the rows of the file. Raises `BadFile`."""
        return read_people(file, detected=self.detected, mapping=self.mapping, terms=self.terms, key=self.key)


@dataclass(frozen=True)
class SharedFile:
    """A file that the process inherits, and where its content starts. The process must seek: both share one position."""

    descriptor: int
    start: int
