"""Read an archive part by part, and compare each part with its size and hash in the manifest."""

import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from newsletter.backups.archive_writer import BLOCK
from newsletter.backups.errors import BadArchive
from newsletter.backups.manifest import MANIFEST_PART, MAX_BYTES, MEDIA_PREFIX, Manifest, parse_manifest

# zipfile raises NotImplementedError for an unknown compression and RuntimeError for an encrypted part.
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)


class ArchiveReader:
    """An open archive whose manifest was read."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._zip = archive
        self.manifest: Manifest = parse_manifest(_read_manifest(archive))
        self._require_parts()

    def has(self, name: str) -> bool:
        return name in self.manifest.parts

    def names(self, prefix: str) -> list[str]:
        return [name for name in self.manifest.parts if name.startswith(prefix)]

    def read(self, name: str) -> Iterator[bytes]:
        """Yield a part's blocks. Raise BadArchive, at the latest after the last block, if it is damaged."""
        part = self.manifest.parts[name]
        digest, size = hashlib.sha256(), 0
        try:
            with self._zip.open(name) as opened:
                while block := opened.read(BLOCK):
                    digest.update(block)
                    size += len(block)
                    if size > part.size:
                        break
                    yield block
        except UNREADABLE as error:
            raise _damaged(name) from error
        if (size, digest.hexdigest()) != (part.size, part.sha256):
            raise _damaged(name)

    def read_whole(self, name: str) -> bytes:
        return b"".join(self.read(name))

    def check_part(self, name: str) -> int:
        """Read a part to its end and return its size. Raise BadArchive if it is damaged."""
        return sum(map(len, self.read(name)))

    def _require_parts(self) -> None:
        there = set(self._zip.namelist())
        for name in self.manifest.parts:
            if name not in there:
                raise _damaged(name)
            if name.startswith(MEDIA_PREFIX) and not _is_safe(name):
                raise BadArchive(f"The archive has a part whose name leaves its folder ({name}). Nothing was restored.")


@contextmanager
def open_archive(file: Path) -> Iterator[ArchiveReader]:
    """Open an archive. Raise BadArchive if it is none, or is incomplete."""
    try:
        archive = zipfile.ZipFile(file)
    except FileNotFoundError as error:
        raise BadArchive(f"There is no file {file}. Give the archive that `newsletter backup` wrote.") from error
    except OSError as error:
        raise BadArchive(f"{file} cannot be read: {error.strerror}. Nothing was restored.") from error
    except zipfile.BadZipFile as error:
        raise BadArchive(
            f"{file} is no archive of `newsletter backup`, or its end is missing. Nothing was restored. "
            "Copy it again from where it was made, or use another archive."
        ) from error
    with archive:
        yield ArchiveReader(archive)


def _read_manifest(archive: zipfile.ZipFile) -> bytes:
    try:
        info = archive.getinfo(MANIFEST_PART)
        if info.file_size > MAX_BYTES:
            raise _damaged(MANIFEST_PART)
        return archive.read(info)
    except KeyError as error:
        raise BadArchive(
            f"{archive.filename} has no {MANIFEST_PART}, so it was not made by `newsletter backup`. Nothing was restored."
        ) from error
    except UNREADABLE as error:
        raise _damaged(MANIFEST_PART) from error


def _is_safe(name: str) -> bool:
    parts = name.split("/")
    return "\\" not in name and "\0" not in name and not {"", ".", ".."} & set(parts)


def _damaged(name: str) -> BadArchive:
    return BadArchive(f"The archive is damaged: its part {name} is incomplete or was changed. Use another archive.")
