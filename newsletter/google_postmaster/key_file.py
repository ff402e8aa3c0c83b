"""Read the file with Google's key: a service account, or an account that somebody authorised. No key reaches a message."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from newsletter.common.networks import is_loopback
from newsletter.google_postmaster.figures import FigureFailure, FiguresUnavailable

EXCHANGE_URL = "https://oauth2.googleapis.com/token"
MAX_BYTES = 64 * 1024
_KINDS = "“service_account” or “authorized_user”"


@dataclass(frozen=True)
class ServiceAccount:
    """An account of a program, which signs its requests with its own key."""

    email: str
    private_key: str = field(repr=False)
    key_id: str = ""
    token_url: str = EXCHANGE_URL


@dataclass(frozen=True)
class AuthorisedUser:
    """A person's permission to read their figures, until they revoke it."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    token_url: str = EXCHANGE_URL


GoogleKey = ServiceAccount | AuthorisedUser


def read_key_file(path: Path) -> GoogleKey:
    """Return the key. Raises FiguresUnavailable if the file is not one that Google wrote."""
    try:
        with path.open("rb") as file:
            body = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _bad(path, f"cannot be read ({error.strerror})") from error
    try:
        values = json.loads(body) if len(body) <= MAX_BYTES else None
    except (ValueError, RecursionError) as error:
        raise _bad(path, "is no JSON") from error
    if not isinstance(values, dict):
        raise _bad(path, "is no key of Google")
    token_url = _read(values, "token_uri", path=path, default=EXCHANGE_URL)
    if not _is_private(token_url):
        raise _bad(path, "names a token_uri that is not https")
    kind = values.get("type")
    if kind == "service_account":
        return ServiceAccount(
            email=_read(values, "client_email", path=path),
            private_key=_read(values, "private_key", path=path),
            key_id=_read(values, "private_key_id", path=path, default=""),
            token_url=token_url,
        )
    if kind == "authorized_user":
        return AuthorisedUser(
            client_id=_read(values, "client_id", path=path),
            client_secret=_read(values, "client_secret", path=path),
            refresh_token=_read(values, "refresh_token", path=path),
            token_url=token_url,
        )
    raise _bad(path, f"does not say that its type is {_KINDS}")


def _read(values: dict[str, object], name: str, *, path: Path, default: str | None = None) -> str:
    value = values.get(name, default)
    if not isinstance(value, str) or (not value and default is None):
        raise _bad(path, f"lacks {name}")
    return value


def _is_private(url: str) -> bool:
    """Return True if nobody on the way can read what is sent there."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    except ValueError:
        return False


def _bad(path: Path, what: str) -> FiguresUnavailable:
    return FiguresUnavailable(FigureFailure.KEY_FILE, "The key file %(path)s %(what)s.", path=path, what=what)
