"""Restore an archive into a scratch place and compare it with its manifest. The installation is not touched."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from django.db import connection, transaction

from newsletter.backups.archive_reader import ArchiveReader, open_archive
from newsletter.backups.errors import BackupError
from newsletter.backups.fill_postgres import fill_postgres
from newsletter.backups.manifest import KEYS_PART, MEDIA_PREFIX, SQLITE_PART
from newsletter.backups.passphrase import unseal_keys
from newsletter.backups.placement import write_file
from newsletter.backups.schema_state import migrate_to, require_known
from newsletter.backups.scratch_schema import scratch_schema
from newsletter.backups.sqlite_database import check_copy


@dataclass(frozen=True)
class VerifiedBackup:
    """An archive that restores: its moment, version and database, and what is in it."""

    made_at: str
    product: str
    engine: str
    tables: int
    rows: int
    media_files: int
    keys: str


def verify_backup(file: Path, *, passphrase: str | None = None) -> VerifiedBackup:
    """Raise BackupError if the archive could not be restored by this version, or differs from its manifest.

    A PostgreSQL archive is restored into a schema of its own on the configured server. Its tables are filled in one
    transaction that is rolled back. An SQLite archive is restored into a temporary file beside the archive.
    """
    with open_archive(file) as archive:
        manifest = archive.manifest
        require_known(manifest.migrations)
        for name in manifest.parts:
            archive.check_part(name)
        keys = "none"
        if archive.has(KEYS_PART):
            keys = "sealed, not opened"
            if passphrase is not None:
                unseal_keys(archive.read_whole(KEYS_PART), passphrase=passphrase)
                keys = "opened"
        if manifest.engine == "sqlite":
            _verify_sqlite(archive, folder=file.absolute().parent)
        else:
            _verify_postgres(archive)
        return VerifiedBackup(
            made_at=manifest.made_at,
            product=manifest.product,
            engine=manifest.engine,
            tables=len(manifest.rows),
            rows=sum(manifest.rows.values()),
            media_files=len(archive.names(MEDIA_PREFIX)),
            keys=keys,
        )


def _verify_sqlite(archive: ArchiveReader, *, folder: Path) -> None:
    try:
        scratch = Path(tempfile.mkdtemp(prefix=".newsletter-verify-", dir=folder))
        try:
            database = scratch / "newsletter.sqlite3"
            write_file(database, archive.read(SQLITE_PART))
            check_copy(database, rows=archive.manifest.rows)
        finally:
            shutil.rmtree(scratch)
    except OSError as error:
        raise BackupError(
            f"The archive cannot be unpacked beside it: {error.strerror} ({error.filename}). It was not verified. Free some "
            "space, or copy the archive to a folder with more."
        ) from error


def _verify_postgres(archive: ArchiveReader) -> None:
    if connection.vendor != "postgresql":
        raise BackupError(
            "The archive is of PostgreSQL, and DATABASE_URL names another database. All its parts are whole; it was not "
            "restored to compare them. Set DATABASE_URL to a PostgreSQL database, then run this again."
        )
    with scratch_schema():
        migrate_to(archive.manifest.migrations)
        with transaction.atomic():
            fill_postgres(archive)
            transaction.set_rollback(True)
