"""The keys of sources: sealed in the database, opened only to read the source."""

from newsletter.common.errors import NotReady
from newsletter.common.sealing import Sealer
from newsletter.models import Source

SEALER = Sealer(b"newsletter.source-keys")


def seal_key(key: str) -> str:
    """Return the key as the database keeps it; "" for no key."""
    return SEALER.seal(key) if key else ""


def is_same_key(sealed: str, key: str) -> bool:
    """Return True if ``sealed`` is this key, and can be opened."""
    return bool(sealed) and SEALER.unseal(sealed) == key


def may_keep_key(source: Source, *, url: str, kind: str) -> bool:
    """Return True if the saved key was given for this address and kind. It is never sent to another site or system."""
    return (url, kind) == (source.url, source.kind)


def open_key(source: Source) -> str:
    """Return the key of the source, or "" if it has none. Raises NotReady if no key of this installation opens it."""
    if not source.sealed_key:
        return ""
    key = SEALER.unseal(source.sealed_key)
    if key is None:
        raise NotReady(
            "The key of “%(name)s” cannot be read with this installation’s secret key, so the source is not read. Put the"
            " old secret key back, or enter the key again on the page of the source.",
            name=source.name,
        )
    return key


def reseal_keys() -> int:
    """Encrypt with the newest secret key what an old one encrypted. Return how many. Safe to repeat."""
    return SEALER.reseal(Source.objects.all(), "sealed_key")
