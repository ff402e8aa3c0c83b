"""Read addresses: the client behind our own proxies, hosts of this machine, the networks that limits count by."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address


def client_address(*, peer: str, forwarded: str, proxies: Sequence[str]) -> str:
    """Return the nearest address that is not one of our proxies.

    `forwarded` is X-Forwarded-For; anybody may write its left end. `proxies` are networks such as `10.0.0.0/8`; without
    them the peer is the client. An unreadable entry ends the search.
    """
    client = _read(peer)
    for hop in reversed(forwarded.split(",")) if forwarded else ():
        if client is not None and not is_proxy(str(client), proxies=proxies):
            break
        before = _read(hop)
        if before is None:
            break
        client = before
    return str(client) if client is not None else ""


def is_proxy(address: str, *, proxies: Sequence[str]) -> bool:
    """Return True if the address belongs to one of our own reverse proxies."""
    parsed = _read(address)
    return parsed is not None and any(parsed in ip_network(proxy, strict=False) for proxy in proxies)


def is_loopback(host: str) -> bool:
    """Return True if a connection to the host does not leave this machine. No name is looked up."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def single_client_network(address: str) -> str:
    """Return the network of one home: the IPv4 address itself, or the /64 of an IPv6 address."""
    return _network(address, v4=32, v6=64)


def wide_network(address: str) -> str:
    """Return the network of a neighbourhood: the /24 of an IPv4 address, or the /48 of an IPv6 address."""
    return _network(address, v4=24, v6=48)


def _network(address: str, *, v4: int, v6: int) -> str:
    parsed = _read(address)
    if parsed is None:
        return "unknown"
    return str(ip_network((parsed, v4 if parsed.version == 4 else v6), strict=False))


def _read(text: str) -> Address | None:
    """Parse an address, also IPv4 written as IPv6 and addresses with a port."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].split("]", 1)[0]
    elif text.count(":") == 1:
        text = text.split(":", 1)[0]
    try:
        parsed = ip_address(text.split("%", 1)[0])
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed


def limited_network(client: object, *, proxies: Sequence[str]) -> str:
    """Return the network that shares a limit, or "" for a reverse proxy, which limits its visitors itself."""
    address = str(client[0]) if isinstance(client, tuple) else ""
    return "" if not address or is_proxy(address, proxies=proxies) else single_client_network(address)
