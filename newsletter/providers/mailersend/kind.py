"""The provider as it registers: its adapter, its webhooks and their setup."""

from newsletter.providers.base.provider_kind import ProviderKind
from newsletter.providers.mailersend.adapter import MailerSend
from newsletter.providers.mailersend.webhook_setup import MailerSendWebhooks
from newsletter.providers.mailersend.webhooks import MAILERSEND


class MailerSendKind(ProviderKind):
    interface = 1
    adapter = MailerSend
    webhooks = MAILERSEND
    webhook_setup = MailerSendWebhooks
