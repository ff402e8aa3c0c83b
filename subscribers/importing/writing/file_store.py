"""Keep an import's file in the database, in compressed chunks, so that a worker on any machine can read it."""

import tempfile
import zlib
from typing import BinaryIO, cast

from subscribers.importing.reading.errors import BadFile
from subscribers.importing.reading.file_format import BLOCK_BYTES
from subscribers.models import ImportBatch, ImportPiece

_MEMORY = 16 << 20


def store_file(batch: ImportBatch, file: BinaryIO) -> None:
    """Store a file from its current position. Save the batch first; `stored` is set."""
    seq = 0
    while block := file.read(BLOCK_BYTES):
        ImportPiece.objects.create(batch=batch, seq=seq, data=zlib.compress(block, 3))
        seq += 1
    batch.stored = True
    batch.save(update_fields=["stored"])


def load_file(batch: ImportBatch) -> BinaryIO:
    """Return the stored file in a temporary file, open at its start, which is deleted when it is closed.

    Raises `BadFile` if a part of it is missing or damaged.
    """
    out = cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=_MEMORY))  # noqa: SIM115  the caller reads it
    try:
        for seq in list(ImportPiece.objects.filter(batch=batch).order_by("seq").values_list("seq", flat=True)):
            piece = ImportPiece.objects.filter(batch=batch, seq=seq).first()
            out.write(zlib.decompress(bytes(piece.data)) if piece else b"")
        is_whole = out.tell() == batch.file_bytes
    except zlib.error:
        is_whole = False
    except OSError:
        out.close()
        raise
    if not is_whole:
        out.close()
        raise BadFile(
            "The stored file is no longer complete, so it cannot be read. What was imported before stays. Upload the file again, "
            "or undo this import."
        )
    out.seek(0)
    return out


def delete_stored_file(batch: ImportBatch) -> None:
    """Delete the stored file. Imported people and refused lines stay."""
    ImportPiece.objects.filter(batch=batch).delete()
    ImportBatch.objects.filter(pk=batch.pk).update(stored=False)
