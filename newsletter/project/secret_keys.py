"""The keys of an installation: given by a setting, or made on first use and kept in the data folder."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from environs import EnvError

from newsletter.project.settings_file import BadSetting

MIN_CHARACTERS, MIN_DIFFERENT = 32, 6
_KEY_BYTES = 48
_WAIT_SECONDS, _STEP_SECONDS = 2.0, 0.05
_made_now: list[Path] = []
_held: dict[Path, str] = {}
_holds_new_keys = False
KEPT_KEY = "secret.key of the data folder"
"""The name in messages of a key that no setting has."""
_MAKE_ONE = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"


class OtherKeysWritten(EnvError):
    """Another process wrote the keys of the installation after this one made its own."""


def is_weak(key: str) -> bool:
    """Return True if somebody who has a link or a hash could find the key by trying."""
    return len(key) < MIN_CHARACTERS or len(set(key)) < MIN_DIFFERENT


def require_strong(keys: dict[str, list[str]]) -> None:
    """Raise EnvError for the first setting with a weak key. The message contains no key."""
    for name, values in keys.items():
        if any(is_weak(key) for key in values):
            text = f"{name} {_why(name)}"
            raise EnvError(text) if name == KEPT_KEY else BadSetting(name, text)


def read_key_file(file: Path) -> str:
    """Return the key in this file, or "" without a file. Raises EnvError if the file holds no key.

    Another process may be writing the file, so an empty one is read again for two seconds.
    """
    end = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            key = file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError as error:
            raise EnvError(_damaged(file)) from error
        if key:
            return key
        if time.monotonic() > end:
            raise EnvError(_damaged(file))
        time.sleep(_STEP_SECONDS)


def list_made_keys() -> list[Path]:
    """Return the key files that this process made, or will make by `write_held_keys`, because there were none."""
    return [*_made_now, *_held]


def resolve_key(given: str, *, name: str, kept_in: Path, required: bool) -> str:
    """Return the given key, or else the kept one, which is made if needed. Raises BadSetting if a required key is not given."""
    if given:
        return given
    if required:
        raise BadSetting(name, _missing(name, kept_in))
    if kept := read_key_file(kept_in):
        return kept
    made = _held.get(kept_in) or secrets.token_urlsafe(_KEY_BYTES)
    if _holds_new_keys:
        _held[kept_in] = made
        return made
    return _write(kept_in, made)


@contextmanager
def hold_new_keys() -> Iterator[None]:
    """Write no key that the block creates. `write_held_keys` does; a process that stores nothing never calls it."""
    global _holds_new_keys
    before, _holds_new_keys = _holds_new_keys, True
    try:
        yield
    finally:
        _holds_new_keys = before


def write_held_keys() -> None:
    """Write the keys that this process already uses. Raise OtherKeysWritten if another process wrote others."""
    while _held:
        file, key = _held.popitem()
        if _write(file, key) != key:
            raise OtherKeysWritten(
                "Another command created the keys of this installation at the same moment, so this one did nothing. "
                "Run it again."
            )


def _write(file: Path, made: str) -> str:
    """Write a new key and return it, or return the one that another process wrote."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return read_key_file(file)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(made)
            opened.flush()
            os.fsync(opened.fileno())
    except OSError:
        file.unlink(missing_ok=True)
        raise
    _made_now.append(file)
    return made


def _missing(name: str, kept_in: Path) -> str:
    if kept_in.exists():
        return (
            f"{name} is not set, and production needs it. Give it the value that was used until now, in {kept_in}: "
            "with another one, links in old mails end, and nobody knows any more who unsubscribed."
        )
    return f"{name} is not set. Production needs it: make one with `{_MAKE_ONE}`."


def _why(name: str) -> str:
    problem = (
        f"is too easy to guess: production needs {MIN_CHARACTERS} characters or more, of {MIN_DIFFERENT} different kinds "
        "or more."
    )
    if name == "NEWSLETTER_OLD_SECRET_KEYS":
        return (
            f"has a key that {problem} Remove that key: links signed with it stop working, and nobody can forge them."
        )
    if name == KEPT_KEY:
        return f"{problem} Delete that file: links signed with its key stop working, and nobody can forge them."
    return f"{problem} Make one with `{_MAKE_ONE}`."


def _damaged(file: Path) -> str:
    return (
        f"{file} holds no key. Restore it from a backup: with another key, links in old mails stop working and "
        "unsubscribed addresses are not recognised. If this installation was never used, delete the file."
    )
