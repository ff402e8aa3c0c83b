"""Addresses as providers take them: one ASCII form, so that a person's values are found under the same text."""

import re
from collections.abc import Sequence

import idna

from newsletter.common.messages import Message
from newsletter.providers.base.contract import Person
from newsletter.providers.base.errors import BadBatch

# Dot-atom only: a quoted local part could hold commas and brackets, which a provider would read as further addresses.
# No percent sign either: providers write their variables with it.
_ONE = r"[A-Za-z0-9!#$&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$&'*+/=?^_`{|}~-]+)*@[a-z0-9-]+(?:\.[a-z0-9-]+)*"
_ADDRESS = re.compile(_ONE)
_ALL_ADDRESSES = re.compile(rf"{_ONE}(?:\n{_ONE})*+")


def ascii_address(address: str) -> str:
    """Give the address with its domain in lower-case punycode. Raises ValueError where it has no safe ASCII form."""
    if len(address) <= 254 and _ADDRESS.fullmatch(address):
        return address
    local, _, domain = address.rpartition("@")
    try:
        domain = domain.lower() if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise ValueError(Message("its domain cannot be written in ASCII")) from error
    whole = f"{local}@{domain}"
    if len(whole) > 254 or not _ADDRESS.fullmatch(whole):
        raise ValueError(Message("it is not a plain email address that this provider takes"))
    return whole


def split_by_valid_address(people: Sequence[Person]) -> tuple[list[tuple[str, Person]], dict[int, str]]:
    """Split people into (ASCII address, person) pairs that can be sent to, and delivery -> reason of those that cannot.

    Raises BadBatch where two people share an address: the provider would merge them, and links would be swapped.
    """
    addresses = [person.address for person in people]
    if _are_valid_and_distinct(addresses):
        return list(zip(addresses, people, strict=True)), {}
    sendable: list[tuple[str, Person]] = []
    refused: dict[int, str] = {}
    seen: dict[str, int] = {}
    for person in people:
        try:
            address = ascii_address(person.address)
        except ValueError as error:
            refused[person.delivery] = Message("The address was not sent to: %(error)s.", error=error)
            continue
        first = seen.setdefault(address.lower(), person.delivery)
        if first != person.delivery:
            raise BadBatch(
                "Deliveries %(first)s and %(delivery)s of one batch have the same address. Nothing of this "
                "batch was sent.",
                first=first,
                delivery=person.delivery,
            )
        sendable.append((address, person))
    return sendable, refused


def _are_valid_and_distinct(addresses: Sequence[str]) -> bool:
    """Whether nobody needs a second look: one look at all of them together, for that is nearly always so."""
    together = "\n".join(addresses)
    lines = together.lower().split("\n")
    different = len(set(lines)) == len(lines) == len(addresses)
    return different and max(map(len, addresses)) <= 254 and _ALL_ADDRESSES.fullmatch(together) is not None
