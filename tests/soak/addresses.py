"""The people of a soak: the audience of the benchmark has numbers, and their addresses contain them."""

import re
import uuid

_NUMBERED = re.compile(r"(?:person|moved)(\d+)@")


def address_of(number: int) -> str:
    return f"person{number}@example{number % 97}.org"


def new_address_of(number: int) -> str:
    """Return the address that a person changes to."""
    return f"moved{number}@example{number % 97}.org"


def number_of(address: str) -> int | None:
    """Return the number of the person with this old or new address, or None if it is nobody's."""
    found = _NUMBERED.match(address)
    return int(found.group(1)) if found else None


def uuid_of(number: int) -> uuid.UUID:
    return uuid.UUID(int=number)
