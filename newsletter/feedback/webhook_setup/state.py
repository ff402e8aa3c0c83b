"""Read what is known of the provider's webhook without asking the provider: address, keys, and the last report."""

from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings

from newsletter.common.messages import Message
from newsletter.feedback.endpoint import webhook_key, webhook_url
from newsletter.feedback.webhook_setup.keys import has_lost_keys
from newsletter.models import ProviderWebhook
from newsletter.providers.base.errors import WebhookSetupError
from newsletter.providers.base.provider_url import ProviderSettings
from newsletter.providers.base.webhooks.verification import split_keys
from newsletter.providers.registry import ADAPTERS, WEBHOOK_HANDLERS, WEBHOOK_SETUPS
from newsletter.sending.deliverability.domains import is_own_endpoint, read_provider


@dataclass(frozen=True)
class WebhookSettings:
    """The provider's webhook as this installation knows it.

    ``account`` is the name that sends have of it. ``obstacle`` says why it cannot be set up from here, "" if it can.
    ``has_key``: reports can be verified. ``lost_key``: a stored key cannot be read with the secret key.
    """

    provider: str
    account: str
    label: str
    url: str = field(repr=False)
    has_key: bool
    lost_key: bool
    obstacle: str
    set_up_at: datetime | None
    last_report_at: datetime | None


def find_webhook_settings() -> WebhookSettings | None:
    """Return the webhook of the provider in the settings; None if it reports nothing, or if the setting is wrong."""
    provider = read_provider(settings.NEWSLETTER_PROVIDER_URL)
    if provider is None or provider.scheme not in WEBHOOK_HANDLERS:
        return None
    name = provider.scheme
    row = ProviderWebhook.objects.filter(provider=name).first()
    return WebhookSettings(
        provider=name,
        account=provider.label,
        label=ADAPTERS[name].label,
        url=webhook_url(name),
        has_key=bool(split_keys(webhook_key(name))),
        lost_key=has_lost_keys(name),
        obstacle=find_obstacle(provider),
        set_up_at=row.set_up_at if row else None,
        last_report_at=row.last_report_at if row else None,
    )


def explain_silence(provider: ProviderSettings | None) -> str:
    """Return what is not heard of with a real provider that reports nothing, "" for any other."""
    if provider is None or provider.scheme not in ADAPTERS or provider.scheme in WEBHOOK_HANDLERS:
        return ""
    label = ADAPTERS[provider.scheme].label
    if settings.NEWSLETTER_INBOUND:
        return Message(
            "%(provider)s reports nothing here: bounces are read from mail that comes in, and nobody hears of complaints.",
            provider=label,
        )
    return Message(
        "%(provider)s reports nothing here: bounces come as mail to the return path or the sender, and nobody hears of "
        "complaints.",
        provider=label,
    )


def advise_on_silence() -> Message:
    """Return what to do about a provider that reports nothing."""
    if settings.NEWSLETTER_INBOUND:
        return Message("Ask mailbox providers, such as Yahoo, to send complaints to NEWSLETTER_INBOUND_ADDRESS.")
    return Message(
        "Have the mailbox that bounces come to read here (NEWSLETTER_INBOUND), or choose a provider that reports."
    )


def require_webhook_settings() -> WebhookSettings:
    """Return the webhook of the provider in the settings. Raise WebhookSetupError if there is none."""
    found = find_webhook_settings()
    if found is None:
        if why := explain_silence(read_provider(settings.NEWSLETTER_PROVIDER_URL)):
            raise WebhookSetupError(Message.joined([why, advise_on_silence()], between=" "))
        raise WebhookSetupError(
            "No mail provider is set, so nothing is reported. Write the provider into NEWSLETTER_PROVIDER_URL, start the "
            "program again, then set up its reports."
        )
    return found


def find_obstacle(provider: ProviderSettings) -> str:
    """Return why the webhook cannot be set up from here, "" if it can."""
    label = ADAPTERS[provider.scheme].label
    if WEBHOOK_SETUPS[provider.scheme] is None:
        return Message("%(provider)s takes the address only on its own pages. Enter it there.", provider=label)
    if is_own_endpoint(provider) and urlsplit(settings.NEWSLETTER_SITE_URL).scheme != "https":
        return Message(
            "%(provider)s cannot reach %(site)s. Set NEWSLETTER_SITE_URL to the public address of this site, which begins "
            "with https://, and start the program again.",
            provider=label,
            site=settings.NEWSLETTER_SITE_URL,
        )
    return ""
