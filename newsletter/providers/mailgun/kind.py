"""The provider as it registers: its adapter and its webhooks."""

from newsletter.providers.base.provider_kind import ProviderKind
from newsletter.providers.mailgun.adapter import Mailgun
from newsletter.providers.mailgun.webhooks import MAILGUN


class MailgunKind(ProviderKind):
    interface = 1
    adapter = Mailgun
    webhooks = MAILGUN
