"""Read the settings file, `.env` in the current folder, into the environment. Values in the environment win."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream
from environs import EnvError

from newsletter.common.errors import DomainError

FILE_SETTING = "NEWSLETTER_ENV_FILE"
FOLDER_SETTING = "NEWSLETTER_DATA_DIR"
DEFAULT_FILE = ".env"
MAX_BYTES = 1_000_000
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_VIRTUAL_ENVIRONMENT = "pyvenv.cfg"
_HINT = "Write one setting a line, such as NEWSLETTER_SITE_URL=https://letter.example.org."


class SettingsFileError(DomainError):
    """The settings file cannot be used, so the program must not start."""


class BadSetting(EnvError):
    """The value of one setting cannot be used. `setting` is its name, by which the place is found that set it."""

    def __init__(self, setting: str, text: str) -> None:
        super().__init__(text)
        self.setting = setting

    def __reduce__(self) -> tuple[type["BadSetting"], tuple[str, str]]:
        return type(self), (self.setting, str(self))


@dataclass(frozen=True)
class SettingsFile:
    """A settings file that was read: its path, the names that it set, and the names that the environment overrides.

    ``lines`` has the number of the line of each name that counts: of one that is written twice, the last. ``repeated`` has
    the numbers of all lines of such a name.
    """

    path: Path | None = None
    names: frozenset[str] = frozenset()
    overridden: frozenset[str] = frozenset()
    lines: Mapping[str, int] = field(default_factory=dict)
    repeated: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


_last_read = SettingsFile()


def current_settings_file() -> SettingsFile:
    """Return the settings file that this process read when it started."""
    return _last_read


def read_settings_file(environ: MutableMapping[str, str]) -> SettingsFile:
    """Add the file's settings to `environ`. Raises SettingsFileError. Without a file, nothing changes.

    Reading again, also in a child process that inherited the environment, changes nothing.
    """
    global _last_read
    file = _find(environ)
    if file is None:
        _last_read = SettingsFile()
        return _last_read
    settings = list(parse_settings(_read_text(file), name=str(file.absolute())))
    values = {name: value for name, value, _ in settings}
    named = values.pop(FILE_SETTING, "").strip()
    if named and Path(named).absolute() != file.absolute():
        raise SettingsFileError(
            f"{file.absolute()} names another settings file by {FILE_SETTING}, which is not read. Remove the line, and set it in "
            "the environment of every process instead."
        )
    if FOLDER_SETTING in values:
        values[FOLDER_SETTING] = _whole_path(values[FOLDER_SETTING], file=file)
    used = {name: value for name, value in values.items() if environ.get(name, value) == value}
    environ.update(used)
    lines = {name: line for name, _, line in settings}
    repeated = {
        name: tuple(line for other, _, line in settings if other == name)
        for name, times in Counter(name for name, _, _ in settings).items()
        if times > 1
    }
    _last_read = SettingsFile(file.absolute(), frozenset(used), frozenset(values) - frozenset(used), lines, repeated)
    return _last_read


def parse_settings(text: str, *, name: str) -> Iterator[tuple[str, str, int]]:
    """Yield the name, the value and the line number of each setting. Raises SettingsFileError with the line's number.

    `name` is the file's, for errors. Quotes around a value, `export` and comments are left out. A `$` has no special meaning.
    """
    for binding in parse_stream(StringIO(text, newline="")):
        line = binding.original.line + _blank_lines_before(binding.original.string)
        if binding.error:
            raise SettingsFileError(f"{name}, line {line}, cannot be understood. {_HINT}")
        if binding.key is None:
            continue
        if not _NAME.fullmatch(binding.key):
            raise SettingsFileError(f"{name}, line {line}: “{binding.key[:40]}” is not the name of a setting. {_HINT}")
        if binding.value is None:
            raise SettingsFileError(f"{name}, line {line}: {binding.key} has no “=” and no value. {_HINT}")
        if "\0" in binding.value:
            raise SettingsFileError(f"{name}, line {line}: the value of {binding.key} contains a NUL byte. Remove it.")
        yield binding.key, binding.value, line


def _find(environ: MutableMapping[str, str]) -> Path | None:
    path = environ.get(FILE_SETTING, "").strip()
    if path:
        return Path(path)
    file = Path(DEFAULT_FILE)
    if not os.path.lexists(file) or (file / _VIRTUAL_ENVIRONMENT).is_file():
        return None
    return file


def _whole_path(folder: str, *, file: Path) -> str:
    """Count a relative folder from the settings file, or from the link to it. A child process in another folder agrees."""
    path = folder.strip()
    return str(file.absolute().parent / path) if path and not path.startswith("~") else folder


def _read_text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            raw = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise SettingsFileError(
            f"The settings file {file.absolute()} cannot be read: {error.strerror}. Give this user the right to read it, "
            "or remove it; nothing was started without its settings."
        ) from error
    if len(raw) > MAX_BYTES:
        raise SettingsFileError(f"The settings file {file.absolute()} is larger than 1 MB. Put settings only into it.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SettingsFileError(
            f"The settings file {file.absolute()} is not UTF-8 (line {line}). Save it as UTF-8 and start again."
        ) from error


def _blank_lines_before(text: str) -> int:
    """Blank lines belong to the binding that follows them; count them, so that the right line is named."""
    return len(re.findall(r"\r\n|\n|\r", text[: len(text) - len(text.lstrip())]))
