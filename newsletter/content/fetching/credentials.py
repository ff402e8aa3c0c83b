"""A key for an interface that asks for one. It goes to the site of the source only, never in clear text over a network."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from newsletter.content.fetching.errors import Refused


@dataclass(frozen=True)
class Credential:
    """The key in the form of the interface: in headers, or as parameters of the address. No answer and no message has it."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)

    def add_to(self, url: str) -> str:
        """Return the address with the key's parameters."""
        return replace_parameters(url, remove=self.query, add=self.query) if self.query else url

    def remove_from(self, url: str) -> str:
        """Return the address without the key's parameters."""
        return replace_parameters(url, remove=self.query) if self.query else url


def replace_parameters(
    url: str, *, remove: Mapping[str, str] | Sequence[str], add: Mapping[str, str] | None = None
) -> str:
    """Return an address without the parameters ``remove`` and with ``add``."""
    parts = urlsplit(url)
    remaining = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in remove]
    query = urlencode([*remaining, *(add or {}).items()], safe="[],:'>")
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, parts.fragment))


def get_origin(url: str) -> tuple[str, str]:
    """Return the scheme and the host with its port: only this origin may get a key for this address."""
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()


def check_is_private(*, scheme: str, host: str, addresses: Sequence[str]) -> None:
    """Raise Refused if a key would be sent in clear text over a network."""
    local = all(ipaddress.ip_address(text.partition("%")[0]).is_loopback for text in addresses)
    if scheme != "https" and not local:
        raise Refused(
            "The key would be sent to %(host)s in clear text, so nothing was sent. Use the address that begins with https.",
            host=host,
        )
