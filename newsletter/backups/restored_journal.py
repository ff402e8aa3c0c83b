"""Join the suppression journal of an archive with the one that is in the data folder."""

from collections.abc import Iterable, Iterator

from newsletter.backups.archive_writer import read_blocks
from newsletter.backups.placement import write_file
from subscribers.unsubscribing.suppression_journal import journal_path


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
