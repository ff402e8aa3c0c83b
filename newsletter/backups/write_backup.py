"""Write one archive of the whole installation while it runs."""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from newsletter.backups import postgres_database
from newsletter.backups.archive_reader import open_archive
from newsletter.backups.archive_writer import ArchiveWriter, read_blocks
from newsletter.backups.errors import BackupError, BadArchive
from newsletter.backups.installation import Installation, collect_keys, describe_installation
from newsletter.backups.manifest import (
    FORMAT,
    JOURNAL_PART,
    KEYS_PART,
    MEDIA_PREFIX,
    ORGANISATION_PART,
    SQLITE_PART,
    Manifest,
    Sequence,
    table_part,
)
from newsletter.backups.passphrase import seal_keys
from newsletter.backups.schema_state import Migration, list_applied
from newsletter.backups.sqlite_database import copy_snapshot, count_rows, read_migrations
from newsletter.common.database.error_codes import describe_cause
from newsletter.models import Installation as InstallationRow
from newsletter.sending.limits.installation_hold import get_installation, hash_address_key
from subscribers.unsubscribing.suppression_journal import journal_path

log = logging.getLogger(__name__)
_NAME = re.compile(r"newsletter-\d{4}-\d{2}-\d{2}-\d{6}\.zip")


@dataclass(frozen=True)
class WrittenBackup:
    """A finished archive: its size in bytes, the rows and files in it, and the older archives that were removed."""

    file: Path
    size: int
    rows: int
    media_files: int
    with_keys: bool
    removed: list[Path]


@dataclass(frozen=True)
class _DatabaseCopy:
    migrations: list[Migration]
    rows: dict[str, int]
    columns: dict[str, list[str]]
    sequences: list[Sequence]


def write_backup(
    file: Path, *, passphrase: str | None = None, keep: int | None = None, now: datetime | None = None
) -> WrittenBackup:
    """Write the archive, and keep only so many in its folder. Nothing is overwritten.

    The database is copied first, as of one moment. Images and the journal are read after it, so nothing that a row
    names is missing unless it was deleted meanwhile.
    """
    now = now or datetime.now(UTC)
    is_folder = file.is_dir()
    if keep is not None and not is_folder:
        raise BackupError(
            f"--keep removes older archives of a folder, and {file} is not a folder. Nothing was done. Name the folder."
        )
    file = file / name_archive(now) if is_folder else file
    installation = describe_installation()
    keys = seal_keys(collect_keys(installation), passphrase=passphrase) if passphrase else None
    with ArchiveWriter(file) as archive:
        database = _add_database(archive, installation)
        _add_file(archive, JOURNAL_PART, journal_path())
        _add_file(archive, ORGANISATION_PART, installation.organisation_file)
        if keys:
            archive.add(KEYS_PART, [keys])
        media = sum(_add_file(archive, name, path) for name, path in _list_media(installation.media))
        manifest = Manifest(
            format=FORMAT,
            product=version("newsletter"),
            made_at=now.isoformat(),
            engine=installation.engine,
            address_key_hash=hash_address_key(settings.SUBSCRIBERS_ADDRESS_KEY),
            migrations=database.migrations,
            rows=database.rows,
            columns=database.columns,
            sequences=database.sequences,
            parts=archive.parts,
        )
        size = archive.finish(manifest)
    _store_time(now)
    removed = remove_older(file.parent, keep=keep) if keep is not None else []
    return WrittenBackup(
        file=file,
        size=size,
        rows=sum(database.rows.values()),
        media_files=media,
        with_keys=keys is not None,
        removed=removed,
    )


def _store_time(now: datetime) -> None:
    """Store when the newest archive was made. The archive is complete, also if the database takes no changes."""
    try:
        get_installation(now=now)
        InstallationRow.objects.update(backed_up_at=now)
    except DatabaseError as error:
        log.warning(
            "The archive is complete, but its time could not be stored in the database (%s), so `newsletter doctor` does not "
            "know of it. Check that this user may write to the database.",
            describe_cause(error),
        )


def _add_database(archive: ArchiveWriter, installation: Installation) -> _DatabaseCopy:
    if installation.database_file is not None:
        return _add_sqlite(archive, installation.database_file)
    with transaction.atomic():
        postgres_database.begin_snapshot()
        return _add_postgres(archive)


def _add_sqlite(archive: ArchiveWriter, database: Path) -> _DatabaseCopy:
    if not database.is_file() or "django_migrations" not in connection.introspection.table_names():
        raise BackupError(
            f"There is no database in {database} yet, so there is nothing to back up. Run the command in the folder of your "
            "installation, which contains its .env, or check DATABASE_URL."
        )
    with copy_snapshot(database, folder=archive.folder) as copy:
        rows, migrations = count_rows(copy), read_migrations(copy)
        archive.add(SQLITE_PART, read_blocks(copy))
    return _DatabaseCopy(migrations=migrations, rows=rows, columns={}, sequences=[])


def _add_postgres(archive: ArchiveWriter) -> _DatabaseCopy:
    tables = postgres_database.list_tables()
    if "django_migrations" not in tables:
        raise BackupError("The database has no tables yet, so there is nothing to back up. Check DATABASE_URL.")
    columns = {table: postgres_database.list_columns(table) for table in tables}
    rows = dict.fromkeys(tables, 0)

    def read(table: str) -> Iterator[bytes]:
        for block in postgres_database.read_table(table, columns[table]):
            rows[table] += block.count(b"\n")  # COPY escapes line breaks inside values
            yield block

    for table in tables:
        archive.add(table_part(table), read(table))
    return _DatabaseCopy(list_applied(), rows, columns, postgres_database.list_sequences())


def _add_file(archive: ArchiveWriter, name: str, path: Path) -> bool:
    """Add a file. Return False if there is none, also because it was deleted since the folder was listed."""
    try:
        blocks = read_blocks(path)
        first = next(blocks, b"")
    except FileNotFoundError:
        return False
    archive.add(name, _join(first, blocks), compress=not name.startswith(MEDIA_PREFIX))
    return True


def _join(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def _list_media(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield f"{MEDIA_PREFIX}{path.relative_to(folder).as_posix()}", path


def name_archive(now: datetime) -> str:
    """Return the name of an archive of this moment. The order of the names is the order of their times."""
    return f"newsletter-{now.astimezone(UTC):%Y-%m-%d-%H%M%S}.zip"


def remove_older(folder: Path, *, keep: int) -> list[Path]:
    """Remove all but the newest archives that carry our name and are ours. Return what was removed."""
    archives = sorted((path for path in folder.iterdir() if _NAME.fullmatch(path.name)), reverse=True)
    ours = [path for path in archives if _is_ours(path)]
    removed = ours[keep:]
    for path in removed:
        try:
            path.unlink()
        except OSError as error:
            raise BackupError(
                f"The new archive is complete, but the old one {path} cannot be removed: {error.strerror}. Remove it yourself."
            ) from error
    return removed


def _is_ours(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    try:
        with open_archive(path):
            return True
    except BadArchive:
        return False
