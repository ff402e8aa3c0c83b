"""Decide which addresses and URLs the fetcher may reach. It opens no connection."""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from newsletter.content.fetching.errors import Refused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_MAX_URL_LENGTH = 2000
WEB_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")

# Our own list, because the standard library's rule differs between Python releases.
_DENIED: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
)


def is_public(address: Address) -> bool:
    """Return True for an address of the open internet. IPv4 wrapped in IPv6 is judged as IPv4."""
    inner = _unwrap(address)
    if inner is not address:
        return is_public(inner)
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_V6:
        return False
    return not any(address.version == network.version and address in network for network in _DENIED)


def _unwrap(address: Address) -> Address:
    """Return the IPv4 address in a mapped or NAT64 one. 6to4 and Teredo are denied whole: no web site uses them."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


@dataclass(frozen=True)
class AllowList:
    """The hosts, host:port pairs and networks that are exempt from the private-address and port rules."""

    hosts: frozenset[str] = frozenset()
    host_ports: frozenset[tuple[str, int]] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> "AllowList":
        """Read entries such as ``cms.internal``, ``[::1]:8001`` and ``10.0.0.0/8``. Raises Refused for any other."""
        hosts: set[str] = set()
        pairs: set[tuple[str, int]] = set()
        networks: list[Network] = []
        for entry in (text.strip().lower() for text in entries):
            if not entry:
                continue
            try:
                networks.append(ipaddress.ip_network(entry, strict=False))
                continue
            except ValueError:
                host, port = _split_host_port(entry)
            if port is None:
                hosts.add(host)
            else:
                pairs.add((host, port))
        return cls(hosts=frozenset(hosts), host_ports=frozenset(pairs), networks=tuple(networks))

    def allows(self, *, host: str, port: int, address: Address) -> bool:
        """Return True if the list names this host, this host on this port, or this address."""
        if host in self.hosts or (host, port) in self.host_ports:
            return True
        return any(address.version == network.version and address in network for network in self.networks)

    def names_all(self, *, host: str, port: int, addresses: Iterable[str]) -> bool:
        """Return True if the list allows the host with each of these addresses."""
        parsed = [ipaddress.ip_address(text.partition("%")[0]) for text in addresses]
        return all(self.allows(host=host, port=port, address=address) for address in parsed)


def _split_host_port(entry: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(f"//{entry}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or "/" in entry or "@" in entry:
        raise Refused(
            "“%(entry)s” in the list of allowed addresses is not understood. Write a host, host:port, or a "
            "network such as 10.0.0.0/8.",
            entry=entry,
        )
    return host, port


def web_addresses(url: str) -> tuple[str, ...]:
    """Return the http(s) addresses to try for a URL, the safest first. ``webcal:`` means either."""
    text = url.strip()
    scheme, colon, address = text.partition("://")
    match scheme.lower() if colon else "":
        case "webcal":
            return (f"https://{address}", f"http://{address}")
        case "webcals":
            return (f"https://{address}",)
    return (text,)


def check_url(url: str) -> SplitResult:
    """Return the parts of a URL that may be fetched. Raises Refused. ``check_addresses`` judges host and port."""
    if len(url) > _MAX_URL_LENGTH:
        raise Refused(
            "The address is longer than %(limit)s characters. Check that it is the address of the source.",
            limit=_MAX_URL_LENGTH,
        )
    if any(char.isspace() or ord(char) < 32 or char == "\\" for char in url):
        raise Refused(
            "The address contains a space or another character that web addresses cannot have. Copy it again."
        )
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise Refused("“%(url)s” is not a web address. Copy the address from your browser.", url=url) from error
    if parts.scheme not in WEB_PORTS:
        raise Refused("Only http and https addresses can be read, and “%(url)s” is not one.", url=url[:200])
    if parts.username is not None or parts.password is not None:
        raise Refused("The address contains a user name or password. Use one that needs no log-in.")
    if not host:
        raise Refused("“%(url)s” is not a web address. Copy the address from your browser.", url=url)
    return parts


def check_addresses(*, scheme: str, host: str, port: int, addresses: Sequence[str], allow: AllowList) -> None:
    """Raise Refused unless every address of the host may be reached on this port. One bad address refuses all."""
    if not addresses:
        raise Refused("%(host)s has no address on the internet. Check the spelling.", host=host)
    for text in addresses:
        address = ipaddress.ip_address(text.partition("%")[0])
        if allow.allows(host=host, port=port, address=address):
            continue
        if port != WEB_PORTS[scheme]:
            raise Refused(
                "%(host)s uses port %(port)s, and only the usual web ports 80 and 443 are read. An "
                "administrator can allow “%(host)s:%(port)s” in NEWSLETTER_FETCH_ALLOW.",
                host=host,
                port=port,
            )
        if not is_public(address):
            raise Refused(
                "%(host)s leads to a private network address (%(address)s), which is not read, to keep internal "
                "systems safe. An administrator can allow “%(host)s” in NEWSLETTER_FETCH_ALLOW.",
                host=host,
                address=address,
            )
