"""The keyed hash that identifies the owner of an address, with this installation's key."""

from django.conf import settings

from subscribers.addresses.normalise import hash_address


def address_key() -> bytes:
    """Return `SUBSCRIBERS_ADDRESS_KEY`. It must never change, because suppressions are found by it."""
    return str(settings.SUBSCRIBERS_ADDRESS_KEY).encode()


def identify(address: str) -> bytes:
    """Return the 32-byte hash of an address that `normalise` returned."""
    return hash_address(address, key=address_key())
