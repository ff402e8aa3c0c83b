"""Restore an archive into an empty installation, completely or not at all, and hold all sending."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from newsletter.backups.archive_reader import ArchiveReader, open_archive
from newsletter.backups.connected_database import use_database
from newsletter.backups.errors import BackupError, TargetNotEmpty, WrongPassphrase
from newsletter.backups.fill_postgres import fill_postgres
from newsletter.backups.installation import Installation, describe_installation
from newsletter.backups.manifest import (
    DATABASE_PREFIX,
    JOURNAL_PART,
    KEYS_PART,
    MEDIA_PREFIX,
    ORGANISATION_PART,
    SQLITE_PART,
    Manifest,
)
from newsletter.backups.passphrase import unseal_keys
from newsletter.backups.placement import Placement
from newsletter.backups.restored_journal import merge_journal
from newsletter.backups.restored_keys import stage_keys
from newsletter.backups.schema_state import migrate_to_newest, require_known
from newsletter.backups.sqlite_database import check_copy
from newsletter.common.messages import Message
from newsletter.models import Installation as InstallationRow
from newsletter.sending.limits.installation_hold import hash_address_key, hold_installation

RESTORED_FOLDER = "restored"
RESTORED = Message(
    "the database was restored from a backup. Nothing is sent until you have checked what was sent since: run "
    "`newsletter doctor --after-restore`"
)


@dataclass(frozen=True)
class RestoredBackup:
    """The result of a restore. ``beside`` are files that were put into a folder of their own, for a person to compare."""

    made_at: str
    rows: int
    media_files: int
    with_keys: bool
    beside: list[Path]


def restore_backup(file: Path, *, passphrase: str | None = None, now: datetime | None = None) -> RestoredBackup:
    """Raise BackupError if the archive or the target does not allow it. Then nothing was changed."""
    installation = describe_installation()
    with open_archive(file) as archive:
        manifest = archive.manifest
        _require_same_engine(manifest, installation)
        require_known(manifest.migrations)
        _require_empty_database(installation)
        placement = Placement(installation.data_folder)
        placement.begin()
        try:
            _require_no_media(installation)
            keys = _open_keys(archive, passphrase=passphrase)
            beside = _stage_files(archive, installation, placement, keys)
            _restore_database(archive, installation, placement, now=now or datetime.now(UTC))
        except BaseException as error:
            placement.undo()
            if isinstance(error, OSError):
                raise _cannot_write(error) from error
            raise
        placement.finish()
        return RestoredBackup(
            made_at=manifest.made_at,
            rows=sum(manifest.rows.values()),
            media_files=len(archive.names(MEDIA_PREFIX)),
            with_keys=bool(keys),
            beside=beside,
        )


def _require_same_engine(manifest: Manifest, installation: Installation) -> None:
    if manifest.engine == installation.engine:
        return
    names = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
    archived, here = (names.get(engine, engine) for engine in (manifest.engine, installation.engine))
    then = " Then run `newsletter move` to go to PostgreSQL." if manifest.engine == "sqlite" else ""
    raise BackupError(
        f"The archive is of {archived}, and DATABASE_URL names {here}. Nothing was restored. Restore it to {archived}.{then}"
    )


def _require_empty_database(installation: Installation) -> None:
    file = installation.database_file
    if file is not None and not file.exists():
        return
    if connection.introspection.table_names():
        where = str(file) if file is not None else "the database that DATABASE_URL names"
        raise TargetNotEmpty(
            f"There are tables in {where}. Nothing was changed. Restore into an empty database and an empty data folder, "
            "or move the old ones away first."
        )


def _require_no_media(installation: Installation) -> None:
    found = next((path for path in installation.media.rglob("*") if path.is_file()), None)
    if found is not None:
        raise TargetNotEmpty(
            f"There are images in {installation.media}. Nothing was changed. Move that folder away, then run this again."
        )


def _open_keys(archive: ArchiveReader, *, passphrase: str | None) -> dict[str, str]:
    """Return the keys of the archive, or none if this installation has the right ones already."""
    if passphrase is not None:
        if not archive.has(KEYS_PART):
            raise WrongPassphrase(
                "The archive holds no keys: it was made without a passphrase. Nothing was restored. Set the keys that you "
                "kept elsewhere, and leave out --passphrase-file."
            )
        return unseal_keys(archive.read_whole(KEYS_PART), passphrase=passphrase)
    if hash_address_key(settings.SUBSCRIBERS_ADDRESS_KEY) == archive.manifest.address_key_hash:
        return {}
    do = "Give its passphrase with --passphrase-file, or set" if archive.has(KEYS_PART) else "Set"
    raise WrongPassphrase(
        "The archive belongs to another NEWSLETTER_ADDRESS_KEY, so people who unsubscribed would not be recognised. Nothing "
        f"was restored. {do} NEWSLETTER_ADDRESS_KEY to the key of the installation that was backed up."
    )


def _stage_files(
    archive: ArchiveReader, installation: Installation, placement: Placement, keys: dict[str, str]
) -> list[Path]:
    beside = stage_keys(keys, installation, placement, folder=installation.data_folder / RESTORED_FOLDER)
    if archive.has(ORGANISATION_PART):
        place = installation.data_folder / RESTORED_FOLDER / ORGANISATION_PART
        placement.stage(ORGANISATION_PART, archive.read(ORGANISATION_PART), place=place)
        beside.append(place)
    media = placement.stage_folder("media", place=installation.media)
    for name in archive.names(MEDIA_PREFIX):
        path = media / name.removeprefix(MEDIA_PREFIX)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as out:
            out.writelines(archive.read(name))
    return beside


def _restore_database(
    archive: ArchiveReader, installation: Installation, placement: Placement, *, now: datetime
) -> None:
    if installation.database_file is None:
        for name in archive.names(DATABASE_PREFIX):
            archive.check_part(name)  # before the tables are made, which takes much longer
        with transaction.atomic():
            fill_postgres(archive)
            _finish_database(archive.manifest, now=now)
            _place_files(archive, placement)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        return
    waiting = placement.stage("database", archive.read(SQLITE_PART), place=installation.database_file, beside=True)
    check_copy(waiting, rows=archive.manifest.rows)
    with use_database(NAME=str(waiting)), _one_file():
        _finish_database(archive.manifest, now=now)
    for end in ("-wal", "-shm"):
        Path(f"{waiting}{end}").unlink(missing_ok=True)
    _place_files(archive, placement)


def _finish_database(manifest: Manifest, *, now: datetime) -> None:
    """Bring the tables to this version, and hold everything."""
    migrate_to_newest()
    InstallationRow.objects.get_or_create(
        pk=1, defaults={"address_key_hash": manifest.address_key_hash, "changed_at": now}
    )
    hold_installation(reason=RESTORED, now=now)


def _place_files(archive: ArchiveReader, placement: Placement) -> None:
    """Put the files in place. The journal is joined first: its lines are true whatever becomes of the restore."""
    if archive.has(JOURNAL_PART):
        merge_journal(archive.read(JOURNAL_PART))
    placement.put()


@contextmanager
def _one_file() -> Iterator[None]:
    """Leave the SQLite file without companions, so that it can be renamed."""
    yield
    with closing(connection.cursor()) as cursor:
        cursor.execute("PRAGMA journal_mode = DELETE")


def _cannot_write(error: OSError) -> BackupError:
    return BackupError(
        f"The data folder cannot be written: {error.strerror} ({error.filename}). Nothing was restored. Free some space, or "
        "let this user write there, then run this again."
    )
