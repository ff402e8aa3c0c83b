"""Fill empty PostgreSQL tables from an archive, inside the caller's transaction, and compare every table."""

from newsletter.backups import postgres_database
from newsletter.backups.archive_reader import ArchiveReader
from newsletter.backups.errors import BadArchive
from newsletter.backups.manifest import table_part
from newsletter.backups.postponed_rules import postponed_rules


def fill_postgres(archive: ArchiveReader) -> None:
    """Fill the tables of the archive's migrations. Raise BadArchive if a table has other rows than the archive."""
    manifest = archive.manifest
    postgres_database.prepare_transaction()
    made = postgres_database.list_tables()
    missing = sorted(set(manifest.columns) - set(made))
    if missing:
        raise BadArchive(
            f"The archive has tables that this installation does not make: {', '.join(missing[:3])}. Nothing was "
            "restored. Install the extension or set the engine that it was made with, then run this again."
        )
    postgres_database.empty_tables(made)
    with postponed_rules():
        for table, columns in manifest.columns.items():
            if set(columns) != set(postgres_database.list_columns(table)):
                raise BadArchive(f"The archive is damaged: the columns of {table} are not those of its migrations.")
            postgres_database.write_table(table, columns, archive.read(table_part(table)))
    postgres_database.set_sequences(manifest.sequences)
    for table, columns in manifest.columns.items():
        _compare(archive, table, columns)


def _compare(archive: ArchiveReader, table: str, columns: list[str]) -> None:
    counted, recorded = postgres_database.count_table(table), archive.manifest.rows[table]
    if counted != recorded:
        raise BadArchive(f"The table {table} has {counted} rows after the restore, and the archive has {recorded}.")
    if postgres_database.hash_table(table, columns) != archive.manifest.parts[table_part(table)].sha256:
        raise BadArchive(f"The table {table} has other content after the restore than the archive.")
