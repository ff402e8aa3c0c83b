"""Read what we store about each account's webhook: address, keys and last report. The provider is not asked."""

from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings

from newsletter.common.messages import Message
from newsletter.feedback.endpoint import list_account_keys, webhook_url
from newsletter.feedback.webhook_setup.keys import has_lost_keys, key_mark
from newsletter.models import ProviderWebhook
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.providers.base.errors import WebhookSetupError
from newsletter.providers.base.provider_url import ProviderSettings
from newsletter.providers.registry import ADAPTERS, WEBHOOK_HANDLERS, WEBHOOK_SETUPS
from newsletter.sending.accounts import (
    ProviderAccountSettings,
    explain_unusable,
    find_account,
    list_usable_accounts,
)
from newsletter.sending.deliverability.domains import is_own_endpoint


@dataclass(frozen=True)
class WebhookSettings:
    """The webhook of a provider account as this installation knows it.

    ``chosen`` is the account. ``label`` names its provider, and the account unless it is the default one. ``obstacle`` says
    why the webhook cannot be set up from here, "" if it can. ``has_key``: reports can be verified by a key of this account,
    or by another account's key that verified the newest report. ``lost_key``: a stored key cannot be read with the secret
    key.
    """

    chosen: ProviderAccountSettings
    provider: str
    label: str
    url: str = field(repr=False)
    has_key: bool
    lost_key: bool
    obstacle: str
    set_up_at: datetime | None
    last_report_at: datetime | None

    @property
    def account(self) -> str:
        return self.chosen.name


def list_webhook_settings() -> list[WebhookSettings]:
    """Return the webhook of each account that can be used and whose provider reports, that of the default account first."""
    webhooks = (_describe(account) for account in list_usable_accounts())
    return [webhook for webhook in webhooks if webhook is not None]


def _describe(account: ProviderAccountSettings) -> WebhookSettings | None:
    provider = account.provider
    if provider is None or provider.scheme not in WEBHOOK_HANDLERS:
        return None
    name = provider.scheme
    row = ProviderWebhook.objects.filter(provider=name, account=account.name).first()
    return WebhookSettings(
        chosen=account,
        provider=name,
        label=account.title,
        url=webhook_url(name, account.name),
        has_key=bool(list_account_keys(account)) or _is_verified_by_other(row),
        lost_key=row is not None and has_lost_keys(row),
        obstacle=find_obstacle(provider),
        set_up_at=row.set_up_at if row else None,
        last_report_at=row.last_report_at if row else None,
    )


def _is_verified_by_other(row: ProviderWebhook | None) -> bool:
    """Return True if the key that verified the newest report of an account without a key is still another account's."""
    if row is None or not row.verified_by:
        return False
    others = (
        candidate
        for candidate in list_usable_accounts()
        if candidate.provider and candidate.provider.scheme == row.provider
    )
    return any(key_mark(key) == row.verified_by for account in others for key in list_account_keys(account))


def explain_silence(provider: ProviderSettings | None) -> str:
    """Return what staff do not learn if a real provider reports nothing, "" for any other provider."""
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


def require_webhook_settings(name: str) -> WebhookSettings:
    """Return the webhook of an account. Raise WebhookSetupError if it reports nothing or cannot be used."""
    account = find_account(name)
    if name != DEFAULT_ACCOUNT and (problem := explain_unusable(name)):
        raise WebhookSetupError("No reports were set up, because %(problem)s.", problem=problem)
    webhook = _describe(account) if account else None
    if webhook is None:
        if why := explain_silence(account.provider if account else None):
            raise WebhookSetupError(Message.joined([why, advise_on_silence()], between=" "))
        raise WebhookSetupError(
            "No mail provider is set, so nothing is reported. Write the provider into NEWSLETTER_PROVIDER_URL, start the "
            "program again, then set up its reports."
        )
    return webhook


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
