"""The first step of every process: restrict new files to this user, limit memory arenas, and read the settings file."""

import logging
import os
from pathlib import Path

from newsletter.monitoring.process_memory import limit_memory_arenas
from newsletter.organisation.private_folder import DataPaths, restrict_to_owner
from newsletter.project.settings_file import read_settings_file

PRIVATE = 0o077
_LOG = logging.getLogger(__name__)


def make_files_private() -> None:
    """Prevent other users from reading files that this process writes. Call it before anything is written."""
    os.umask(PRIVATE)


def prepare_process() -> None:
    """Prepare the process. Call it before anything reads a setting or writes a file. Raises SettingsFileError."""
    make_files_private()
    limit_memory_arenas()
    read_settings_file(os.environ)


def restrict_data_folder() -> None:
    """Make the data folder, and make files private that others could read. Call it when settings can be read.

    Raises OSError if the folder cannot be made.
    """
    from django.conf import settings

    Path(settings.NEWSLETTER_DATA_DIR).mkdir(parents=True, exist_ok=True)
    paths = DataPaths(Path(settings.NEWSLETTER_DATA_DIR), settings.NEWSLETTER_DATABASE_FILE)
    restricted = restrict_to_owner(paths)
    if restricted:
        _LOG.info(
            "Made private (they were readable by other users of this machine): %s", ", ".join(map(str, restricted))
        )
