"""Encrypt short secrets for the database with a key derived from the installation's secret key and a purpose.

The newest secret key encrypts; older ones still decrypt. Nothing is logged here.
"""

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db.models import Model, QuerySet

_BLOCK = 64


class Sealer:
    """Encrypts and decrypts the texts of one purpose. What one purpose sealed, no other unseals."""

    def __init__(self, purpose: bytes) -> None:
        self._purpose = purpose

    def seal(self, text: str) -> str:
        """Return the text encrypted. Its length shows only to the next 64 bytes."""
        raw = text.encode()
        padded = raw.ljust(-(-(len(raw) + 1) // _BLOCK) * _BLOCK, b"\0")
        return self._list_fernets()[0].encrypt(padded).decode("ascii")

    def unseal(self, sealed: str) -> str | None:
        """Return the text, or None if none of the installation's keys decrypts it."""
        try:
            return MultiFernet(self._list_fernets()).decrypt(sealed).rstrip(b"\0").decode()
        except InvalidToken:
            return None

    def is_newest(self, sealed: str) -> bool:
        """Return True if the newest key encrypted it."""
        try:
            self._list_fernets()[0].decrypt(sealed)
        except InvalidToken:
            return False
        return True

    def reseal(self, rows: QuerySet[Model], column: str) -> int:
        """Encrypt with the newest key what an old one encrypted in this column. Return how many. Safe to repeat."""
        resealed = 0
        for key, sealed in rows.exclude(**{column: ""}).values_list("pk", column):
            if not self.is_newest(sealed) and (text := self.unseal(sealed)) is not None:
                resealed += rows.filter(pk=key, **{column: sealed}).update(**{column: self.seal(text)})
        return resealed

    def _list_fernets(self) -> list[Fernet]:
        return [_make_fernet(secret, self._purpose) for secret in list_secret_keys()]


def list_secret_keys() -> tuple[str, ...]:
    """Return the secret keys of this installation, newest first."""
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@lru_cache(maxsize=32)
def _make_fernet(secret: str, purpose: bytes) -> Fernet:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(key))
