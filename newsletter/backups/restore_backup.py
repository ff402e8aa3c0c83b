"""Restore an archive into an empty installation, completely or not at all, and hold all sending."""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from newsletter.backups.archive_reader import ArchiveReader, open_archive
from newsletter.backups.archive_writer import read_blocks
from newsletter.backups.errors import BackupError, TargetNotEmpty, WrongPassphrase
from newsletter.backups.fill_postgres import fill_postgres
from newsletter.backups.installation import (
    ADDRESS_KEY,
    ADDRESS_KEY_FILE,
    OLD_KEYS,
    SECRET_KEY,
    SECRET_KEY_FILE,
    SETTINGS_KEY,
    Installation,
    describe_installation,
)
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
from newsletter.backups.placement import Placement, write_file
from newsletter.backups.schema_state import migrate_to, migrate_to_newest, require_known
from newsletter.backups.scratch_schema import put_in_place, scratch_schema
from newsletter.backups.sqlite_database import check_copy
from newsletter.backups.use_database import use_database
from newsletter.common.messages import Message
from newsletter.models import Installation as InstallationRow
from newsletter.sending.limits.installation_hold import hash_address_key, hold_installation
from subscribers.unsubscribing.suppression_journal import journal_path

RESTORED_FOLDER = "restored"
RESTORED = Message(
    "the database was restored from a backup. Nothing is sent until you have checked what was sent since: run "
    "`newsletter doctor --after-restore`"
)
_SETTINGS = {
    SECRET_KEY: "NEWSLETTER_SECRET_KEY",
    OLD_KEYS: "NEWSLETTER_OLD_SECRET_KEYS",
    ADDRESS_KEY: "NEWSLETTER_ADDRESS_KEY",
}


@dataclass(frozen=True)
class RestoredBackup:
    """The result of a restore. ``beside`` are files that were put into a folder of their own, for a person to compare."""

    made_at: str
    rows: int
    media_files: int
    with_keys: bool
    beside: list[Path]


def restore_backup(file: Path, *, passphrase: str | None = None) -> RestoredBackup:
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
            _restore_database(archive, installation, placement, now=datetime.now(UTC))
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
    media_file = next((path for path in installation.media.rglob("*") if path.is_file()), None)
    if media_file is not None:
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
        with scratch_schema() as target_schema:
            migrate_to(archive.manifest.migrations)
            with transaction.atomic():
                fill_postgres(archive)
            _finish_database(archive.manifest, now=now)
            with transaction.atomic():
                put_in_place(target_schema)
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
    made_at = datetime.fromisoformat(manifest.made_at)
    # The hold begins now, also if the backup was made during one. Inside the archive is the time of the one before it.
    InstallationRow.objects.update(changed_at=now, backed_up_at=made_at)
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


def merge_journal(archived: Iterable[bytes]) -> None:
    """Put the archive's lines before those that are there, which are newer. Raises OSError.

    A line that is in both counts once: only the last line about a person and a list is replayed. The note of how far
    the journal was compared with the database is removed, so that the next start compares everything.
    """
    journal = journal_path()
    journal.parent.mkdir(parents=True, exist_ok=True)
    joined = journal.with_name(f"{journal.name}.restoring")
    try:
        write_file(joined, _join(archived, journal_exists=journal.exists()))
        joined.replace(journal)
    finally:
        joined.unlink(missing_ok=True)
    journal.with_name(f"{journal.name}.checked").unlink(missing_ok=True)


def _join(archived: Iterable[bytes], *, journal_exists: bool) -> Iterator[bytes]:
    last = b"\n"
    for block in archived:
        last = block[-1:] or last
        yield block
    if last != b"\n":
        yield b"\n"
    if journal_exists:
        yield from read_blocks(journal_path())


def stage_keys(keys: dict[str, str], installation: Installation, placement: Placement, *, folder: Path) -> list[Path]:
    """Stage the key files, and in ``folder`` all keys and the old settings file. Return the files in that folder.

    Raises:
        TargetNotEmpty: This installation has another key, by a setting or in a file that this process did not make.
    """
    if not keys:
        return []
    present = {SECRET_KEY: settings.SECRET_KEY, ADDRESS_KEY: settings.SUBSCRIBERS_ADDRESS_KEY}
    files = {SECRET_KEY: SECRET_KEY_FILE, ADDRESS_KEY: ADDRESS_KEY_FILE}
    paths = {name: installation.data_folder / files[name] for name in files if present[name] != keys[name]}
    in_use = {name: path for name, path in paths.items() if path not in settings.NEWSLETTER_MADE_KEYS}
    if in_use:
        raise _other_keys(in_use)
    for name, path in paths.items():
        placement.stage(files[name], [keys[name].encode()], place=path)
    lines = [f"{setting}={keys[name]}\n" for name, setting in _SETTINGS.items() if name in keys]
    beside = {"keys.env": "".join(lines)}
    if SETTINGS_KEY in keys:
        beside["settings.env"] = keys[SETTINGS_KEY]
    for name, text in beside.items():
        placement.stage(name, [text.encode()], place=folder / name)
    return [folder / name for name in beside]


def _other_keys(paths: dict[str, Path]) -> TargetNotEmpty:
    names = " and another ".join(_SETTINGS[name] for name in paths)
    return TargetNotEmpty(
        f"This installation has another {names} than the archive. Nothing was restored. Take the keys out of the settings, "
        f"move {' and '.join(map(str, paths.values()))} away if they exist, and leave NEWSLETTER_PRODUCTION out until the "
        "restore is done. Then run this again: it writes the keys of the archive."
    )
