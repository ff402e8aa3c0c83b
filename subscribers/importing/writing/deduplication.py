"""The addresses of the earlier lines of a file, in little memory, so that a repeated one is found."""

from array import array

_BUCKETS = 1 << 16


class SeenAddresses:
    """Remember addresses by their hashes. A million take 16 MB, where a set of numbers takes 80 MB.

    Only 80 bits of each hash are kept. Among two million people, two collide once in 600,000 million files.
    """

    def __init__(self) -> None:
        self._buckets: list[array[int] | None] = [None] * _BUCKETS

    def add(self, address_hash: bytes) -> bool:
        """Remember the address. Return True if it was not known yet."""
        at, rest = int.from_bytes(address_hash[:2]), int.from_bytes(address_hash[2:10])
        bucket = self._buckets[at]
        if bucket is None:
            self._buckets[at] = array("Q", (rest,))
            return True
        if rest in bucket:
            return False
        bucket.append(rest)
        return True
