"""All providers that are installed: their adapters, their URLs and their webhook handlers."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from newsletter.common.extension_registry import Registry, RegistryPart
from newsletter.providers.accounts import DEFAULT_ACCOUNT, name_setting
from newsletter.providers.base.contract import Adapter
from newsletter.providers.base.errors import BadProviderUrl, BadWebhook
from newsletter.providers.base.provider_adapter import ProviderAdapter
from newsletter.providers.base.provider_kind import ProviderKind, check_provider
from newsletter.providers.base.provider_url import ProviderSettings, UrlRules, parse_provider_url
from newsletter.providers.base.webhook_setup import WebhookSetup
from newsletter.providers.base.webhooks.verification import WebhookHandler
from newsletter.providers.outbox.adapter import OUTBOX_URL, Outbox

_ORDER = (
    *("mailgun", "postmark", "sendgrid", "resend", "brevo", "sparkpost", "ses", "mailjet", "scaleway", "mailersend"),
    *("smtp", "smtps"),
)
PROVIDERS = Registry("newsletter.providers", ProviderKind, order=_ORDER, check=check_provider)
OUTBOX = "outbox"
"""The name of the provider that writes mails to files."""
ADAPTERS: Mapping[str, type[ProviderAdapter]] = RegistryPart(PROVIDERS, lambda kind: kind.adapter)
WEBHOOK_SETUPS: Mapping[str, type[WebhookSetup] | None] = RegistryPart(PROVIDERS, lambda kind: kind.webhook_setup)


def name_provider(label: str) -> str:
    """Return a scheme or the label of an account as people write it: “Mailgun (news.example.org)” for “mailgun (…)”."""
    scheme, space, domain = label.partition(" ")
    if scheme not in ADAPTERS:
        return label
    name = str(ADAPTERS[scheme].label)
    return f"{name.partition(' (')[0]}{space}{domain}"


class _WebhookHandlers(Mapping[str, WebhookHandler]):
    """The handler of every provider that reports."""

    def __getitem__(self, scheme: str) -> WebhookHandler:
        handler = PROVIDERS[scheme].webhooks
        if handler is None:
            raise KeyError(scheme)
        return handler

    def __iter__(self) -> Iterator[str]:
        return (name for name, kind in PROVIDERS.items() if kind.webhooks is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


WEBHOOK_HANDLERS: Mapping[str, WebhookHandler] = _WebhookHandlers()


class _UrlRules(Mapping[str, UrlRules]):
    """The rules of every provider's URL, and those of the outbox."""

    def __getitem__(self, scheme: str) -> UrlRules:
        return OUTBOX_URL if scheme == OUTBOX else ADAPTERS[scheme].url_rules

    def __iter__(self) -> Iterator[str]:
        return iter([OUTBOX, *ADAPTERS])

    def __len__(self) -> int:
        return 1 + len(ADAPTERS)


URL_RULES: Mapping[str, UrlRules] = _UrlRules()


def is_atomic(provider: str) -> bool:
    """Return True if one recipient's event proves that the provider accepted the whole batch."""
    return provider in WEBHOOK_HANDLERS and WEBHOOK_HANDLERS[provider].atomic


def read_provider_url(url: str, *, account: str = DEFAULT_ACCOUNT) -> ProviderSettings:
    """Return the parts of an account's URL. Raise BadProviderUrl, which names the wrong part, never the key."""
    scheme = url.strip().partition("://")[0].lower()
    if scheme != OUTBOX and (broken := PROVIDERS.find_broken(scheme)):
        raise BadProviderUrl(
            "The provider “%(scheme)s” of %(setting)s is missing, so nothing is sent. %(why)s",
            scheme=broken.name,
            why=PROVIDERS.explain_missing(scheme),
        )
    return replace(parse_provider_url(url, rules=URL_RULES), setting=name_setting(account))


def make_provider_label(url: str) -> str:
    """Return a label that is safe to show and log, such as ``mailgun (news.example.org)``. Raise BadProviderUrl."""
    return read_provider_url(url).label


def make_adapter(url: str, *, outbox_dir: Path | None = None, account: str = DEFAULT_ACCOUNT) -> Adapter:
    """Return the adapter that ``url`` names. ``outbox://`` writes to ``outbox_dir``. Raise BadProviderUrl.

    The adapter's messages name the setting of ``account``.
    """
    settings = read_provider_url(url, account=account)
    if settings.scheme in ADAPTERS:
        return ADAPTERS[settings.scheme].from_settings(
            settings,
            endpoint=settings.endpoint,
            max_batch=settings.max_batch,
            people_per_second=settings.people_per_second,
            calls_per_second=settings.calls_per_second,
        )
    if outbox_dir is None:
        raise BadProviderUrl("outbox:// needs a folder to write to, and none was given.")
    return Outbox(
        folder=outbox_dir,
        max_batch=settings.max_batch,
        people_per_second=settings.people_per_second,
        calls_per_second=settings.calls_per_second,
    )


def find_webhook_handler(provider: str) -> WebhookHandler:
    """Return the handler of a provider's webhooks. Raise BadWebhook if there is no such provider."""
    if provider not in WEBHOOK_HANDLERS:
        raise BadWebhook(
            "Unknown provider “%(name)s”. Use one of: %(known)s.",
            name=provider[:40],
            known=", ".join(WEBHOOK_HANDLERS),
        )
    return WEBHOOK_HANDLERS[provider]
