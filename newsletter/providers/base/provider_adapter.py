"""The base of every provider's adapter, for any protocol: its name, the form of its account's URL, its capabilities."""

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import ClassVar, Protocol, Self, TypedDict, Unpack, runtime_checkable
from urllib.parse import urlsplit

from newsletter.common.messages import Message
from newsletter.providers.base.contract import BatchCall, Capabilities, DnsRecords, MailDomains, Outcome
from newsletter.providers.base.provider_url import ProviderSettings, UrlRules


class AccountOptions(TypedDict, total=False):
    """The settings of an account besides its key."""

    endpoint: str
    max_batch: int | None
    people_per_second: float | None
    calls_per_second: float | None


class ProviderAdapter(ABC):
    """One account of a provider. Threads may share it; ``close`` it when done.

    ``url_rules`` say how its NEWSLETTER_PROVIDER_URL is written, ``offer`` what the provider can do; an account's own
    rates and batch size replace those of the offer. ``company`` is the processor's name, if it is not the ``label``.
    ``limits`` are sentences for staff about what they must do themselves with this provider. ``no_counts`` says why an
    adapter that is no ``IssueCounter`` is none.
    """

    label: ClassVar[str]
    company: ClassVar[str] = ""
    dns: ClassVar[DnsRecords] = DnsRecords()
    url_rules: ClassVar[UrlRules]
    offer: ClassVar[Capabilities]
    own_domain: ClassVar[str]
    limits: ClassVar[tuple[Message, ...]] = ()
    no_counts: ClassVar[Message] = Message("The program that connects this provider does not read its counts.")

    def __init__(self, **options: Unpack[AccountOptions]) -> None:
        self._capabilities = replace(
            self.offer,
            max_batch=options.get("max_batch") or self.offer.max_batch,
            people_per_second=options.get("people_per_second") or self.offer.people_per_second,
            calls_per_second=options.get("calls_per_second") or self.offer.calls_per_second,
        )

    @classmethod
    @abstractmethod
    def from_settings(cls, settings: ProviderSettings, **options: Unpack[AccountOptions]) -> Self:
        """Return the adapter of an account."""

    @classmethod
    def find_host(cls, settings: ProviderSettings) -> str:
        """Return the host that the account's mail is handed to if the settings name one, else ""."""
        return urlsplit(settings.endpoint).hostname or ""

    @classmethod
    def find_domains(cls, settings: ProviderSettings, *, sender: str) -> MailDomains:
        """Return the domains that the settings decide for mail from the domain ``sender``."""
        return MailDomains()

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @abstractmethod
    def deliver(self, call: BatchCall) -> Outcome:
        """Make one attempt. Raise BadMail or BadBatch, with nothing sent, if the batch itself is wrong."""

    @abstractmethod
    def close(self) -> None:
        """Close all connections. The adapter may be used again afterwards."""


@runtime_checkable
class AccountTester(Protocol):
    """An adapter whose account can be tried without sending anything."""

    def test_account(self) -> None:
        """Connect and sign in. Raise AccountRefused."""

    def close(self) -> None: ...
