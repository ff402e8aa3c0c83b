"""Check that the addresses of the mail server have names that lead back to them."""

import ipaddress
from collections.abc import Iterator

import dns.reversename

from newsletter.common.messages import Message
from newsletter.sending.deliverability.domain_checks.codes import DomainCode
from newsletter.sending.deliverability.domain_checks.lookup import Dns
from newsletter.sending.deliverability.domain_checks.sender import Sender
from newsletter.sending.deliverability.findings import Finding, RecordToAdd

MAX_ADDRESSES, MAX_NAMES = 8, 4
_MEANS = Message("If this server sends the mail itself, Gmail and others refuse it.")
_DO = Message("Ask whoever gives you the server’s address to set its reverse name (PTR).")


def check_reverse_names(sender: Sender, dns: Dns) -> Iterator[Finding]:
    """Yield a finding for each address with a problem; none if no mail server is named. Raise NoAnswer."""
    server = sender.known.server
    if not server:
        return
    name = Message("reverse name of %(server)s", server=server)
    addresses = _find_addresses(server, dns)
    if not addresses:
        yield Finding(
            name,
            "warning",
            Message("%(server)s has no address on the internet.", server=server),
            Message(
                "Check the name in %(setting)s. A server in your own network is not checked further.",
                setting=sender.setting,
            ),
            means=Message("Nothing can be said about its reverse name."),
            code=DomainCode.REVERSE_NO_ADDRESS,
        )
        return
    problems = [problem for address in addresses for problem in _check_address(name, server, address, dns)]
    yield from problems
    if not problems:
        says = Message("Each address has a name that leads back to it (%(addresses)s).", addresses=", ".join(addresses))
        yield Finding(name, "ok", says, code=DomainCode.REVERSE_GOOD)


def _find_addresses(server: str, dns: Dns) -> list[str]:
    """Return the public addresses of a server, which may be an address itself."""
    try:
        addresses = [str(ipaddress.ip_address(server))]
    except ValueError:
        addresses = dns.find_addresses(server)
    return [address for address in addresses if ipaddress.ip_address(address).is_global][:MAX_ADDRESSES]


def _check_address(name: Message, server: str, address: str, dns_: Dns) -> Iterator[Finding]:
    names = dns_.find_names(address)
    if not names:
        yield Finding(
            name,
            "warning",
            Message("%(address)s has no reverse name.", address=address),
            _DO,
            means=_MEANS,
            code=DomainCode.REVERSE_MISSING,
            records=_to_copy(server, address),
        )
    elif not any(address in dns_.find_addresses(host) for host in names[:MAX_NAMES]):
        yield Finding(
            name,
            "warning",
            Message(
                "%(address)s has the reverse name %(found)s, which does not lead back to it.",
                address=address,
                found=names[0],
            ),
            _DO,
            means=_MEANS,
            code=DomainCode.REVERSE_DIFFERENT,
            records=_to_copy(server, address),
        )


def _to_copy(server: str, address: str) -> tuple[RecordToAdd, ...]:
    """Return the PTR record, or nothing if the server has no name."""
    if ":" in server or server.replace(".", "").isdigit():
        return ()
    reverse = dns.reversename.from_address(address).to_text(omit_final_dot=True)
    return (RecordToAdd(reverse, "PTR", server),)
