"""The first lines of every process of the product: what it writes is private, and the settings file is read."""

import os

from newsletter.project.settings_file import read_settings_file

PRIVATE = 0o077


def make_files_private() -> None:
    """Let no other user of this machine read what this process writes. Call it before anything is written."""
    os.umask(PRIVATE)


def enter() -> None:
    """Call this before anything reads a setting or writes a file. Raises SettingsFileError."""
    make_files_private()
    read_settings_file(os.environ)
