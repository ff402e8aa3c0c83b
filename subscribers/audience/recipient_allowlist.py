"""The recipient allowlist, which keeps an installation with a copy of real data from mailing real people."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.db.models import Q

from newsletter.common.errors import BadAddress
from subscribers.addresses.normalise import canonical, normalise

_ANY_LOCAL_PART = "anybody@"


@dataclass(frozen=True)
class RecipientAllowlist:
    """Addresses and whole domains, normalised. A domain does not include its subdomains."""

    addresses: frozenset[str]
    domains: frozenset[str]

    def allows(self, address: str) -> bool:
        """Return True if mail to this address may leave. An invalid address may not."""
        try:
            recipient = canonical(normalise(address))
        except BadAddress:
            return False
        domain = recipient.rpartition("@")[2]
        at_domains = {canonical(_ANY_LOCAL_PART + domain_name).rpartition("@")[2] for domain_name in self.domains}
        return domain in at_domains or recipient in {canonical(address) for address in self.addresses}

    def as_q(self, field: str) -> Q:
        """Return the same test as a condition on a field of stored addresses."""
        inside = Q()
        for address in sorted(self.addresses):
            inside |= Q(**{f"{field}__iexact": address})
        for domain in sorted(self.domains):
            inside |= Q(**{f"{field}__iendswith": f"@{domain}"})
        return inside

    def __str__(self) -> str:
        return ", ".join([*sorted(self.addresses), *sorted(self.domains)])


def parse_allowlist(words: Sequence[str]) -> RecipientAllowlist | None:
    """Return the allowlist that these addresses and domains name, or None if there are none.

    Raises:
        BadAddress: An entry is neither an address nor a domain; the message names it.
    """
    addresses, domains = set(), set()
    for word in words:
        is_address = "@" in word.strip().lstrip("@")
        try:
            address = normalise(word if is_address else _ANY_LOCAL_PART + word.strip().lstrip("@"))
        except BadAddress as error:
            raise BadAddress("“%(word)s” is neither an address nor a domain such as example.org.", word=word) from error
        if is_address:
            addresses.add(address)
        else:
            domains.add(address.rpartition("@")[2])
    return RecipientAllowlist(frozenset(addresses), frozenset(domains)) if addresses or domains else None


def get_recipient_allowlist() -> RecipientAllowlist | None:
    """Return the allowlist of this installation's settings, or None if it may mail everyone."""
    return _parse_cached(tuple(settings.SUBSCRIBERS_ONLY_TO))


@lru_cache(maxsize=16)
def _parse_cached(words: tuple[str, ...]) -> RecipientAllowlist | None:
    return parse_allowlist(words)
