"""The provider as it registers: its adapter, its webhooks and their setup."""

from newsletter.providers.base.provider_kind import ProviderKind
from newsletter.providers.brevo.adapter import Brevo
from newsletter.providers.brevo.webhook_setup import BrevoWebhooks
from newsletter.providers.brevo.webhooks import BREVO


class BrevoKind(ProviderKind):
    interface = 1
    adapter = Brevo
    webhooks = BREVO
    webhook_setup = BrevoWebhooks
