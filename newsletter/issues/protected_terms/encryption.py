"""Encrypt short secrets for the database with a key derived from the installation's secret key.

The newest secret key encrypts; older ones still decrypt. Nothing is logged here.
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
    """Return the text encrypted. Its length shows only to the next 64 bytes."""
    raw = text.encode()
    padded = raw.ljust(-(-(len(raw) + 1) // _BLOCK) * _BLOCK, b"\0")
    return _list_fernets()[0].encrypt(padded).decode("ascii")


def unseal(sealed: str) -> str | None:
    """Return the text, or None if none of the installation's keys decrypts it."""
    try:
        return MultiFernet(_list_fernets()).decrypt(sealed).rstrip(b"\0").decode()
    except InvalidToken:
        return None


def is_sealed_with_newest_key(sealed: str) -> bool:
    """Return True if the newest key encrypted it."""
    try:
        _list_fernets()[0].decrypt(sealed)
    except InvalidToken:
        return False
    return True


def list_secret_keys() -> tuple[str, ...]:
    """Return the secret keys of this installation, newest first."""
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


def _list_fernets() -> list[Fernet]:
    return [_make_fernet(secret) for secret in list_secret_keys()]


@lru_cache(maxsize=32)
def _make_fernet(secret: str) -> Fernet:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(key))
