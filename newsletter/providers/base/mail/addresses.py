"""Write addresses in the one ASCII form that providers accept and report."""

import re
from collections.abc import Sequence

import idna

from newsletter.common.messages import Message
from newsletter.providers.base.contract import Recipient
from newsletter.providers.base.errors import BadBatch

# Dot-atom only: a provider would read commas and brackets of a quoted local part as further addresses.
# No percent sign: providers write their variables with it.
_ONE = r"[A-Za-z0-9!#$&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$&'*+/=?^_`{|}~-]+)*@[a-z0-9-]+(?:\.[a-z0-9-]+)*"
_ADDRESS = re.compile(_ONE)
_INTERNATIONAL_LOCAL = re.compile(
    r"(?:[A-Za-z0-9!#$&'*+/=?^_`{|}~-]|[^\W_])+(?:\.(?:[A-Za-z0-9!#$&'*+/=?^_`{|}~-]|[^\W_])+)*"
)
_ALL_ADDRESSES = re.compile(rf"{_ONE}(?:\n{_ONE})*+")


def ascii_address(address: str) -> str:
    """Return the address with its domain in lower-case punycode. Raise ValueError if it has no safe ASCII form."""
    if len(address) <= 254 and _ADDRESS.fullmatch(address):
        return address
    local, _, domain = address.rpartition("@")
    try:
        domain = domain.lower() if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise ValueError(Message("its domain cannot be written in ASCII")) from error
    ascii_form = f"{local}@{domain}"
    if len(ascii_form) > 254 or not _ADDRESS.fullmatch(ascii_form):
        raise ValueError(Message("it is not a plain email address that this provider takes"))
    return ascii_form


def international_address(address: str) -> str:
    """Return the address for a provider that takes other scripts before the @, its domain in ASCII. Raise ValueError."""
    local, _, domain = address.rpartition("@")
    if local.isascii():
        return ascii_address(address)
    domain = ascii_address(f"x@{domain}")[2:]
    if len(f"{local}@{domain}".encode()) > 254 or not _INTERNATIONAL_LOCAL.fullmatch(local):
        raise ValueError(Message("it is not a plain email address that this provider takes"))
    return f"{local}@{domain}"


def split_by_valid_address(
    recipients: Sequence[Recipient], *, international: bool = False
) -> tuple[list[tuple[str, Recipient]], dict[int, str]]:
    """Return pairs (address as it is sent, recipient), and a reason for each delivery whose address cannot be sent to.

    ``international``: only the domain has to be written in ASCII. Raise BadBatch if two recipients share an address: the
    provider would merge them and swap their links.
    """
    addresses = [recipient.address for recipient in recipients]
    if _are_valid_and_distinct(addresses):
        return list(zip(addresses, recipients, strict=True)), {}
    encode = international_address if international else ascii_address
    sendable: list[tuple[str, Recipient]] = []
    refused: dict[int, str] = {}
    seen: dict[str, int] = {}
    for recipient in recipients:
        try:
            address = encode(recipient.address)
        except ValueError as error:
            refused[recipient.delivery] = Message("The address was not sent to: %(error)s.", error=error)
            continue
        first = seen.setdefault(address.lower(), recipient.delivery)
        if first != recipient.delivery:
            raise BadBatch(
                "Deliveries %(first)s and %(delivery)s of one batch have the same address. Nothing of this "
                "batch was sent.",
                first=first,
                delivery=recipient.delivery,
            )
        sendable.append((address, recipient))
    return sendable, refused


def _are_valid_and_distinct(addresses: Sequence[str]) -> bool:
    # One match for all addresses: nearly every batch has only valid ones, and this is much faster than one at a time.
    joined = "\n".join(addresses)
    lines = joined.lower().split("\n")
    different = len(set(lines)) == len(lines) == len(addresses)
    return different and max(map(len, addresses)) <= 254 and _ALL_ADDRESSES.fullmatch(joined) is not None
