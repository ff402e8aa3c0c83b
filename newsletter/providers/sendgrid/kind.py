"""The provider as it registers: its adapter and its webhooks."""

from newsletter.providers.base.provider_kind import ProviderKind
from newsletter.providers.sendgrid.adapter import SendGrid
from newsletter.providers.sendgrid.webhooks import SENDGRID


class SendGridKind(ProviderKind):
    interface = 1
    adapter = SendGrid
    webhooks = SENDGRID
