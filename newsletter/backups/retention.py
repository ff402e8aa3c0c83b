"""Names of archives in a folder of backups, and the removal of old ones."""

import re
from datetime import UTC, datetime
from pathlib import Path

from newsletter.backups.archive_reader import open_archive
from newsletter.backups.errors import BackupError, BadArchive

_NAME = re.compile(r"newsletter-\d{4}-\d{2}-\d{2}-\d{6}\.zip")


def name_archive(now: datetime) -> str:
    """Return the name of an archive of this moment. The order of the names is the order of their times."""
    return f"newsletter-{now.astimezone(UTC):%Y-%m-%d-%H%M%S}.zip"


def remove_older(folder: Path, *, keep: int) -> list[Path]:
    """Remove all but the newest archives that carry our name and are ours. Return what was removed."""
    named = sorted((path for path in folder.iterdir() if _NAME.fullmatch(path.name)), reverse=True)
    ours = [path for path in named if _is_ours(path)]
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
