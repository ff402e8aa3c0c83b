"""The provider as it registers: its adapter, its webhooks and their setup."""

from newsletter.providers.base.provider_kind import ProviderKind
from newsletter.providers.scaleway.adapter import Scaleway
from newsletter.providers.scaleway.webhook_setup import ScalewayWebhooks
from newsletter.providers.scaleway.webhooks import SCALEWAY


class ScalewayKind(ProviderKind):
    interface = 1
    adapter = Scaleway
    webhooks = SCALEWAY
    webhook_setup = ScalewayWebhooks
