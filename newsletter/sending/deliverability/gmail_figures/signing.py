"""By which domains Google counts our mail: a sender's domain, and the domain that its provider account signs with."""

from collections.abc import Iterable
from dataclasses import dataclass

from newsletter.models import Publication
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.sending.accounts import find_account, list_accounts
from newsletter.sending.deliverability.domains import domain_of, make_sender


@dataclass(frozen=True, order=True)
class SignedSender:
    """A domain of From, and the domain that signs its mail: the same one if the provider's settings name none."""

    sender: str
    signing: str


def find_signed_sender(from_email: str, *, account: str) -> SignedSender | None:
    """Return None if the address is not valid, or if no such account is configured."""
    domain = domain_of(from_email)
    chosen = find_account(account)
    provider = chosen.provider if chosen else None
    if not domain or (provider is None and account != DEFAULT_ACCOUNT):
        return None
    signing = make_sender(domain, provider).dkim_domain if provider else domain
    return SignedSender(domain, signing.lower())


def list_signed_senders(publications: Iterable[Publication]) -> list[SignedSender]:
    """Return those of the first and second accounts, each once."""
    used = {(item.from_email, name) for item in publications for name in (item.account, item.second_account) if name}
    found = {find_signed_sender(address, account=name) for address, name in used}
    return sorted(item for item in found if item is not None)


def list_asked_senders() -> list[SignedSender]:
    """Return those that Google is asked about: of the publications in use."""
    return list_signed_senders(Publication.objects.filter(enabled=True))


def list_signing_accounts(signed: SignedSender) -> list[str]:
    """Return the names of the configured accounts that sign the sender's mail with this domain."""
    address = f"news@{signed.sender}"
    return [account.name for account in list_accounts() if find_signed_sender(address, account=account.name) == signed]
