"""The provider as it registers: its adapter, its webhooks and their setup."""

from newsletter.providers.base.provider_kind import ProviderKind
from newsletter.providers.resend.adapter import Resend
from newsletter.providers.resend.webhook_setup import ResendWebhooks
from newsletter.providers.resend.webhooks import RESEND


class ResendKind(ProviderKind):
    interface = 1
    adapter = Resend
    webhooks = RESEND
    webhook_setup = ResendWebhooks
