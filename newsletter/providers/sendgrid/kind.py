"""The provider as it registers: its adapter, its webhooks and their setup."""

from newsletter.providers.base.provider_kind import ProviderKind
from newsletter.providers.sendgrid.adapter import SendGrid
from newsletter.providers.sendgrid.webhook_setup import SendGridWebhooks
from newsletter.providers.sendgrid.webhooks import SENDGRID


class SendGridKind(ProviderKind):
    interface = 1
    adapter = SendGrid
    webhooks = SENDGRID
    webhook_setup = SendGridWebhooks
