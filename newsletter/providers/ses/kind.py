"""The provider as it registers: its adapter, its webhooks and their setup."""

from newsletter.providers.base.provider_kind import ProviderKind
from newsletter.providers.ses.adapter import Ses
from newsletter.providers.ses.webhook_setup import SesWebhooks
from newsletter.providers.ses.webhooks import SES


class SesKind(ProviderKind):
    interface = 1
    adapter = Ses
    webhooks = SES
    webhook_setup = SesWebhooks
