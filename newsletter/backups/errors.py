"""Errors of backups, restores and moves. Nothing was changed when one of them is raised."""

from newsletter.common.errors import DomainError


class BackupError(DomainError):
    """The archive cannot be made, or the installation cannot be moved."""


class BadArchive(BackupError):
    """The archive is damaged, incomplete, of a newer version, or not one of ours. The message names the part."""


class WrongPassphrase(BackupError):
    """The passphrase is missing, too short, or does not open the keys of the archive."""


class TargetNotEmpty(BackupError):
    """The place to restore or move to already holds data."""
