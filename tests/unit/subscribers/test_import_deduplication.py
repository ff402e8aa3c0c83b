"""What an import remembers of the addresses that it read: exactly those, in little memory."""

import hashlib
import sys

from hypothesis import given
from hypothesis import strategies as st

from subscribers.importing.reading.deduplication import SeenAddresses


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=60))
def test_each_address_is_new_once(hashes: list[bytes]) -> None:
    seen, before = SeenAddresses(), set()
    for one in [*hashes, *hashes]:
        short = int.from_bytes(one[:8]) or 1
        assert seen.add(one) is (short not in before)
        before.add(short)
    assert len(seen) == len(before)


def test_addresses_that_fall_on_one_place_are_told_apart() -> None:
    seen = SeenAddresses()
    crowd = [(number << 40).to_bytes(8) + bytes(24) for number in range(1, 400)]
    assert all(seen.add(one) for one in crowd)
    assert not any(seen.add(one) for one in crowd)


def test_many_thousands_are_kept_in_less_than_thirty_bytes_each() -> None:
    seen = SeenAddresses()
    hashes = [hashlib.sha256(str(number).encode()).digest() for number in range(50_000)]
    assert all(seen.add(one) for one in hashes)
    assert not any(seen.add(one) for one in hashes)
    assert sys.getsizeof(seen._table) < 30 * len(hashes)
