"""The first step of every process: restrict new files to this user, limit memory arenas, and read the settings file."""

import ctypes
import logging
import os
from pathlib import Path

from newsletter.organisation.private_folder import DataPaths, restrict_to_owner
from newsletter.project.settings_file import read_settings_file

PRIVATE = 0o077
MEMORY_ARENAS = 2
_GNU_VERSION = "CS_GNU_LIBC_VERSION"
_M_ARENA_MAX = -8  # in malloc.h of the GNU C library
_LOG = logging.getLogger(__name__)


def make_files_private() -> None:
    """Let no other user read what this process writes. Call it before anything is written."""
    os.umask(PRIVATE)


def limit_memory_arenas() -> None:
    """Let all threads share two memory arenas of the GNU C library. Call it before threads start.

    By default, the library keeps freed memory apart for each of many threads. A limit in the environment is left as it is.
    Other C libraries have no arenas, so nothing happens there.
    """
    is_limited = "MALLOC_ARENA_MAX" in os.environ or "arena_max" in os.environ.get("GLIBC_TUNABLES", "")
    if _is_gnu_c_library() and not is_limited:
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, MEMORY_ARENAS)


def _is_gnu_c_library() -> bool:
    """Return False for musl too, which knows the name but has no value for it."""
    return _GNU_VERSION in os.confstr_names and bool(os.confstr(_GNU_VERSION))


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
