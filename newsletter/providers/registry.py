"""All providers: one line each, with its adapter and its webhook handler."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from newsletter.providers.base.contract import Adapter
from newsletter.providers.base.errors import BadProviderUrl, BadWebhook
from newsletter.providers.base.http_adapter import HttpAdapter
from newsletter.providers.base.provider_url import ProviderSettings, UrlRules, parse_provider_url
from newsletter.providers.base.webhooks.verification import WebhookHandler
from newsletter.providers.brevo.adapter import Brevo
from newsletter.providers.brevo.webhooks import BREVO
from newsletter.providers.mailgun.adapter import Mailgun
from newsletter.providers.mailgun.webhooks import MAILGUN
from newsletter.providers.outbox.adapter import OUTBOX_URL, Outbox
from newsletter.providers.postmark.adapter import Postmark
from newsletter.providers.postmark.webhooks import POSTMARK
from newsletter.providers.resend.adapter import Resend
from newsletter.providers.resend.webhooks import RESEND
from newsletter.providers.sendgrid.adapter import SendGrid
from newsletter.providers.sendgrid.webhooks import SENDGRID
from newsletter.providers.ses.adapter import Ses
from newsletter.providers.ses.webhooks import SES
from newsletter.providers.sparkpost.adapter import SparkPost
from newsletter.providers.sparkpost.webhooks import SPARKPOST

_PROVIDERS: tuple[tuple[type[HttpAdapter], WebhookHandler], ...] = (
    (Mailgun, MAILGUN),
    (Postmark, POSTMARK),
    (SendGrid, SENDGRID),
    (Resend, RESEND),
    (Brevo, BREVO),
    (SparkPost, SPARKPOST),
    (Ses, SES),
)
OUTBOX = "outbox"
"""The name of the provider that writes mails to files."""
ADAPTERS: Mapping[str, type[HttpAdapter]] = MappingProxyType(
    {adapter.url_rules.scheme: adapter for adapter, _ in _PROVIDERS}
)
WEBHOOK_HANDLERS: Mapping[str, WebhookHandler] = MappingProxyType({handler.name: handler for _, handler in _PROVIDERS})
ATOMIC_PROVIDERS = frozenset(handler.name for handler in WEBHOOK_HANDLERS.values() if handler.atomic)
URL_RULES: Mapping[str, UrlRules] = MappingProxyType(
    {"outbox": OUTBOX_URL, **{scheme: adapter.url_rules for scheme, adapter in ADAPTERS.items()}}
)


def read_provider_url(url: str) -> ProviderSettings:
    """Return the parts of NEWSLETTER_PROVIDER_URL. Raise BadProviderUrl, which names the wrong part, never the key."""
    return parse_provider_url(url, rules=URL_RULES)


def make_provider_label(url: str) -> str:
    """Return a label that is safe to show and log, such as ``mailgun (news.example.org)``. Raise BadProviderUrl."""
    return read_provider_url(url).label


def make_adapter(url: str, *, outbox_dir: Path | None = None) -> Adapter:
    """Return the adapter that ``url`` names. ``outbox://`` writes to ``outbox_dir``. Raise BadProviderUrl."""
    settings = read_provider_url(url)
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
