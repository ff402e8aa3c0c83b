"""The sender whose domain is checked: its domain, and what the provider's settings say about it."""

from dataclasses import dataclass, field
from datetime import datetime

from newsletter.providers.base.contract import DnsRecords, MailDomains
from newsletter.providers.base.errors import DEFAULT_URL_SETTING


@dataclass(frozen=True)
class Sender:
    """A domain of From in ASCII. ``wanted`` and ``known`` come from the provider and its settings.

    ``reports_to`` is our own address that reads complaints and DMARC reports, "" without one. ``reports_missed``: mail went
    out in the last days and DNS names that address, but no DMARC report came. ``setting`` is the name of the setting with
    the URL of the provider account.
    """

    domain: str
    wanted: DnsRecords = field(default_factory=DnsRecords)
    known: MailDomains = field(default_factory=MailDomains)
    reports_to: str = ""
    last_report_at: datetime | None = None
    reports_missed: bool = False
    setting: str = DEFAULT_URL_SETTING

    @property
    def spf_domain(self) -> str:
        """The domain whose SPF record receivers read: that of the return path, if it is known."""
        return self.known.bounce or self.domain

    @property
    def dkim_domain(self) -> str:
        """The domain that signs, if it is known."""
        return self.known.signing or self.domain
