"""Seal the installation's keys with a passphrase: scrypt makes a key of it, AES-256-GCM encrypts and authenticates."""

import base64
import os
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from newsletter.backups.errors import BackupError, BadArchive, WrongPassphrase

MIN_CHARACTERS = 12
COST, BLOCK_SIZE, MAX_COST = 2**16, 8, 2**20
"""64 MB of memory and a fifth of a second for each attempt at guessing."""
_PURPOSE = b"newsletter backup keys 1"


def read_passphrase(file: Path) -> str:
    """Return the first line of a file. Raise BackupError if it cannot be read, WrongPassphrase if it is too short."""
    try:
        with file.open(encoding="utf-8") as opened:
            passphrase = opened.readline(10_000).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BackupError(f"The passphrase file {file} cannot be read. Nothing was done. Check its name.") from error
    if len(passphrase) < MIN_CHARACTERS:
        raise WrongPassphrase(
            f"The first line of {file} is the passphrase, and it has fewer than {MIN_CHARACTERS} characters. "
            "Nothing was done. Choose a longer one, such as five words."
        )
    return passphrase


def seal_keys(keys: dict[str, str], *, passphrase: str) -> bytes:
    """Return the keys encrypted, with what is needed to open them again except for the passphrase."""
    salt, nonce = os.urandom(16), os.urandom(12)
    sealed = AESGCM(_derive(passphrase, salt=salt, cost=COST)).encrypt(nonce, orjson.dumps(keys), _PURPOSE)
    return orjson.dumps(
        {"kdf": "scrypt", "n": COST, "r": BLOCK_SIZE, "p": 1, "cipher": "AES-256-GCM"}
        | {
            name: base64.b64encode(raw).decode() for name, raw in (("salt", salt), ("nonce", nonce), ("sealed", sealed))
        },
        option=orjson.OPT_INDENT_2,
    )


def unseal_keys(content: bytes, *, passphrase: str) -> dict[str, str]:
    """Return the keys. Raise WrongPassphrase if this passphrase does not open them."""
    try:
        sealed_file = orjson.loads(content)
        salt, nonce, sealed = (base64.b64decode(sealed_file[name]) for name in ("salt", "nonce", "sealed"))
        cost = int(sealed_file["n"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadArchive("The archive is damaged: its keys cannot be read. Use another archive.") from error
    if not 2 <= cost <= MAX_COST or cost & (cost - 1):
        raise BadArchive("The archive is damaged: its keys ask for too much memory. Use another archive.")
    try:
        opened = AESGCM(_derive(passphrase, salt=salt, cost=cost)).decrypt(nonce, sealed, _PURPOSE)
    except (InvalidTag, ValueError) as error:
        raise WrongPassphrase(
            "The passphrase does not open the keys of this archive. Nothing was restored. "
            "Give the one with which the archive was made."
        ) from error
    return {str(name): str(key) for name, key in orjson.loads(opened).items()}


def _derive(passphrase: str, *, salt: bytes, cost: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=cost, r=BLOCK_SIZE, p=1).derive(passphrase.encode())
