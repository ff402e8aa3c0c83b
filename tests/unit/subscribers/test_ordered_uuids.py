"""Imported people get random identities that begin with the time."""

import uuid

import time_machine

from subscribers.importing.writing.staging_table import make_ordered_uuids
from tests.support.people import NOW


def test_each_identity_is_another_and_of_version_7() -> None:
    made = [uuid.UUID(hex=digits) for digits in make_ordered_uuids(1_001)]
    assert len(set(made)) == 1_001
    assert {(one.version, one.variant) for one in made} == {(7, uuid.RFC_4122)}
    assert list(make_ordered_uuids(0)) == []


def test_later_identities_come_after_earlier_ones() -> None:
    made = []
    for milliseconds in (0, 10, 60_000):
        with time_machine.travel(NOW.timestamp() + milliseconds / 1000, tick=False):
            made += sorted(make_ordered_uuids(50))
    assert made == sorted(made)
