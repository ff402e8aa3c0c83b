"""The provider as it registers: its adapter, its webhooks and their setup."""

from newsletter.providers.base.provider_kind import ProviderKind
from newsletter.providers.mailjet.adapter import Mailjet
from newsletter.providers.mailjet.webhook_setup import MailjetWebhooks
from newsletter.providers.mailjet.webhooks import MAILJET


class MailjetKind(ProviderKind):
    interface = 1
    adapter = Mailjet
    webhooks = MAILJET
    webhook_setup = MailjetWebhooks
