"""The sources of inbound mail (NEWSLETTER_INBOUND), and the address that people write to. No password reaches a message."""

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from newsletter.common.errors import BadAddress
from newsletter.common.messages import Message
from newsletter.common.networks import is_loopback
from newsletter.inbound.errors import BadInboundSetting
from subscribers.addresses.normalise import normalise, to_ascii
from subscribers.links.unsubscribe_addresses import MAX_OWN_LOCAL_PART

WEBHOOK_PROVIDERS = ("brevo", "mailersend", "mailgun", "postmark", "sendgrid", "sparkpost")
"""The providers whose inbound webhooks are read."""
_PORTS = {"imaps": 993, "imap": 143}
_FORMS = "imaps://USER:PASSWORD@HOST/INBOX or inbound://PROVIDER"


class Security(StrEnum):
    """The protection of a connection to a mailbox. PLAIN is for a server on this machine only."""

    TLS = "tls"
    STARTTLS = "starttls"
    PLAIN = "plain"


@dataclass(frozen=True)
class Mailbox:
    """One mailbox to read by IMAP."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    folder: str
    security: Security

    @property
    def label(self) -> str:
        """The name of the mailbox, without its password."""
        return f"{self.user} on {self.host}:{self.port}, folder {self.folder}"


@dataclass(frozen=True)
class InboundWebhook:
    """A provider that posts each mail to our URL. ``key`` is empty if the key of its reports verifies it."""

    provider: str
    key: str = field(default="", repr=False)


@dataclass(frozen=True)
class InboundSources:
    """The mailboxes to read and the webhooks to accept."""

    mailboxes: tuple[Mailbox, ...] = ()
    webhooks: tuple[InboundWebhook, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.mailboxes or self.webhooks)


def parse_sources(urls: list[str]) -> InboundSources:
    """Return the sources that the URLs name. Raise BadInboundSetting."""
    mailboxes, webhooks = [], []
    for url in urls:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise BadInboundSetting(
                "NEWSLETTER_INBOUND cannot be read. Write %(forms)s, and special characters of a password as %%40 and so on.",
                forms=_FORMS,
            ) from error
        if parts.scheme in _PORTS:
            mailboxes.append(_read_mailbox(parts, port=port or _PORTS[parts.scheme]))
        elif parts.scheme == "inbound":
            webhooks.append(_read_webhook(parts))
        else:
            raise BadInboundSetting(
                "NEWSLETTER_INBOUND has an address that is neither a mailbox nor a webhook. Write %(forms)s.",
                forms=_FORMS,
            )
    return InboundSources(tuple(mailboxes), tuple(webhooks))


def parse_address(text: str) -> str:
    """Return the inbound address in ASCII and lower case. Raise BadInboundSetting."""
    try:
        address = to_ascii(normalise(text)).lower()
    except BadAddress as error:
        raise BadInboundSetting("NEWSLETTER_INBOUND_ADDRESS: %(error)s", error=error) from error
    local = address.rpartition("@")[0]
    if len(local) > MAX_OWN_LOCAL_PART or "+" in local:
        raise BadInboundSetting(
            "NEWSLETTER_INBOUND_ADDRESS: the part before the @ may have %(limit)s characters and no +, because the address "
            "to unsubscribe is made from it. Write one such as replies@news.example.org.",
            limit=MAX_OWN_LOCAL_PART,
        )
    return address


def _read_mailbox(parts: SplitResult, *, port: int) -> Mailbox:
    host, user, password = parts.hostname or "", unquote(parts.username or ""), unquote(parts.password or "")
    lacking = Message("the host") if not host else Message("the user") if not user else ""
    lacking = lacking or (Message("the password") if not password else "")
    if lacking:
        raise BadInboundSetting(
            "NEWSLETTER_INBOUND lacks %(part)s of a mailbox. Write %(scheme)s://USER:PASSWORD@HOST/INBOX.",
            part=lacking,
            scheme=parts.scheme,
        )
    if parts.scheme == "imaps":
        security = Security.TLS
    else:
        security = Security.PLAIN if is_loopback(host) else Security.STARTTLS
    folder = unquote(parts.path.strip("/")) or "INBOX"
    return Mailbox(host=host, port=port, user=user, password=password, folder=folder, security=security)


def _read_webhook(parts: SplitResult) -> InboundWebhook:
    provider = (parts.hostname or "").lower()
    if provider not in WEBHOOK_PROVIDERS:
        raise BadInboundSetting(
            "NEWSLETTER_INBOUND: inbound:// names a provider whose inbound webhooks are not read here. Use one of: %(known)s.",
            known=", ".join(WEBHOOK_PROVIDERS),
        )
    options = dict(parse_qsl(parts.query.replace("+", "%2B"), keep_blank_values=True))
    if unknown := sorted(options.keys() - {"key"}):
        raise BadInboundSetting(
            "NEWSLETTER_INBOUND: inbound:// has the option %(name)s, which is not known. The only one is key.",
            name=unknown[0],
        )
    return InboundWebhook(provider=provider, key=options.get("key", ""))
