"""Refuse a command in a folder without an installation, so that it makes no data folder and no keys there."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import dj_database_url

from newsletter.common.commands.base import describe_missing_data
from newsletter.common.errors import DomainError
from newsletter.project.env import SQLITE_FILE, find_data_dir
from newsletter.project.setting_values import read_database_url
from newsletter.project.settings_file import current_settings_file

_CREATING = {"demo", "setup", "serve", "web", "scheduler", "worker", "migrate", "apply", "restore"}
"""Commands that may create an installation in any folder."""
_NEEDING_NONE = {"init", "bench"}
"""Commands that neither need an installation nor create one."""
_READING_A_FILE = {"apply", "restore"}
"""Those of them that create nothing without the file that they read."""
_USAGE_OPTIONS = {"-h", "--help", "--version"}
_ASKING_OPTIONS = {"migrate": {"--plan", "--check"}}
"""Options with which a command only says what it would do."""
_FILE_OPTIONS = {"backup": "--verify", "doctor": "--message"}
_SETTINGS = ("NEWSLETTER_DATA_DIR", "DATABASE_URL")


class NoInstallation(DomainError):
    """The command needs an installation, and there is none where the settings say."""


def keeps_new_keys(words: Sequence[str], *, environ: Mapping[str, str]) -> bool:
    """Return True if the command may make the data folder and its keys. Raise BadSetting."""
    name, options = words[0], words[1:]
    if _USAGE_OPTIONS & set(options):
        return False
    begins = name in _CREATING and not _lacks_its_file(name, options) and not _only_asks(name, options)
    may_create = begins or (_creates_by_settings(name, options) and _has_settings(environ))
    return may_create or _find_missing_database() is None


def require_installation(words: Sequence[str], *, commands: Mapping[str, str]) -> None:
    """Raise NoInstallation if the command needs a database and there is none. Call it if the command may make none."""
    name, options = words[0], words[1:]
    asks_for_usage = bool(_USAGE_OPTIONS & set(options))
    if asks_for_usage or name not in commands or name in _NEEDING_NONE or _reads_only_a_file(name, options):
        return
    database = _find_missing_database()
    if database is None:
        return
    if _lacks_its_file(name, options):
        raise NoInstallation(
            "There is no file %(file)s. Nothing was done. Check the path, or run the command in the folder of the file.",
            file=" ".join(_list_given_names(options)),
        )
    note = "" if current_settings_file().path else f", and no settings file .env in {Path.cwd()}"
    raise NoInstallation("%(text)s", text=describe_missing_data(database, note=note))


def _find_missing_database() -> Path | None:
    """Return the SQLite file of the settings if it is missing or empty, else None. Raise BadSetting."""
    database = dj_database_url.parse(read_database_url("DATABASE_URL", f"sqlite:///{find_data_dir() / SQLITE_FILE}"))
    if not database["ENGINE"].endswith("sqlite3"):
        return None
    file = Path(database["NAME"]).absolute()
    return None if file.exists() and file.stat().st_size else file


def _creates_by_settings(name: str, options: Sequence[str]) -> bool:
    return name == "doctor" or (name == "staff" and "add" in options)


def _only_asks(name: str, options: Sequence[str]) -> bool:
    return any(_is_option(text, option) for text in options for option in _ASKING_OPTIONS.get(name, ()))


def _has_settings(environ: Mapping[str, str]) -> bool:
    """Return True if somebody said where the installation is, or wrote a settings file for it."""
    return current_settings_file().path is not None or any(environ.get(name, "").strip() for name in _SETTINGS)


def _lacks_its_file(name: str, options: Sequence[str]) -> bool:
    """Return True if no given name is that of a file, so that the command can create nothing."""
    return name in _READING_A_FILE and not any(Path(given).exists() for given in _list_given_names(options))


def _list_given_names(options: Sequence[str]) -> list[str]:
    return [text for text in options if not text.startswith("-")]


def _reads_only_a_file(name: str, options: Sequence[str]) -> bool:
    """Return True for commands that read a file and no data: a received message, or an archive on another machine."""
    option = _FILE_OPTIONS.get(name)
    return option is not None and any(_is_option(text, option) for text in options)


def _is_option(text: str, option: str) -> bool:
    """Return True if the text is the option. Commands accept its beginning, and a value after “=”."""
    given = text.partition("=")[0]
    return len(given) > len("--") and option.startswith(given)
