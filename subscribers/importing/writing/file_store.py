"""Keeps the file of an import in the database, in compressed pieces, so that a worker on any machine can read it."""

import hashlib
import tempfile
import zlib
from typing import BinaryIO, cast

from subscribers.importing.reading.encodings import BLOCK_BYTES
from subscribers.models import ImportBatch, ImportPiece

_MEMORY = 16 << 20


def store_file(batch: ImportBatch, file: BinaryIO) -> None:
    """Writes the pieces of a file, from where it stands. The batch must be saved; its `stored` is set."""
    seq = 0
    while block := file.read(BLOCK_BYTES):
        ImportPiece.objects.create(batch=batch, seq=seq, data=zlib.compress(block, 3))
        seq += 1
    batch.stored = True
    batch.save(update_fields=["stored"])


def load_file(batch: ImportBatch) -> BinaryIO:
    """The stored file, open at its start, in a temporary file that goes when it is closed."""
    out = cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=_MEMORY))  # noqa: SIM115  the caller reads it
    for seq in ImportPiece.objects.filter(batch=batch).order_by("seq").values_list("seq", flat=True):
        out.write(zlib.decompress(bytes(ImportPiece.objects.get(batch=batch, seq=seq).data)))
    out.seek(0)
    return out


def delete_stored_file(batch: ImportBatch) -> None:
    """The pieces go; what was imported and refused stays."""
    ImportPiece.objects.filter(batch=batch).delete()
    ImportBatch.objects.filter(pk=batch.pk).update(stored=False)


def measure_file(file: BinaryIO) -> tuple[str, int, int]:
    """SHA-256 in hexadecimal, bytes, and about how many lines (a cell may hold line breaks). The file is rewound."""
    start = file.tell()
    digest = hashlib.sha256()
    size = lines = 0
    while block := file.read(BLOCK_BYTES):
        digest.update(block)
        size += len(block)
        lines += block.count(b"\n") or block.count(b"\r")
    file.seek(start)
    return digest.hexdigest(), size, lines
