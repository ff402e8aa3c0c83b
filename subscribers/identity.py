"""The keyed hash that identifies the owner of an address, with this installation's key."""

import re
from collections.abc import Callable, Collection

from django.conf import settings

from newsletter.common.errors import BadAddress, DomainError
from subscribers.addresses.normalise import hash_address, normalise

_key_checks: list[Callable[[], None]] = []
_ADDRESS = re.compile(r"""[^\s,;:|<>()\[\]"“”]+@[^\s,;:|<>()\[\]"“”@]+""")


class OtherAddressKey(DomainError):
    """The database belongs to another address key: no address finds a person, and whoever is stored now would be there twice."""


def address_key() -> bytes:
    """Return `SUBSCRIBERS_ADDRESS_KEY`. It must never change, because suppressions are found by it."""
    return str(settings.SUBSCRIBERS_ADDRESS_KEY).encode()


def register_key_check(check: Callable[[], None]) -> None:
    """Register what raises OtherAddressKey if the database belongs to another address key."""
    _key_checks[:] = [check]


def require_own_key() -> None:
    """Raise OtherAddressKey if people in the database would not be recognised.

    Call it before a person is stored, and before somebody who was not found by address counts as unknown.
    """
    for check in _key_checks:
        check()


def has_own_key() -> bool:
    """Return True unless people in the database would not be recognised."""
    try:
        require_own_key()
    except OtherAddressKey:
        return False
    return True


def identify(address: str) -> bytes:
    """Return the 32-byte hash of an address that `normalise` returned."""
    return hash_address(address, key=address_key())


def has_address_of(text: str, *, hashes: Collection[bytes]) -> bool:
    """Return True if one of these hashes is that of an address in the text. It may be written in any spelling."""
    if not hashes or "@" not in text:
        return False
    for word in _ADDRESS.findall(text):
        try:
            address = normalise(word.strip("'.!?"))
        except BadAddress:
            continue
        if identify(address) in hashes:
            return True
    return False
