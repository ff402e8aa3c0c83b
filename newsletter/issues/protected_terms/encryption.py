"""Seals short secrets for the database with a key made of the installation's secret key, and opens them again.

Old secret keys open what was sealed with them; the newest seals. Nothing is logged here.
"""

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PURPOSE = b"newsletter.protected-terms"
_BLOCK = 64


def seal(text: str) -> str:
    """The text, unreadable without the secret key. How long it is shows only to the next 64 bytes."""
    raw = text.encode()
    padded = raw.ljust(-(-(len(raw) + 1) // _BLOCK) * _BLOCK, b"\0")
    return _fernets()[0].encrypt(padded).decode("ascii")


def unseal(sealed: str) -> str | None:
    """The text again; None where none of the installation's keys opens it."""
    try:
        return MultiFernet(_fernets()).decrypt(sealed).rstrip(b"\0").decode()
    except InvalidToken:
        return None


def is_sealed_with_newest_key(sealed: str) -> bool:
    """Whether the newest key sealed it."""
    try:
        _fernets()[0].decrypt(sealed)
    except InvalidToken:
        return False
    return True


def secret_keys() -> tuple[str, ...]:
    """The secrets of this installation, newest first."""
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


def _fernets() -> list[Fernet]:
    return [_fernet(secret) for secret in secret_keys()]


@lru_cache(maxsize=32)
def _fernet(secret: str) -> Fernet:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(key))
