"""The provider as it registers: its adapter, its webhooks and their setup."""

from newsletter.providers.base.provider_kind import ProviderKind
from newsletter.providers.sparkpost.adapter import SparkPost
from newsletter.providers.sparkpost.webhook_setup import SparkPostWebhooks
from newsletter.providers.sparkpost.webhooks import SPARKPOST


class SparkPostKind(ProviderKind):
    interface = 1
    adapter = SparkPost
    webhooks = SPARKPOST
    webhook_setup = SparkPostWebhooks
