"""The provider as it registers: its adapter, its webhooks and their setup."""

from newsletter.providers.base.provider_kind import ProviderKind
from newsletter.providers.mailgun.adapter import Mailgun
from newsletter.providers.mailgun.webhook_setup import MailgunWebhooks
from newsletter.providers.mailgun.webhooks import MAILGUN


class MailgunKind(ProviderKind):
    interface = 1
    adapter = Mailgun
    webhooks = MAILGUN
    webhook_setup = MailgunWebhooks
