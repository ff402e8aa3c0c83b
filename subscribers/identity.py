"""Turns an address into the keyed hash that identifies its owner, with this installation's key."""

from django.conf import settings

from subscribers.addresses.normalise import hash_address


def address_key() -> bytes:
    """The secret of `SUBSCRIBERS_ADDRESS_KEY`. It must never change: suppressions are found by it."""
    return str(settings.SUBSCRIBERS_ADDRESS_KEY).encode()


def identify(address: str) -> bytes:
    """The 32-byte hash of an address that `normalise` returned."""
    return hash_address(address, key=address_key())
