"""Ask DNS, with a limit for each query and for all of them. A failure is never read as a missing record."""

import time
from collections.abc import Callable
from typing import Protocol

import dns.exception
import dns.rdata
import dns.resolver
import dns.reversename

from newsletter.common.errors import DomainError
from newsletter.common.messages import Quantity

QUERY_SECONDS = 3.0
TOTAL_SECONDS = 20.0
MAX_RECORDS = 200
MAX_TEXT = 16_384
FindTxtRecords = Callable[[str], list[str]]


class NoAnswer(DomainError):
    """DNS gave no answer that can be used, which says nothing about the name."""


class Dns(Protocol):
    """The questions that the checks ask. Each returns [] if there is no such record, and raises NoAnswer.

    ``exists`` returns False if DNS says that there is no such name (NXDOMAIN), and raises NoAnswer too.
    """

    def find_txt(self, name: str) -> list[str]: ...

    def find_addresses(self, name: str) -> list[str]: ...

    def find_mail_hosts(self, name: str) -> list[str]: ...

    def find_names(self, address: str) -> list[str]: ...

    def exists(self, name: str) -> bool: ...


class SystemDns:
    """The name servers of this machine. Each question is asked once; after ``seconds`` none is asked any more.

    An answer of more than MAX_RECORDS records is refused, and a text is cut after MAX_TEXT characters.
    """

    def __init__(self, *, seconds: float = TOTAL_SECONDS, resolver: dns.resolver.Resolver | None = None) -> None:
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._resolver = resolver
        self._missing: set[str] = set()
        self._known: dict[tuple[str, str], list[dns.rdata.Rdata] | NoAnswer] = {}

    def find_txt(self, name: str) -> list[str]:
        """Return the TXT records of a name, the pieces of each joined."""
        records = self._ask(name, "TXT")
        return [b"".join(record.strings)[:MAX_TEXT].decode("utf-8", "replace") for record in records]  # type: ignore[attr-defined]

    def find_addresses(self, name: str) -> list[str]:
        """Return the IPv4 and IPv6 addresses of a name."""
        return [record.to_text() for kind in ("A", "AAAA") for record in self._ask(name, kind)]

    def find_mail_hosts(self, name: str) -> list[str]:
        """Return the hosts of the MX records of a name; none for a null MX (RFC 7505)."""
        hosts = [record.exchange.to_text(omit_final_dot=True).lower() for record in self._ask(name, "MX")]  # type: ignore[attr-defined]
        return [host for host in hosts if host not in ("", ".")]

    def find_names(self, address: str) -> list[str]:
        """Return the reverse names of an IP address."""
        reverse = dns.reversename.from_address(address).to_text(omit_final_dot=True)
        return [
            record.target.to_text(omit_final_dot=True).lower()  # type: ignore[attr-defined]
            for record in self._ask(reverse, "PTR")
        ]

    def exists(self, name: str) -> bool:
        """Return False if DNS says that there is no such name. A name without any record of ours may exist."""
        self._ask(name, "TXT")
        return name.lower() not in self._missing

    def _ask(self, name: str, kind: str) -> list[dns.rdata.Rdata]:
        key = name.lower(), kind
        if key not in self._known:
            try:
                self._known[key] = self._resolve(name, kind)
            except NoAnswer as problem:
                self._known[key] = problem
        cached = self._known[key]
        if isinstance(cached, NoAnswer):
            raise NoAnswer(cached.message)
        return cached

    def _resolve(self, name: str, kind: str) -> list[dns.rdata.Rdata]:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise NoAnswer(
                "DNS was not asked about %(name)s, because all checks together took more than %(seconds)s seconds.",
                name=name,
                seconds=f"{self._seconds:g}",
            )
        try:
            resolver = self._resolver or dns.resolver.Resolver()
            answer = resolver.resolve(name, kind, lifetime=min(QUERY_SECONDS, left), search=False)
        except dns.resolver.NXDOMAIN:
            self._missing.add(name.lower())
            return []
        except dns.resolver.NoAnswer:
            return []
        except (dns.exception.DNSException, UnicodeError) as error:
            raise NoAnswer(
                "DNS did not answer about %(name)s (%(error)s).", name=name, error=type(error).__name__
            ) from error
        records = list(answer)
        if len(records) > MAX_RECORDS:
            raise NoAnswer(
                "DNS has %(records)s %(kind)s records at %(name)s; at most %(limit)s are read.",
                records=Quantity(len(records)),
                kind=kind,
                name=name,
                limit=MAX_RECORDS,
            )
        return records


def find_txt_records(name: str) -> list[str]:
    """Return the TXT records of a name, [] if there are none. Raise NoAnswer."""
    return SystemDns().find_txt(name)
