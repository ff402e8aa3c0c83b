"""Write an archive part by part, under a temporary name, and give it its name when it is complete."""

import errno
import fcntl
import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from newsletter.backups.errors import BackupError
from newsletter.backups.manifest import MANIFEST_PART, Manifest, Part

BLOCK = 1024 * 1024
PART_PREFIX, PART_SUFFIX = ".newsletter-", ".part"
_FREE_SPACE = "Free some space or choose another folder"
_GIVE_RIGHTS = "Give this user the right to use it, or choose another folder"
_REPAIRS = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), _FREE_SPACE),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _GIVE_RIGHTS),
}
"""What helps against an error of writing, by its number."""


class ArchiveWriter:
    """A ZIP file in the making. Leaving the block without `finish` removes it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.parts: dict[str, Part] = {}
        if file.exists():
            raise _exists(file)
        remove_abandoned(file.parent)
        try:
            descriptor, name = tempfile.mkstemp(prefix=PART_PREFIX, suffix=PART_SUFFIX, dir=file.parent)
        except OSError as error:
            raise _cannot_write(file, error) from error
        self._temporary = Path(name)
        self._out = os.fdopen(descriptor, "w+b")
        fcntl.flock(self._out, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._zip = zipfile.ZipFile(self._out, "w", allowZip64=True)

    def __enter__(self) -> "ArchiveWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError, ValueError):
            self._zip.close()
        with suppress(OSError):
            self._out.close()
        self._temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _cannot_write(self._file, error) from error

    @property
    def folder(self) -> Path:
        return self._file.parent

    def add(self, name: str, blocks: Iterable[bytes], *, compress: bool = True) -> Part:
        """Write one part, block by block. Return its size and hash."""
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
        info.external_attr = 0o600 << 16
        digest, size = hashlib.sha256(), 0
        with self._zip.open(info, "w", force_zip64=True) as out:
            for block in blocks:
                out.write(block)
                digest.update(block)
                size += len(block)
        self.parts[name] = Part(size, digest.hexdigest())
        return self.parts[name]

    def finish(self, manifest: Manifest) -> int:
        """Write the manifest and give the archive its name. Return its size in bytes."""
        self._zip.writestr(MANIFEST_PART, manifest.to_bytes(), compress_type=zipfile.ZIP_DEFLATED)
        self._zip.close()
        self._out.flush()
        os.fsync(self._out.fileno())
        size = self._temporary.stat().st_size
        _name(self._temporary, self._file)
        _sync_folder(self._file.parent)
        return size


def read_blocks(file: Path) -> Iterator[bytes]:
    """Yield the content of a file. Raises OSError."""
    with file.open("rb") as opened:
        while block := opened.read(BLOCK):
            yield block


def remove_abandoned(folder: Path) -> None:
    """Remove what a killed backup left in this folder. A backup that is running keeps its file."""
    for path in folder.glob(f"{PART_PREFIX}*{PART_SUFFIX}*"):
        with suppress(OSError), path.open("r+b") as opened, _lock(opened):
            path.unlink()


@contextmanager
def _lock(opened: BinaryIO) -> Iterator[None]:
    fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    yield


def _name(temporary: Path, file: Path) -> None:
    """Rename without overwriting. A file system without hard links only checks first."""
    try:
        os.link(temporary, file)
    except FileExistsError as error:
        raise _exists(file) from error
    except OSError:
        if file.exists():
            raise _exists(file) from None
        temporary.rename(file)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _exists(file: Path) -> BackupError:
    return BackupError(f"{file} exists already and was not changed. Choose another name, or name a folder.")


def _cannot_write(file: Path, error: OSError) -> BackupError:
    if not file.parent.is_dir():
        return BackupError(
            f"There is no folder {file.parent}, so there is no archive. Make the folder or name another one, then run this again."
        )
    do = _REPAIRS.get(error.errno or 0, "Repair that or choose another folder")
    return BackupError(
        f"The backup could not be written: {error.strerror} ({error.filename or file}). There is no archive. "
        f"{do}, then run this again."
    )
