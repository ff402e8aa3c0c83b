"""PURE. Remembers which addresses of a file came before, in sixteen bytes each at most: a million fit into 16 MB."""

from array import array

_SMALLEST = 1 << 10
_FULLEST = 0.6


class Seen:
    """A set of keyed hashes, of which it keeps 64 bits: two of a million people share these once in 30 million files."""

    def __init__(self) -> None:
        self._many = 0
        self._table = _empty(_SMALLEST)

    def __len__(self) -> int:
        return self._many

    def add(self, address_hash: bytes) -> bool:
        """True where it was not there before."""
        if self._many >= _FULLEST * len(self._table):
            self._grow()
        if not _put(self._table, int.from_bytes(address_hash[:8]) or 1):
            return False
        self._many += 1
        return True

    def _grow(self) -> None:
        larger = _empty(2 * len(self._table))
        for short in self._table:
            if short:
                _put(larger, short)
        self._table = larger


def _empty(size: int) -> "array[int]":
    return array("Q", bytes(8 * size))


def _put(table: "array[int]", short: int) -> bool:
    """Into the first free place from its own on; the size is a power of two. False where it is there already."""
    last = len(table) - 1
    at = short & last
    while (there := table[at]) != short:
        if not there:
            table[at] = short
            return True
        at = (at + 1) & last
    return False
