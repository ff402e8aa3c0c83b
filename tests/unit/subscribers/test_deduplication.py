"""Repeated addresses of a file are found in little memory."""

import tracemalloc
from hashlib import sha256

from subscribers.importing.writing.import_run import SeenAddresses


def digest(number: int) -> bytes:
    return sha256(b"%d" % number).digest()


def test_an_address_is_new_once() -> None:
    seen = SeenAddresses()
    assert [seen.add(digest(number)) for number in (1, 2, 1, 3, 2)] == [True, True, False, True, False]


def test_addresses_with_the_same_beginning_are_different() -> None:
    seen = SeenAddresses()
    first = bytes(32)
    assert seen.add(first)
    assert seen.add(first[:9] + b"\x01" + bytes(22))
    assert seen.add(b"\x01" + first[1:])
    assert not seen.add(first)


def test_an_address_takes_less_than_30_bytes() -> None:
    people = 400_000
    tracemalloc.start()
    try:
        seen = SeenAddresses()
        assert all(seen.add(digest(number)) for number in range(people))
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept / people < 30
