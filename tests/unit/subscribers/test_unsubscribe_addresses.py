"""Signed addresses that unsubscribe: one person and list, valid in any case, never forged."""

import uuid

import pytest

from subscribers.links.signed_links import MAX_MAILING
from subscribers.links.unsubscribe_addresses import MAX_OWN_LOCAL_PART, make_addresses, read_token

PERSON, OTHER = uuid.UUID("12345678-1234-4234-8234-123456789abc"), uuid.UUID(int=7)
LIST, OTHER_LIST = "00112233aabbccdd", "ffffffffffffffff"


def make_address(*, key: str = "newest", mailing: int = 12, inbound_address: str = "replies@news.example.org") -> str:
    make = make_addresses(key, inbound_address=inbound_address, mailing_list=bytes.fromhex(LIST), mailing=mailing)
    return make([OTHER.bytes, PERSON.bytes])[1]


def token_of(address: str) -> str:
    return address.partition("+")[2].partition("@")[0]


def test_an_address_names_whom_it_was_made_for() -> None:
    target = read_token(token_of(make_address()), keys=["newest"], lists=[OTHER_LIST, LIST])
    assert target is not None
    assert (target.subscriber_uuid, target.public_id, target.mailing) == (PERSON, LIST, 12)


def test_a_mail_server_may_change_the_case() -> None:
    token = token_of(make_address())
    assert read_token(token.upper(), keys=["newest"], lists=[LIST]) == read_token(token, keys=["newest"], lists=[LIST])


def test_the_local_part_has_64_characters_at_most() -> None:
    address = make_address(inbound_address=f"{'a' * MAX_OWN_LOCAL_PART}@example.org")
    assert len(address.rpartition("@")[0]) == 64


def test_an_older_key_still_reads() -> None:
    token = token_of(make_address(key="older"))
    assert read_token(token, keys=["newest", "older"], lists=[LIST]) is not None
    assert read_token(token, keys=["newest"], lists=[LIST]) is None


@pytest.mark.parametrize("at", range(0, 48, 5))
def test_a_changed_address_is_not_ours(at: int) -> None:
    token = token_of(make_address())
    changed = token[:at] + ("a" if token[at] != "a" else "b") + token[at + 1 :]
    assert read_token(changed, keys=["newest"], lists=[LIST, OTHER_LIST]) is None


@pytest.mark.parametrize("token", ["", "i12", "a" * 47, "a" * 49, "1" * 48, "é" * 48])
def test_other_text_is_not_ours(token: str) -> None:
    assert read_token(token, keys=["newest"], lists=[LIST]) is None


def test_the_address_of_an_erased_list_reads_as_nothing() -> None:
    assert read_token(token_of(make_address()), keys=["newest"], lists=[OTHER_LIST]) is None


@pytest.mark.parametrize("mailing", [0, MAX_MAILING + 1])
def test_a_mailing_that_has_no_room_is_left_out(mailing: int) -> None:
    target = read_token(token_of(make_address(mailing=mailing)), keys=["newest"], lists=[LIST])
    assert target is not None
    assert target.mailing == 0
