"""Remember which addresses of a file came before, in 16 bytes each: a million fit into 16 MB."""

from array import array

_INITIAL_SLOTS = 1 << 10
_MAX_LOAD_FACTOR = 0.6


class SeenAddresses:
    """A set of keyed hashes that keeps 64 bits of each. Two of a million people collide once in 30 million files."""

    def __init__(self) -> None:
        self._count = 0
        self._table = _make_table(_INITIAL_SLOTS)

    def __len__(self) -> int:
        return self._count

    def add(self, address_hash: bytes) -> bool:
        """Add a hash. Return True if it is new."""
        if self._count >= _MAX_LOAD_FACTOR * len(self._table):
            self._grow()
        if not _insert(self._table, int.from_bytes(address_hash[:8]) or 1):
            return False
        self._count += 1
        return True

    def _grow(self) -> None:
        larger = _make_table(2 * len(self._table))
        for short in self._table:
            if short:
                _insert(larger, short)
        self._table = larger


def _make_table(size: int) -> "array[int]":
    return array("Q", bytes(8 * size))


def _insert(table: "array[int]", short: int) -> bool:
    """Insert into an open-addressing table whose size is a power of two. Return False if it is there already."""
    last = len(table) - 1
    at = short & last
    while (there := table[at]) != short:
        if not there:
            table[at] = short
            return True
        at = (at + 1) & last
    return False
